"""Results that are computed once, and are there all the same where they cannot be kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sets import names, said

from tp_utils.runtime import cached

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """A function: how often `compute` was called. It counts in a file, since all that it reaches would be an input."""
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    (tmp_path / "calls").touch()
    return lambda: (tmp_path / "calls").stat().st_size


def compute():
    with open(os.environ["CALLS"], "a") as file:
        file.write("x")
    return {"features": torch.arange(3), "seconds": [1.5], "name": "x", "half": halved(1.0)}


def test_cached_computes_once_for_the_same_inputs(calls):
    first = cached("features", (torch.zeros(2), "squeezenet"), compute)
    again = cached("features", (torch.zeros(2), "squeezenet"), compute)
    assert calls() == 1
    assert torch.equal(first.pop("features"), again.pop("features"))
    assert first == again


def test_cached_computes_anew_for_other_inputs_and_another_name(calls):
    cached("features", (torch.zeros(2),), compute)
    cached("features", (torch.ones(2),), compute)
    cached("others", (torch.zeros(2),), compute)
    assert calls() == 3


@pytest.mark.parametrize("content", [b"", b"not a file of torch's"])
def test_cached_computes_anew_where_the_file_cannot_be_read(tmp_path, calls, content):
    cached("features", (1,), compute)
    (file,) = (tmp_path / "cache" / "computed").iterdir()
    file.write_bytes(content)
    assert cached("features", (1,), compute)["name"] == "x"
    assert calls() == 2
    cached("features", (1,), compute)
    assert calls() == 2  # and mends the file


class Touches:
    """Runs code when it is unpickled: makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_cached_runs_no_code_of_a_file_that_somebody_else_wrote(tmp_path, calls):
    cached("features", (1,), compute)
    (file,) = (tmp_path / "cache" / "computed").iterdir()
    torch.save({"features": torch.arange(3), "name": Touches(tmp_path / "ran")}, file)
    assert cached("features", (1,), compute)["name"] == "x"
    assert calls() == 2 and not (tmp_path / "ran").exists()
    torch.save(Touches(tmp_path / "ran"), file)
    torch.load(file, weights_only=False).close()
    assert (tmp_path / "ran").exists()  # it would have run


def halved(x):
    return x / 2


def halved_differently(x):
    return x * 0.5


def test_cached_computes_again_when_a_function_that_it_uses_was_changed(calls, monkeypatch):
    for _ in range(2):
        assert cached("code", (1,), compute)["half"] == 0.5
    assert calls() == 1
    monkeypatch.setitem(globals(), "halved", halved_differently)
    assert cached("code", (1,), compute)["half"] == 0.5
    assert calls() == 2


# ---- where a value cannot be kept

ON_A_FULL_DISK = """
import resource, torch
from tp_utils.runtime import cached
for room in (10, 1000, 100_000, 200_500):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    print(cached(f"room-{room}", (), lambda: torch.zeros(50_000)).numel())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of this kind on Windows")
def test_a_value_that_finds_no_room_costs_one_line(tmp_path):
    done = subprocess.run([sys.executable, "-c", ON_A_FULL_DISK], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1::2] == 4 * ["50000"]
    assert lines[::2] == [f"room-{room}: not kept for the next time (File too large). Free some space, or set TP_CACHE "
                          "to a folder you may write." for room in (10, 1000, 100_000, 200_500)]
    assert names(tmp_path / "cache" / "computed") == []


def test_a_cache_that_may_not_be_written_costs_one_line(ordinary_user, monkeypatch, capsys):
    ordinary_user.chmod(0o555)
    monkeypatch.setenv("TP_CACHE", str(ordinary_user / "cache"))
    assert cached("value", (), lambda: 1) == 1
    (line,) = said(capsys)
    assert line.startswith("value: not kept") and "Permission denied" in line and "TP_CACHE" in line
    ordinary_user.chmod(0o755)


@pytest.mark.parametrize("in_the_way", ["cache", "cache/computed"])
def test_a_file_in_the_place_of_the_folder_costs_one_line(tmp_path, capsys, in_the_way):
    (tmp_path / in_the_way).parent.mkdir(exist_ok=True)
    (tmp_path / in_the_way).write_text("somebody's")
    assert cached("value", (), lambda: 1) == 1
    (line,) = said(capsys)
    assert line.startswith("value: not kept") and (tmp_path / in_the_way).read_text() == "somebody's"


def test_a_kept_value_that_may_not_be_read_is_computed_and_left_alone(ordinary_user, monkeypatch, capsys, calls):
    monkeypatch.setenv("TP_CACHE", str(ordinary_user))
    cached("value", (1,), compute)
    (file,) = (ordinary_user / "computed").iterdir()
    before = file.read_bytes()
    file.chmod(0o200)
    assert cached("value", (1,), compute)["name"] == "x"
    (line,) = said(capsys)
    assert file.name in line and "Permission denied" in line
    file.chmod(0o600)
    assert file.read_bytes() == before
    assert cached("value", (1,), compute)["name"] == "x" and calls() == 2


def test_a_name_that_leaves_the_cache_is_refused_before_anything_is_computed(calls, tmp_path):
    for name in ("../value", "CON", ""):
        with pytest.raises(ValueError, match="cannot be the name of a file"):
            cached(name, (1,), compute)
    assert calls() == 0 and not (tmp_path / "cache").exists()
