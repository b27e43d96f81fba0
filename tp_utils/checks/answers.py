"""The reference solutions: read from the solution notebooks and executed, never imported."""

import ast
import functools
import json
import linecache
from types import FunctionType

from ..runtime import ROOT, say
from .report import Unfinished

SOLUTIONS = ROOT / "solutions"
EXECUTED = {"setup", "define"}  # the tags of the cells that are executed besides the exercises

# What is said to the reader.
NEEDED = "Exercise {id} is not finished yet, and this cell needs it. Go back to it, then run tp.check again."
NOT_YOURS = "{name} is the reference solution of exercise {id} here, not your answer; yours is {name}.yours"
IN_REPR = "{name} (the reference solution of exercise {id})"
STAND_IN = "unfinished (there is no reference solution of exercise {id} here)"


def reference(exercise):
    """The solution of an exercise from the solution notebook; None where solutions/ is not there."""
    return solutions(int(exercise.split(".")[0])).get(exercise)


def solutions(number):
    """{exercise id: solution} of one practical; {} where solutions/ is not there."""
    return executed(number)[1]


def definitions(number):
    """{name: value}: all that one practical's exercises and its cells tagged `setup` or `define` define."""
    return executed(number)[0]


@functools.cache
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


def handed_out(exercise, yours):
    """What an exercise becomes as long as the answer is not right: the reference, which says that it is not yours.

    It says so in its repr, in its help, and at its first call. A class is a subclass of the reference, for the rest as
    good as it. The key of a run sees the reference itself (runtime/keys.py). Without solutions/, using it raises one
    short error.

    yours:  the answer that is not right; kept as its attribute `yours`
    """
    solution = reference(exercise)
    if solution is None:
        given = stand_in(exercise)
    else:
        line = NOT_YOURS.format(name=solution.__name__, id=exercise)
        given = (announcing_class if isinstance(solution, type) else announcing)(line, solution)
        given.__qualname__ = IN_REPR.format(name=solution.__name__, id=exercise)
        given.__doc__ = f"{line}\n\n{solution.__doc__}"
        given.__stands_for__ = given, solution
    given.yours = yours
    return given


def is_handed_out(answer):
    """True for what handed_out returned."""
    return isinstance(answer, FunctionType | type) and "yours" in vars(answer)


def announcing(line, function):
    """The function, but it says a line at its first call."""
    say_once = functools.cache(functools.partial(say, line))

    @functools.wraps(function)
    def reference_solution(*args, **kwargs):
        say_once()
        return function(*args, **kwargs)

    return reference_solution


def announcing_class(line, kind):
    """A subclass that says a line when its first instance is made, for the rest the class."""
    return type(kind.__name__, (kind,), {"__init__": announcing(line, kind.__init__), "__module__": kind.__module__})


def stand_in(exercise):
    """What an unfinished exercise becomes without solutions: using it raises one short error."""
    def unfinished(*args, **kwargs):
        raise Unfinished(NEEDED.format(id=exercise))

    unfinished.__qualname__ = STAND_IN.format(id=exercise)
    return unfinished
