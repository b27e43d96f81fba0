"""The reference solutions: read from the solution notebooks and executed, never imported."""

import ast
import json
import linecache
from functools import lru_cache

from ..runtime import ROOT
from .report import Unfinished

SOLUTIONS = ROOT / "solutions"
EXECUTED = {"setup", "define"}  # the tags of the cells that are executed besides the exercises

# What is said to the reader.
NEEDED = "Exercise {id} is not finished yet, and this cell needs it. Go back to it, then run tp.check again."


def reference(exercise):
    """The solution of an exercise from the solution notebook; None where solutions/ is not there."""
    return solutions(int(exercise.split(".")[0])).get(exercise)


def solutions(number):
    """{exercise id: solution} of one practical; {} where solutions/ is not there."""
    return executed(number)[1]


def definitions(number):
    """{name: value}: all that one practical's exercises and its cells tagged `setup` or `define` define."""
    return executed(number)[0]


@lru_cache
def executed(number):
    """({name: value}, {exercise id: solution}): the notebook's exercises and its cells tagged `setup` or `define`."""
    space, found = {"__name__": "solutions"}, {}
    for path in SOLUTIONS.glob(f"tp{number:02d}_*.ipynb"):
        for k, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            id = cell["metadata"].get("exercise")
            if id or EXECUTED.intersection(cell["metadata"].get("tags", ())):
                source = "".join(cell["source"])
                name = f"<solution {id or f'cell {k}'} of TP {number}>"
                linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name  # for code_of
                exec(compile(source, name, "exec"), space)
            if id:
                found[id] = space[defined_name(source)]
    return space, found


def defined_name(source):
    """The name of the function or class that an exercise's cell defines."""
    return next(node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef))


def stand_in(exercise):
    """What an unfinished exercise becomes without solutions: using it raises one short error."""
    def unfinished(*args, **kwargs):
        raise Unfinished(NEEDED.format(id=exercise))

    return unfinished
