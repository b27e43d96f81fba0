"""Checks on other machines and in other notebooks: without float64, with another default dtype."""

import random
import sys
from importlib import import_module
from pathlib import Path

import mps
import numpy as np
import pytest
import torch

from tp_utils import checks, runtime
from tp_utils.checks import RIGHT, judge

ANSWERS = [import_module(f"mutants.{path.stem}") for path in sorted((Path(__file__).parent / "mutants").glob("tp*"))]
IDS = [id for module in ANSWERS for id in module.RIGHT]


def right_answers(id):
    """The reference, and differently written answers."""
    return [checks.reference(id), *next(module.RIGHT[id] for module in ANSWERS if id in module.RIGHT)]


@pytest.fixture
def on_mps(monkeypatch):
    """tp.device() is a device that has no float64."""
    here = runtime.device
    for module in [module for name, module in sys.modules.items() if name.startswith("tp_utils")]:
        if vars(module).get("device") is here:
            monkeypatch.setattr(module, "device", lambda: mps.DEVICE)


@pytest.mark.parametrize("id", IDS)
def test_right_answers_are_right_where_there_is_no_float64(id, on_mps):
    for answer in right_answers(id):
        with mps.PlaysMps():
            report = judge(id, answer)
        assert report.verdict == RIGHT, report


def test_the_device_without_float64_refuses_it():
    with mps.PlaysMps():
        x = torch.ones(2).to(mps.DEVICE)
        assert isinstance(2 * x, mps.OnMps) and type(x.cpu()) is torch.Tensor and x.cpu().double().sum() == 2
        for convert in (x.double, lambda: (x + 1).to(torch.float64), lambda: torch.ones(2).double().to(mps.DEVICE)):
            with pytest.raises(TypeError, match="float64"):
                convert()


@pytest.mark.parametrize("id", IDS)
def test_right_answers_are_right_whatever_the_notebooks_default_dtype(id):
    torch.set_default_dtype(torch.float64)
    try:
        for answer in right_answers(id):
            report = judge(id, answer)
            assert report.verdict == RIGHT, report
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("id", ["7.6", "9.4"])
def test_a_check_leaves_the_random_numbers_of_others_alone(id):
    random.seed(3), np.random.seed(3)
    expected = random.random(), np.random.rand()
    random.seed(3), np.random.seed(3)
    judge(id, lambda *args, **kwargs: (random.random(), np.random.rand()))
    assert (random.random(), np.random.rand()) == expected
