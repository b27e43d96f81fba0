"""Results files: JSON that is read with care, and the files of cells that studies fill, several at once.

A cell is a dict: what was measured, on what, and how. `identity` names the entries that tell one cell from another,
e.g. ("row", "seed", "profile").
"""

import contextlib
import json
from pathlib import Path

from .atomic import replacing
from .files import in_words

# What is said to the reader.
DAMAGED = "{file} is damaged ({why}): put back the file that git or a copy holds, or move this one out of the way"
UNREADABLE = "{file} cannot be read ({why}): see whose it is"
UNWRITABLE = "{file} cannot be written ({why}): make room there, or write to another place"
NO_JSON, NO_DICT = "no JSON, {why}", "a JSON object is expected"
NO_CELLS = "its cells are to be a list of objects, each with {identity}"


class ResultsError(ValueError):
    """A results file cannot be used; the message says why and what to do. The file was left as it is."""


def read_results(file):
    """The JSON object in a results file, as a dict. Raises FileNotFoundError, ResultsError."""
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ResultsError(UNREADABLE.format(file=file, why=in_words(error))) from error
    except (ValueError, RecursionError) as error:
        raise ResultsError(DAMAGED.format(file=file, why=NO_JSON.format(why=error))) from error
    if not isinstance(found, dict):
        raise ResultsError(DAMAGED.format(file=file, why=NO_DICT))
    return found


def cells(file, identity):
    """The cells of a results file, a list of dicts; none if it is not there. Raises ResultsError."""
    try:
        found = read_results(file).get("cells")
    except FileNotFoundError:
        return []
    if not isinstance(found, list) or not all(is_cell(one, identity) for one in found):
        raise ResultsError(DAMAGED.format(file=file, why=NO_CELLS.format(identity=", ".join(identity))))
    return found


def is_cell(one, identity):
    return isinstance(one, dict) and all(isinstance(one.get(key), str | int | float) for key in identity)


def append_cell(cell, file, identity, **about):
    """Add a cell to a results file, in place of the same cell if a second study was quicker.

    about: what stands above the cells, e.g. protocol="…"; what else stands there stays

    A reader, and a second study, see it whole or not at all. Raises ResultsError; then the file is as it was.
    """
    def which(one):
        return tuple(one[key] for key in identity)

    with locked(file), replacing(file) as temporary:
        before = read_results(file) if Path(file).exists() else {}
        others = [other for other in cells(file, identity) if which(other) != which(cell)]
        every = sorted([*others, cell], key=lambda one: tuple(map(str, which(one))))
        lines = ",\n".join(json.dumps(each) for each in every)  # one cell, one line
        above = {key: value for key, value in {**before, **about}.items() if key != "cells"}
        head = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in above.items())
        temporary.write_text(f'{{{head}"cells": [\n{lines}\n]}}\n', encoding="utf-8")


@contextlib.contextmanager
def locked(file):
    """Of those who want to write a results file, one at a time: the lock lies beside it. Raises ResultsError."""
    from filelock import FileLock

    file = Path(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f".{file.name}.lock")):
            yield
    except OSError as error:
        raise ResultsError(UNWRITABLE.format(file=file, why=in_words(error))) from error
