"""The run: profile and device by the environment, seeds, and what is said to the reader."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tp_utils import runtime
from tp_utils.runtime import pick, profile


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch, tmp_path):
    """None of the course's variables, an empty cache."""
    for name in ("TP_PROFILE", "TP_DEVICE", "TP_RESULTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))


def with_gpu(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)


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
