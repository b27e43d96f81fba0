"""The house: imports run one way and stay light, rooms stay small, a name means one thing."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
HOUSE = REPOSITORY / "tp_utils"
MODULES = sorted(HOUSE.rglob("*.py"))
ROOM, ENTRIES = 300, 16  # lines of a module, entries on the ground floor


# ---- imports run one way: the contracts of pyproject.toml


def lint(folder):
    """(exit status, report) of the contracts for the tp_utils in a folder."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": path, "COLUMNS": "120", "PYTHONUTF8": "1"})
    return done.returncode, done.stdout + done.stderr


def test_the_contracts_are_kept():
    status, report = lint(REPOSITORY)
    assert status == 0, report


ARROWS = [  # (module, what it must not import)
    ("runtime/files.py", "tp_utils.show"),
    ("training/loop.py", "tp_utils.measure"),
    ("measure/numbers.py", "tp_utils.practicals.tp07"),
    ("show/table.py", "tp_utils.checks"),
    ("data/places.py", "tp_utils.authoring.build"),
    ("practicals/tp07.py", "tp_utils.practicals.tp08"),
    ("practicals/tp07.py", "tp_utils.checks.tp07.common"),
    ("checks/tp07/common.py", "tp_utils.practicals.tp07"),
    ("checks/tp07/common.py", "tp_utils.checks.tp08.common"),
    ("checks/kit/compare.py", "tp_utils.checks.tp07.common"),
    ("data/imageset.py", "tp_utils.data.places"),  # which imports imageset: a circle
    ("attic.py", "torch"),  # on no floor
]


@pytest.fixture(scope="module")
def another_house(tmp_path_factory):
    """A copy of tp_utils and of its contracts."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(HOUSE, folder / "tp_utils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(("module", "imported"), ARROWS)
def test_an_arrow_that_must_not_be_is_found(another_house, module, imported):
    path = another_house / "tp_utils" / module
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\nimport {imported}\n", encoding="utf-8")
    status, report = lint(another_house)
    path.unlink() if before is None else path.write_text(before, encoding="utf-8")
    assert status == 1
    assert re.search(rf"\b{path.stem}\b", report), report


# ---- imports stay light


HEAVY = ("torchvision", "sklearn", "skimage", "IPython", "ipywidgets", "matplotlib", "pandas", "scipy")


@pytest.mark.parametrize("code", [
    "import tp_utils as tp",
    "import tp_utils as tp; tp.data.mnist()",
    "import tp_utils as tp; tp.nets.state_dict('squeezenet1_1')",
])
def test_imports_stay_light(code):
    code += f"; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                         env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_importing_tp_utils_alone_does_not_even_load_torch():
    code = "import sys, tp_utils; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                         env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert done.stdout == "False False\n", done.stderr


# ---- rooms


def test_the_ground_floor_has_few_doors():
    entries = [path.name for path in HOUSE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert len(entries) <= ENTRIES, sorted(entries)


@pytest.mark.parametrize("folder", ("tp_utils", "tests"))
def test_no_room_outgrows_itself(folder):
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (REPOSITORY / folder).rglob("*.py")}
    large = [f"{path.relative_to(REPOSITORY)}: {lines}" for path, lines in sorted(sizes.items()) if lines > ROOM]
    assert not large, "\n".join([f"of more than {ROOM} lines:", *large])


# ---- names


def definitions(path):
    """The names of the functions and classes on a module's top level."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return [node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]


def test_a_name_means_one_thing():
    """Checks of a practical are left out: that they say the same words for other exercises is their purpose."""
    meanings = defaultdict(list)
    for path in MODULES:
        place = path.relative_to(HOUSE).as_posix()
        if not re.match(r"checks/tp\d\d", place):
            for name in definitions(path):
                meanings[name].append(place)
    doubled = [f"{name}: {', '.join(places)}" for name, places in sorted(meanings.items()) if len(places) > 1]
    assert not doubled, "\n".join(["defined more than once:", *doubled])
