"""The run: profile and device by the environment; files replaced at once; results computed and measured once."""

import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tp_utils import runtime
from tp_utils.runtime import cached, fingerprint, pick, profile, replacing, results, save_results


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch, tmp_path):
    """None of the course's variables, an empty cache."""
    for name in ("TP_PROFILE", "TP_DEVICE", "TP_RESULTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))


def with_gpu(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# ---- device, profile, seeds


def test_the_device_is_the_first_there_is(monkeypatch):
    with_gpu(monkeypatch, True)
    assert runtime.device() == torch.device("cuda")
    with_gpu(monkeypatch, False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert runtime.device() == torch.device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert runtime.device() == torch.device("cpu")


def test_tp_device_decides(monkeypatch):
    monkeypatch.setenv("TP_DEVICE", "cuda:1")
    assert runtime.device() == torch.device("cuda", 1)


@pytest.mark.parametrize(("variable", "gpu", "expected"), [
    ("", False, "cpu"), ("", True, "full"), ("smoke", True, "smoke"), ("cpu", True, "cpu"), ("full", False, "full")])
def test_the_profile_is_the_variables_or_the_hardwares(monkeypatch, variable, gpu, expected):
    with_gpu(monkeypatch, gpu)
    monkeypatch.setenv("TP_PROFILE", variable)
    monkeypatch.setenv("TP_DEVICE", "cuda" if gpu else "cpu")
    assert profile() == expected
    assert pick(smoke="smoke", cpu="cpu", full="full") == expected


def test_an_unknown_profile_is_named_with_the_known_ones(monkeypatch):
    monkeypatch.setenv("TP_PROFILE", "Smoke")
    with pytest.raises(ValueError, match=r"^TP_PROFILE='Smoke': choose one of smoke, cpu, full$"):
        pick(smoke=1, cpu=2, full=3)


def test_seed_seeds_python_numpy_torch_and_returns_a_generator():
    def draw(generator):
        return random.random(), np.random.rand(), torch.rand(1).item(), torch.rand(1, generator=generator).item()

    assert draw(runtime.seed(3)) == draw(runtime.seed(3)) != draw(runtime.seed(4))


def test_what_is_said_outside_a_notebook_is_printed(capsys):
    runtime.say("a line", data="scenes", place="cache")
    runtime.show(torch.tensor(1))
    assert capsys.readouterr().out == "a line\ntensor(1)\n"


# ---- replacing


def test_replacing_puts_the_complete_file_in_place(tmp_path):
    path = tmp_path / "folder" / "file.txt"
    for text in ("old", "new"):
        with replacing(path) as temporary:
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert names(path.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_while_replacing_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "file.txt"
    with replacing(path) as one, replacing(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"  # the last that ended
    assert names(tmp_path) == ["file.txt"]


def test_a_replaced_file_can_be_read_by_those_who_can_read_its_neighbours(tmp_path):
    neighbour = tmp_path / "neighbour"
    neighbour.touch()
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "file").stat().st_mode == neighbour.stat().st_mode


# ---- fingerprints and cached


LONG = torch.arange(5000)
CHANGED = torch.where(LONG == 2500, 0, LONG)  # prints as LONG does


@pytest.mark.parametrize(("one", "other"), [
    (LONG, CHANGED),
    ({"images": LONG}, {"images": CHANGED}),
    ([LONG], [CHANGED]),
    (LONG.numpy(), CHANGED.numpy()),
    (torch.zeros(2, 3), torch.zeros(3, 2)),
    (torch.zeros(2), torch.zeros(2, dtype=torch.double)),
    (1, 1.0),
    ("ab", "abc"),
    ([1, 2], (1, 2)),
    ([[1], 2], [1, [2]]),
    ({"a": 1}, {"a": 2}),
])
def test_different_things_have_different_fingerprints(one, other):
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) == fingerprint(one)


def test_fingerprints_of_any_dtype_and_layout():
    values = torch.tensor([[0, 1], [2, 3]])
    for dtype in (torch.bool, torch.uint8, torch.bfloat16, torch.float64, torch.complex64):
        assert len(fingerprint(values.to(dtype), values.to(dtype)[0, 0], values.to(dtype)[:0])) == 16
    assert fingerprint(values.T) == fingerprint(values.T.contiguous())
    assert fingerprint(values.float().requires_grad_()) == fingerprint(values.float())


@pytest.fixture
def compute():
    """A function that counts its calls."""
    def compute():
        compute.calls += 1
        return {"features": torch.arange(3), "seconds": [1.5], "name": "x"}

    compute.calls = 0
    return compute


def test_cached_computes_once_for_the_same_inputs(compute):
    first = cached("features", (torch.zeros(2), "squeezenet"), compute)
    again = cached("features", (torch.zeros(2), "squeezenet"), compute)
    assert compute.calls == 1
    assert torch.equal(first.pop("features"), again.pop("features"))
    assert first == again


def test_cached_computes_anew_for_other_inputs_and_another_name(compute):
    cached("features", (torch.zeros(2),), compute)
    cached("features", (torch.ones(2),), compute)
    cached("others", (torch.zeros(2),), compute)
    assert compute.calls == 3


@pytest.mark.parametrize("content", [b"", b"not a file of torch's"])
def test_cached_computes_anew_where_the_file_cannot_be_read(tmp_path, compute, content):
    cached("features", (1,), compute)
    (file,) = (tmp_path / "cache" / "computed").iterdir()
    file.write_bytes(content)
    assert cached("features", (1,), compute)["name"] == "x"
    assert compute.calls == 2
    cached("features", (1,), compute)
    assert compute.calls == 2  # and mends the file


# ---- measured numbers


@pytest.fixture
def root(monkeypatch, tmp_path):
    """results/ in a temporary folder; numbers may be saved."""
    monkeypatch.setattr("tp_utils.runtime.measurements.ROOT", tmp_path)
    monkeypatch.setenv("TP_RESULTS", "1")
    monkeypatch.setenv("TP_PROFILE", "cpu")
    return tmp_path


def test_results_are_saved_with_their_circumstances_and_read_again(root, capsys):
    save_results("study", {"accuracy": [0.5, 0.75]}, command="make outputs TP=tp99")
    assert capsys.readouterr().out == "Saved results/study.json\n"
    assert names(root / "results") == ["study.json"]
    numbers = results("study")
    assert numbers["accuracy"] == [0.5, 0.75]
    assert numbers["command"] == "make outputs TP=tp99"
    assert numbers["profile"] == "cpu"
    assert numbers["versions"]["torch"] == torch.__version__
    assert {"date", "hardware"} < set(numbers)
    assert json.loads((root / "results" / "study.json").read_text()) == numbers


@pytest.mark.parametrize(("variables", "sample", "why"), [
    ({"TP_RESULTS": ""}, False, "TP_RESULTS is not 1"),
    ({"TP_RESULTS": "0"}, False, "TP_RESULTS is not 1"),
    ({}, True, "they come from a built-in sample"),
    ({"TP_PROFILE": "smoke"}, False, "the smoke profile measures nothing"),
])
def test_numbers_that_prove_nothing_are_not_saved(root, monkeypatch, capsys, variables, sample, why):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    save_results("study", {"accuracy": 1.0}, command="…", data_is_sample=sample)
    assert not (root / "results").exists()
    assert f"Results not saved: {why}." in capsys.readouterr().out


def test_results_that_are_not_there_say_how_to_get_them(root):
    with pytest.raises(FileNotFoundError, match=r"^results/study.json is missing: `make outputs` measures it anew$"):
        results("study")


def halved(x):
    return x / 2


def halved_differently(x):
    return x * 0.5


def test_cached_computes_again_when_a_function_that_it_uses_was_changed(monkeypatch):
    calls = []

    def compute():
        calls.append(1)
        return [halved(x) for x in (1.0, 2.0)]

    for _ in range(2):
        assert runtime.cached("code", (1,), compute) == [0.5, 1.0]
    assert len(calls) == 1
    monkeypatch.setitem(globals(), "halved", halved_differently)
    assert runtime.cached("code", (1,), compute) == [0.5, 1.0]
    assert len(calls) == 2


class Doubling(torch.nn.Module):
    def forward(self, x):
        return 2 * x


network = Doubling()


def test_the_code_of_a_function_holds_that_of_the_functions_it_was_given():
    def made(inner):
        return lambda x: inner(x)

    def twice(x):
        return 2 * x

    def thrice(x):
        return 3 * x

    assert runtime.code_of(made(twice)) == runtime.code_of(made(twice)) != runtime.code_of(made(thrice))


def test_the_code_of_a_function_holds_the_numbers_it_was_given():
    def made(weight, name="a"):
        return lambda x: weight * x if name else x

    assert runtime.code_of(made(1)) == runtime.code_of(made(1)) != runtime.code_of(made(2))
    assert runtime.code_of(made(1)) != runtime.code_of(made(1, "b")) and runtime.code_of(made(0.1)) != runtime.code_of(
        made(0.4))


def test_the_code_of_a_function_holds_that_of_the_networks_it_uses():
    assert any("2 * x" in text for text in runtime.code_of(lambda x: network(x)))


def test_a_caveat_is_said_for_samples_and_in_the_smoke_profile_only(monkeypatch, capsys):
    real, sample = SimpleNamespace(name="a", sample=False), SimpleNamespace(name="b", sample=True)
    monkeypatch.setenv("TP_PROFILE", "cpu")
    runtime.caveat(real)
    assert capsys.readouterr().out == ""
    runtime.caveat(real, sample)
    assert "b is a built-in sample" in capsys.readouterr().out
    monkeypatch.setenv("TP_PROFILE", "smoke")
    runtime.caveat(real)
    assert "smoke profile" in capsys.readouterr().out
