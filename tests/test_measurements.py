"""Measured numbers: saved with their circumstances, and read again."""

import json

import pytest
import torch
from sets import names

from tp_utils.runtime import results, save_results


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
