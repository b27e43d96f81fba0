"""What cannot be compared with that of another run is never taken for equal."""

import threading

import pytest
from small_runs import fitted

import tp_utils as tp
from tp_utils.runtime import Incomparable, fingerprint
from tp_utils.training import pixels


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")


def test_what_cannot_be_compared_trains_anew_and_one_line_says_why(capsys):
    lock = threading.Lock()

    def prepare(images, generator):
        with lock:
            return pixels(images, generator)

    for _ in range(2):
        capsys.readouterr()
        fitted(steps=3, prepare=prepare)
        out = capsys.readouterr().out
        assert "loaded from the cache" not in out
    said = [line for line in out.splitlines() if "anew" in line]
    assert said == ["run: trains anew and keeps no checkpoint, since a lock cannot be compared with that of another "
                    "run."]


@pytest.mark.parametrize("thing", [(k for k in range(3)), open(__file__, "rb")])  # noqa: SIM115
def test_what_has_no_value_is_incomparable(thing):
    with pytest.raises(Incomparable, match=type(thing).__name__):
        fingerprint({"a": [thing]})


def test_cached_follows_what_its_function_reaches(capsys):
    computed = []

    def of(amount, label):
        return tp.cached("x", (), lambda: note(amount, label))

    def note(amount, label):
        print("computed")
        return amount + len(label)

    for amount, label in ((1, "a"), (1, "a"), (2, "a"), (2, "bb")):
        capsys.readouterr()
        computed.append((of(amount, label), "computed" in capsys.readouterr().out))
    assert computed == [(2, True), (2, False), (3, True), (4, True)]


def test_the_order_of_arguments_counts():
    assert fingerprint(lambda a, b: a - 2 * b) != fingerprint(lambda b, a: a - 2 * b)
