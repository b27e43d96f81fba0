"""What a check says is no luck: the same verdict and the same first hint under ten seeds, for every wrong answer.

The seed decides what is drawn from the generators of torch, NumPy and Python, the student's weights above all. Where
nothing is drawn from it, an answer is judged once: the other nine runs would be the same, step by step.
"""

import random
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from tp_utils import checks
from tp_utils.checks import RIGHT, WRONG, judge

ANSWERS = [import_module(f"mutants.{path.stem}") for path in sorted((Path(__file__).parent / "mutants").glob("tp*"))]
IDS = [id for module in ANSWERS for id in module.RIGHT]
SEEDS = range(10)


@pytest.fixture
def said(monkeypatch):
    """From (exercise, answer, seed) to (verdict, first hint, whether anything was drawn from the seed)."""
    drawn, undisturbed = [], checks.undisturbed
    monkeypatch.setattr(checks, "undisturbed", lambda: looking(undisturbed, drawn))

    def said(id, answer, seed):
        monkeypatch.setattr(checks, "SEED", seed)
        checks._tries.clear()
        drawn.clear()
        report = judge(id, answer)
        return report.verdict, report.hint, any(drawn)

    return said


@contextmanager
def looking(undisturbed, drawn):
    """The check's surroundings; drawn gets whether the seed's numbers were used, until somebody seeds anew."""
    seed_anew = torch.manual_seed
    with undisturbed():
        start, others = torch.get_rng_state(), (random.getstate(), str(np.random.get_state()))

        def seeded(*arguments):
            if not drawn:
                drawn.append(not torch.equal(start, torch.get_rng_state()))
            return seed_anew(*arguments)

        torch.manual_seed = seeded
        try:
            yield
        finally:
            torch.manual_seed = seed_anew
            if not drawn:
                drawn.append(not torch.equal(start, torch.get_rng_state()))
            drawn.append(others != (random.getstate(), str(np.random.get_state())))


@pytest.mark.parametrize("id", IDS)
def test_a_wrong_answer_gets_the_same_hint_under_ten_seeds(id, said):
    for answer, hint in next(module.MUTANTS[id] for module in ANSWERS if id in module.MUTANTS):
        first = said(id, answer, 0)
        assert first[0] == WRONG and hint.lower() in first[1].lower()
        for seed in SEEDS[1:] if first[2] else ():
            assert said(id, answer, seed) == first, seed


@pytest.mark.parametrize("id", IDS)
def test_a_right_answer_is_right_under_ten_seeds(id, said):
    for answer in (checks.reference(id), *next(module.RIGHT[id] for module in ANSWERS if id in module.RIGHT)):
        verdict, _, drawn = said(id, answer, 0)
        assert verdict == RIGHT
        for seed in SEEDS[1:] if drawn else ():
            assert said(id, answer, seed)[0] == RIGHT, seed


def test_what_draws_from_the_seed_is_noticed(said):
    def draws(*_):
        torch.rand(1)

    def seeds_and_draws(*_):
        torch.manual_seed(3)
        torch.rand(1)

    def draws_and_seeds(*_):
        torch.rand(1)
        torch.manual_seed(0)

    for answer in (draws, draws_and_seeds, lambda *_: random.random(), lambda *_: np.random.rand()):
        assert said("10.1", answer, 0)[2]
    for answer in (seeds_and_draws, lambda *_: None):
        assert not said("10.1", answer, 0)[2]
