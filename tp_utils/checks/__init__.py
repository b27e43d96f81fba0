"""The exercise protocol: ``answer = tp.check("8.1", answer)`` says what is right or wrong, and goes on.

The check of exercise N.M is the function ``check_N_M`` of the package ``checks/tpNN``. It raises Wrong (kit/compare.py)
or returns. Its docstring says to the student what the exercise asks for: the last hint of every mistake. What is raised
otherwise, by the answer or by what it gave, is explained by kit/errors.py and by the dict ERRORS of the package, where
there is one.
"""

import inspect
import os
import random
import re
from contextlib import contextmanager
from importlib import import_module

import numpy as np
import torch

from ..runtime import show
from .answers import definitions, handed_out, is_handed_out, reference, solutions
from .kit.compare import Wrong
from .kit.errors import explained
from .report import NOT_DONE, RIGHT, WRONG, Report, Unfinished, WrongAnswer

__all__ = [
    "NOT_DONE", "RIGHT", "WRONG", "Report", "Unfinished", "WrongAnswer", "check", "definitions", "exercises", "judge",
    "reference", "solutions",
]

# What is said to the reader.
NOT_DONE_TEXT = "Write your answer in the cell of the exercise, run it, then run this cell again."
REFERENCE = "Until then, what follows uses the reference solution; to try your own in a cell, call {name}.yours"
OURS = "This is what the course handed out in place of your answer: run the cell of the exercise, then this one."
NO_REFERENCE = "There is no reference solution here: what follows needs your answer."
NOT_CALLABLE = ("a function or a class", "it has been replaced by something else: run the cell of the exercise again")
UNKNOWN = "there is no exercise {id!r}; the exercises of TP {tp} are {ids}"

SEED = 0  # what a check says does not depend on it
_tries = {}  # exercise -> (the mistake, how often it was seen in a row)


def check(exercise, answer):
    """Check an answer, show the report, and return a function or class that works.

    exercise:  its id, e.g. "8.1"
    answer:    the student's function or class

    Returns `answer` if it is right, otherwise the reference solution, which says that it is not the student's and has
    the answer as its attribute `yours`; without one, a stand-in that raises Unfinished when it is used. Raises
    WrongAnswer under TP_STRICT=1 or nbgrader unless the answer is right, ValueError for an unknown exercise.
    """
    exercise = str(exercise)
    ours = is_handed_out(answer)  # the cell of the check was run a second time
    report = Report(exercise, NOT_DONE, hint=OURS) if ours else judge(exercise, answer)
    if report.verdict == RIGHT:
        show(report)
        return answer
    if os.environ.get("TP_STRICT") == "1" or "NBGRADER_EXECUTION" in os.environ:
        raise WrongAnswer(str(report))
    solution = reference(exercise)
    report.follows = REFERENCE.format(name=solution.__name__) if solution else NO_REFERENCE
    show(report)
    return answer if ours else handed_out(exercise, answer)


def judge(exercise, answer):
    """Run the check of an exercise on an answer; returns the Report. No wrong answer makes it raise."""
    module = practical(exercise)
    run = getattr(module, name_of(exercise))
    try:
        if not callable(answer):
            raise Wrong(NOT_CALLABLE[0], type(answer).__name__, NOT_CALLABLE[1])
        with undisturbed():
            run(answer)
    except Wrong as wrong:
        return report_of(exercise, with_recipe(wrong, run))
    except (Exception, SystemExit) as error:  # whatever the student's code may do
        if isinstance(error, NotImplementedError) and (not str(error) or str(error).startswith("Exercise")):
            return Report(exercise, NOT_DONE, hint=NOT_DONE_TEXT)
        return report_of(exercise, with_recipe(explained(error, getattr(module, "ERRORS", {})), run))
    _tries.pop(exercise, None)
    return Report(exercise, RIGHT)


@contextmanager
def undisturbed():
    """A check's own random numbers and float32, gradients on, exact convolutions on a GPU; then all is as before."""
    before = random.getstate(), np.random.get_state(), torch.get_default_dtype()
    with (torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.enable_grad(),
          torch.backends.cudnn.flags(enabled=True, allow_tf32=False)):
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(SEED)
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])
            torch.set_default_dtype(before[2])


def practical(exercise):
    """The package of checks that an exercise belongs to. Raises ValueError for an unknown exercise."""
    number = exercise.split(".")[0]
    try:
        module = import_module(f"{__name__}.tp{int(number):02d}")
    except (ValueError, ModuleNotFoundError):
        raise ValueError(UNKNOWN.format(id=exercise, tp=number, ids="none")) from None
    if not hasattr(module, name_of(exercise)):
        raise ValueError(UNKNOWN.format(id=exercise, tp=number, ids=", ".join(exercises(module))))
    return module


def name_of(exercise):
    """The name of an exercise's check."""
    return f"check_{exercise.replace('.', '_')}"


def exercises(module):
    """The ids of a module's exercises, in order."""
    names = [name for name in vars(module) if re.fullmatch(r"check_\d+_\d+", name)]
    ids = [name.removeprefix("check_").replace("_", ".") for name in names]
    return sorted(ids, key=lambda id: [int(part) for part in id.split(".")])


def recipe(check):
    """What an exercise asks for, in one line: the docstring of its check."""
    return " ".join(inspect.getdoc(check).split())


def with_recipe(wrong, check):
    """The mistake, with what the exercise asks for as its last hint."""
    return Wrong(wrong.expected, wrong.found, *dict.fromkeys([*wrong.hints, recipe(check)]))


def report_of(exercise, wrong):
    """The Report of a mistake; the same mistake made again gets its next hint."""
    seen, times = _tries.get(exercise, (None, 0))
    times = times + 1 if seen == wrong.hints[:1] else 0
    _tries[exercise] = (wrong.hints[:1], times)
    return Report(exercise, WRONG, wrong.expected, wrong.found, wrong.hints[min(times, len(wrong.hints) - 1)])
