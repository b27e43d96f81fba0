"""Results that are computed once."""

import pytest
import torch

from tp_utils import runtime
from tp_utils.runtime import cached


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))


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
