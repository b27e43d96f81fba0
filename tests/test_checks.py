"""Every check is itself tested: right answers pass, typical wrong ones get their hint, nothing crashes it.

The answers are in tests/mutants/tpNN.py (RIGHT and MUTANTS): a new file there is picked up by itself.
"""

import inspect
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from tp_utils import checks
from tp_utils.checks import NOT_DONE, RIGHT, WRONG, Unfinished, WrongAnswer, answers, judge
from tp_utils.checks.kit import errors
from tp_utils.runtime import fingerprint


def practicals(folder):
    return sorted(path.stem for path in folder.glob("tp*"))


CHECKS = {name: import_module(f"tp_utils.checks.{name}") for name in practicals(Path(checks.__file__).parent)}
ANSWERS = {name: import_module(f"mutants.{name}") for name in practicals(Path(__file__).parent / "mutants")}
IDS = [id for module in CHECKS.values() for id in checks.exercises(module)]
RIGHTS = [(id, one) for module in ANSWERS.values() for id in module.RIGHT for one in module.RIGHT[id]]
MUTANTS = [(id, *one) for module in ANSWERS.values() for id in module.MUTANTS for one in module.MUTANTS[id]]


def label(value):
    return getattr(value, "__name__", None) if callable(value) else None


@pytest.fixture(autouse=True)
def afresh(monkeypatch):
    """No tries remembered, and none of the variables that make a wrong answer raise."""
    checks._tries.clear()
    monkeypatch.delenv("TP_STRICT", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def reference(id):
    solution = checks.reference(id)
    assert solution is not None, f"no solution of exercise {id} in {answers.SOLUTIONS}"
    return solution


def recipe_of(id):
    return checks.recipe(getattr(checks.practical(id), checks.name_of(id)))


# ---- the checks


@pytest.mark.parametrize("name", sorted({*CHECKS, *ANSWERS}))
def test_every_exercise_has_right_and_wrong_answers(name):
    given, ids = ANSWERS[name], checks.exercises(CHECKS[name])
    assert sorted(given.RIGHT) == sorted(given.MUTANTS) == sorted(ids)
    for id in ids:
        assert len(given.RIGHT[id]) >= 1 and len(given.MUTANTS[id]) >= 3, id


@pytest.mark.parametrize("id", IDS)
def test_every_check_says_what_its_exercise_asks_for(id):
    """The docstring of a check is the last hint of each of its mistakes."""
    recipe = recipe_of(id)
    assert len(recipe) > 20 and "\n" not in recipe
    hints = [judge(id, crashes).hint for _ in range(4)]
    assert hints[0] != recipe and hints[-1] == recipe


@pytest.mark.parametrize("id", IDS)
def test_the_solution_is_right(id):
    report = judge(id, reference(id))
    assert report.verdict == RIGHT, report


@pytest.mark.parametrize(("id", "answer"), RIGHTS, ids=label)
def test_a_right_answer_is_right(id, answer):
    report = judge(id, answer)
    assert report.verdict == RIGHT, report


@pytest.mark.parametrize(("id", "answer", "hint"), MUTANTS, ids=label)
def test_a_mistake_gets_its_hints(id, answer, hint, monkeypatch):
    mistakes, report_of = [], checks.report_of
    monkeypatch.setattr(checks, "report_of", lambda id, wrong: mistakes.append(wrong) or report_of(id, wrong))
    first, second = judge(id, answer), judge(id, answer)
    assert first.verdict == second.verdict == WRONG
    assert hint.lower() in first.hint.lower()
    assert first.expected != first.found
    hints = mistakes[0].hints
    assert (first.hint, second.hint) == (hints[0], hints[min(1, len(hints) - 1)])


# What fits any mistake, besides what the exercise asks for; DESIGN: a hint names the mistake that was made.
GENERIC = {errors.CRASHED, errors.MISCALLED, errors.CALLS_AMISS, errors.SIZES, errors.DTYPES, errors.ASSERTION}


def test_few_mistakes_get_a_hint_that_fits_any(capsys):
    """The share of the wrong answers whose first hint is generic or all that the exercise asks for."""
    share = {}
    for name, given in ANSWERS.items():
        hints = [(id, judge(id, answer).hint) for id, mutants in given.MUTANTS.items()
                 for answer, _ in mutants if not checks._tries.clear()]
        told = [(id, hint) for id, hint in hints if hint in GENERIC or hint == recipe_of(id)]
        share[name] = len(told), len(hints)
    with capsys.disabled():
        print("\ngeneric first hints:", ", ".join(f"{name} {few} of {all}" for name, (few, all) in share.items()))
    assert sum(few for few, _ in share.values()) <= 0.008 * sum(all for _, all in share.values())


@pytest.mark.parametrize("id", IDS)
def test_a_check_takes_less_than_a_second(id):
    solution, times = reference(id), []
    for _ in range(4):
        start = time.process_time()
        judge(id, solution)
        times.append(time.process_time() - start)
    assert min(times) < 1  # the first one loads libraries; others may share the processor


# ---- what else may be handed in


def hole(*args, **kwargs):
    raise NotImplementedError


def hole_of_the_notebook(*args, **kwargs):
    raise NotImplementedError("Exercise: write your answer here")


def crashes(*args, **kwargs):
    return 1 / 0


def leaves(*args, **kwargs):
    sys.exit()


def same_arguments(*args, **kwargs):
    return args[0] if args else None


JUNK = {
    "none": None,
    "number": 3,
    "returns None": lambda *args, **kwargs: None,
    "returns text": lambda *args, **kwargs: "x",
    "returns a number": lambda *args, **kwargs: 3,
    "returns a pair": lambda *args, **kwargs: (None, None),
    "returns numpy": lambda *args, **kwargs: np.zeros((2, 3), dtype=np.float32),
    "returns NaN": lambda *args, **kwargs: torch.full((2, 3, 4, 5), torch.nan),
    "returns a pair of NaN": lambda *args, **kwargs: (torch.tensor(torch.nan), torch.tensor(torch.nan)),
    "returns an empty tensor": lambda *args, **kwargs: torch.empty(0),
    "returns its argument": same_arguments,
    "raises": crashes,
    "leaves": leaves,
    "no arguments": lambda: None,
    "a type": torch.Tensor,
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("id", IDS)
def test_junk_is_wrong_and_crashes_nothing(id, junk):
    report = judge(id, JUNK[junk])
    assert report.verdict == WRONG and report.hint
    assert str(report) and report._repr_html_()


@pytest.mark.parametrize("answer", [hole, hole_of_the_notebook])
@pytest.mark.parametrize("id", IDS)
def test_a_hole_is_not_done_yet(id, answer):
    assert judge(id, answer).verdict == NOT_DONE


@pytest.mark.parametrize("id", IDS)
def test_random_numbers_and_gradients_are_left_alone(id):
    def meddles(*args, **kwargs):
        torch.manual_seed(1)
        torch.set_grad_enabled(False)

    before = states()
    for answer in (reference(id), meddles):
        for enabled in (True, False):
            with torch.set_grad_enabled(enabled):
                judge(id, answer)
                assert torch.is_grad_enabled() == enabled
    assert all(map(torch.equal, before, states()))


def states():
    """The states of torch's random generators, everywhere."""
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else ())]


@pytest.mark.parametrize("id", ["7.99", "99.1", "seven", "7"])
def test_an_unknown_exercise_raises(id):
    with pytest.raises(ValueError, match="no exercise"):
        judge(id, hole)


# ---- check: what is shown and returned


@pytest.mark.parametrize("id", IDS)
def test_check_returns_what_works(id, capsys):
    solution = reference(id)
    assert checks.check(id, solution) is solution
    assert RIGHT in capsys.readouterr().out
    handed_out = checks.check(id, hole)
    assert handed_out.__stands_for__ == (handed_out, solution) and handed_out.yours is hole
    assert f"{solution.__name__}.yours" in capsys.readouterr().out
    assert judge(id, handed_out).verdict == RIGHT
    assert inspect.signature(handed_out) == inspect.signature(solution)
    assert f"the reference solution of exercise {id}" in repr(handed_out) and id in handed_out.__doc__
    assert fingerprint(handed_out) == fingerprint(solution)


@pytest.mark.parametrize("variable", ["TP_STRICT", "NBGRADER_EXECUTION"])
@pytest.mark.parametrize("answer", [hole, crashes, None])
@pytest.mark.parametrize("id", IDS)
def test_a_strict_check_raises(id, answer, variable, monkeypatch):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(WrongAnswer, match=f"Exercise {id}"):
        checks.check(id, answer)
    assert checks.check(id, reference(id)) is reference(id)


@pytest.mark.parametrize("answer", [hole, crashes, None])
@pytest.mark.parametrize("id", IDS)
def test_without_solutions_an_unfinished_exercise_raises_where_it_is_used(id, answer, no_solutions, capsys):
    stand_in = checks.check(id, answer)
    assert checks.NO_REFERENCE in capsys.readouterr().out
    with pytest.raises(Unfinished, match=f"Exercise {id} ") as caught:
        stand_in(torch.zeros(1), key=1)
    assert caught.value._render_traceback_() == [str(caught.value)]
