"""A new practical: source, helper, check and mutants, with one exercise and one question that work."""

import re
from pathlib import Path
from string import Template

from ..runtime import ROOT
from .build import write_notebooks

TEMPLATES = Path(__file__).parent / "templates"
FILES = {  # template -> the file that it becomes
    "solution.py.txt": "solutions/{name}_{subject}.py",
    "helper.py.txt": "tp_utils/practicals/{name}.py",
    "check.py.txt": "tp_utils/checks/{name}/__init__.py",
    "mutants.py.txt": "tests/mutants/{name}.py",
}

# What is said to the author.
NOT_A_NUMBER = "the number of a practical is from 1 to 99, not {number}"
NOT_A_SUBJECT = "a subject is lower-case words joined by _, such as residual_networks, not {subject!r}"
TAKEN = "there is a TP {number} already: {found}"


def new_practical(number, subject):
    """Write the files of practical `number` and its two notebooks; returns their paths.

    number:   from 1 to 99;  subject: words for file names, e.g. "residual_networks"

    Raises ValueError for another number or subject, and where anything of a practical of that number is there; then
    nothing is written.
    """
    if not 1 <= number <= 99:
        raise ValueError(NOT_A_NUMBER.format(number=number))
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", subject):
        raise ValueError(NOT_A_SUBJECT.format(subject=subject))
    name = f"tp{number:02d}"
    if found := existing(name):
        raise ValueError(TAKEN.format(number=number, found=", ".join(found)))
    words = {"number": number, "name": name, "title": subject.replace("_", " ").capitalize()}
    written = []
    for template, file in FILES.items():
        path = ROOT / file.format(name=name, subject=subject)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(words), encoding="utf-8", newline="\n")
        written.append(path)
    return [*written, *write_notebooks(name)]


def existing(name):
    """What there is of a practical: paths from the root, as text."""
    folders = ("solutions", "notebooks", "tp_utils/practicals", "tp_utils/checks", "tests/mutants")
    paths = [path for folder in folders for pattern in (name, f"{name}.py", f"{name}_*")
             for path in sorted((ROOT / folder).glob(pattern))]
    return [path.relative_to(ROOT).as_posix() for path in paths]
