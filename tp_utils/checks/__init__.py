"""The exercise protocol: ``answer = tp.check("8.1", answer)`` says what is right or wrong, and goes on.

The check of exercise N.M is the function ``check_N_M`` of ``checks/tpNN``, a module or, where there is more to tell, a
package. It raises Wrong (see compare.py) or returns; ``RECIPE`` there says what an exercise asks for, the last hint of
a mistake. The reference solutions are read from the solution notebook, never imported.
"""

import ast
import html
import json
import linecache
import os
import re
import traceback
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

import torch

from ..runtime import ROOT, show
from .kit.compare import Wrong

SOLUTIONS = ROOT / "solutions"

# What is said to the reader.
RIGHT, NOT_DONE, WRONG = "right", "not done yet", "wrong"
SIGN = {RIGHT: "✔", NOT_DONE: "○", WRONG: "✘"}
COLOUR = {RIGHT: "#1b7837", NOT_DONE: "#5c5c5c", WRONG: "#b35806"}
NOT_DONE_TEXT = "Write your answer in the cell of the exercise, run it, then run this cell again."
REFERENCE = "Until then, what follows uses the reference solution."
OURS = "This is what the course handed out in place of your answer: run the cell of the exercise, then this one."
NO_REFERENCE = "There is no reference solution here: what follows needs your answer."
NEEDED = "Exercise {id} is not finished yet, and this cell needs it. Go back to it, then run tp.check again."
NOT_CALLABLE = ("a function or a class", "it has been replaced by something else: run the cell of the exercise again")
MISCALLED = "it could not be called or used as the exercise says: compare names, order and number of its arguments"
CRASHED = "it stopped with an error: put the failing line in a cell of its own and look at the shapes it meets"
UNKNOWN = "there is no exercise {id!r}; the exercises of TP {tp} are {ids}"


class Unfinished(Exception):
    """An unfinished exercise was used where no reference solution is at hand."""

    def _render_traceback_(self):  # IPython shows these lines in place of a traceback
        return [str(self)]


class WrongAnswer(Unfinished):
    """A wrong or missing answer under TP_STRICT=1 or nbgrader."""


@dataclass
class Report:
    """What a check found. Shows itself as text and as HTML."""

    exercise: str
    verdict: str
    expected: str = ""
    found: str = ""
    hint: str = ""
    follows: str = ""

    def lines(self):
        """(label, text) pairs, the empty ones left out."""
        rows = (("expected", self.expected), ("found", self.found), ("hint", self.hint), ("", self.follows))
        return [(label, text) for label, text in rows if text]

    def __str__(self):
        head = f"{SIGN[self.verdict]} Exercise {self.exercise}: {self.verdict}"
        return "\n".join([head, *(f"  {label + ': ' if label else ''}{text}" for label, text in self.lines())])

    def _repr_html_(self):
        colour = COLOUR[self.verdict]
        rows = "".join(f"<div style='margin-top:3px'><b>{label}</b> {html.escape(text)}</div>"
                       for label, text in self.lines())
        return (f"<div style='border-left:5px solid {colour};padding:4px 12px;margin:4px 0'>"
                f"<b style='color:{colour}'>{SIGN[self.verdict]} Exercise {self.exercise}: {self.verdict}</b>"
                f"{rows}</div>")


def check(exercise, answer):
    """Check an answer, show the report, and return a function or class that works.

    exercise:  its id, e.g. "8.1"
    answer:    the student's function or class

    Returns `answer` if it is right, otherwise the reference solution; without one, a stand-in that raises
    Unfinished when it is used. Raises WrongAnswer under TP_STRICT=1 or nbgrader unless the answer is right,
    ValueError for an unknown exercise.
    """
    exercise = str(exercise)
    if ours := any(answer is given for given in _handed_out):  # the cell of the check was run a second time
        report = Report(exercise, NOT_DONE, hint=OURS)
    else:
        report = judge(exercise, answer)
    if report.verdict == RIGHT:
        show(report)
        return answer
    if os.environ.get("TP_STRICT") == "1" or "NBGRADER_EXECUTION" in os.environ:
        raise WrongAnswer(str(report))
    solution = reference(exercise)
    report.follows = REFERENCE if solution else NO_REFERENCE
    show(report)
    if not ours:
        _handed_out.append(solution or stand_in(exercise))
    return answer if ours else _handed_out[-1]


_handed_out = []  # references and stand-ins: not the student's answers
_tries = {}  # exercise -> (the mistake, how often it was seen in a row)


def judge(exercise, answer):
    """Run the check of an exercise on an answer; returns the Report. No wrong answer makes it raise."""
    run, recipe = find_check(exercise)
    try:
        if not callable(answer):
            raise Wrong(NOT_CALLABLE[0], type(answer).__name__, NOT_CALLABLE[1])
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.enable_grad():
            torch.manual_seed(0)
            run(answer)
    except Wrong as wrong:
        return report_of(exercise, with_recipe(wrong, recipe))
    except NotImplementedError as error:
        if not str(error) or str(error).startswith("Exercise"):
            return Report(exercise, NOT_DONE, hint=NOT_DONE_TEXT)
        return report_of(exercise, with_recipe(crash(error), recipe))
    except (Exception, SystemExit) as error:  # whatever the student's code may do
        return report_of(exercise, with_recipe(crash(error), recipe))
    _tries.pop(exercise, None)
    return Report(exercise, RIGHT)


def find_check(exercise):
    """(the check of an exercise, its recipe or None). Raises ValueError for an unknown exercise."""
    number = str(exercise).split(".")[0]
    try:
        module = import_module(f"{__name__}.tp{int(number):02d}")
    except (ValueError, ModuleNotFoundError):
        raise ValueError(UNKNOWN.format(id=exercise, tp=number, ids="none")) from None
    name = f"check_{exercise.replace('.', '_')}"
    if not hasattr(module, name):
        raise ValueError(UNKNOWN.format(id=exercise, tp=number, ids=", ".join(exercises(module))))
    return getattr(module, name), getattr(module, "RECIPE", {}).get(exercise)


def exercises(module):
    """The ids of a module's exercises, in order."""
    names = [name for name in vars(module) if re.fullmatch(r"check_\d+_\d+", name)]
    ids = [name.removeprefix("check_").replace("_", ".") for name in names]
    return sorted(ids, key=lambda id: [int(part) for part in id.split(".")])


def with_recipe(wrong, recipe):
    """The mistake, with what the exercise asks for as its last hint."""
    hints = dict.fromkeys([*wrong.hints, *([recipe] if recipe else [])])
    return Wrong(wrong.expected, wrong.found, *hints)


def report_of(exercise, wrong):
    """The Report of a mistake; the same mistake made again gets its next hint."""
    seen, times = _tries.get(exercise, (None, 0))
    times = times + 1 if seen == wrong.hints[:1] else 0
    _tries[exercise] = (wrong.hints[:1], times)
    hint = wrong.hints[min(times, len(wrong.hints) - 1)] if wrong.hints else ""
    return Report(exercise, WRONG, wrong.expected, wrong.found, hint)


def crash(error):
    """The mistake that an exception in the student's code amounts to."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line for frame in frames if frame.line and ("ipykernel" in frame.filename or "<" in frame.filename)]
    at = f", at the line: {lines[-1]}" if lines else ""
    return Wrong("a result", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}{at}",
                 *((MISCALLED, CRASHED) if isinstance(error, TypeError) else (CRASHED,)))


# ---- the reference solutions


def reference(exercise):
    """The solution of an exercise from the solution notebook; None where solutions/ is not there."""
    return solutions(int(exercise.split(".")[0])).get(exercise)


@lru_cache
def solutions(number):
    """{exercise id: solution} of one practical: its exercises and its cells tagged `setup` or `define`, executed."""
    space, found = {"__name__": "solutions"}, {}
    _defined[number] = space
    for path in SOLUTIONS.glob(f"tp{number:02d}_*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            id = cell["metadata"].get("exercise")
            if id or {"setup", "define"}.intersection(cell["metadata"].get("tags", ())):
                source = "".join(cell["source"])
                name = f"<solution {id or cell.get('id', 'setup')} of TP {number}>"
                linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name  # for code_of
                exec(compile(source, name, "exec"), space)
            if id:
                found[id] = space[defined_name(source)]
    return found


def definitions(number):
    """{name: value}: all that one practical's exercises and its cells tagged `setup` or `define` define."""
    return _defined[number] if solutions(number) else {}


_defined = {}  # number of a practical -> what its cells define


def defined_name(source):
    """The name of the function or class that an exercise's cell defines."""
    return next(node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef))


def stand_in(exercise):
    """What an unfinished exercise becomes without solutions: using it raises one short error."""
    def unfinished(*args, **kwargs):
        raise Unfinished(NEEDED.format(id=exercise))

    return unfinished
