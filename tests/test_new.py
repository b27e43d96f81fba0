"""`python -m tp_utils new 15 image_means` in a copy of the course: what it writes works as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tp_utils import __main__ as cli
from tp_utils.authoring import new

REPOSITORY = Path(__file__).resolve().parent.parent
HIDDEN = shutil.ignore_patterns("__pycache__", ".*", "cache")
WRITTEN = ["solutions/tp15_image_means.py", "tp_utils/practicals/tp15.py", "tp_utils/checks/tp15/__init__.py",
           "tests/mutants/tp15.py", "solutions/tp15_image_means.ipynb", "notebooks/tp15_image_means.ipynb"]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course with the new practical; runs Python there: course(*arguments) → the finished process."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("tp_utils", "solutions", "notebooks", "tests", "results", "docs"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=HIDDEN)
    for name in ("README.md", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / "data").symlink_to(REPOSITORY / "data")

    def python(*arguments):
        path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": path, "TP_PROFILE": "smoke", "TP_CACHE": str(folder / "cache"),
                       "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True,
                              text=True, timeout=300)

    python.folder = folder
    done = python("-m", "tp_utils", "new", "15", "image_means")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == [str(Path(file)) for file in WRITTEN]
    return python


def test_its_files_follow_the_rules_of_style(course):
    done = course("-m", "ruff", "check", *(file for file in WRITTEN if file.endswith(".py")))
    assert done.returncode == 0, done.stdout
    for file in WRITTEN:
        assert "$" not in (course.folder / file).read_text(encoding="utf-8")


def test_its_notebooks_and_its_check_pass_the_tests_of_every_practical(course):
    done = course("-m", "pytest", "-c", "pyproject.toml", "-q", "-p", "no:cacheprovider", "tests/test_checks.py",
                  "tests/test_notebooks.py", "tests/test_exercises.py", "-k", "tp15 or 15.1 or mean_image")
    assert done.returncode == 0, done.stdout
    assert " skipped" not in done.stdout


def test_its_solution_runs_and_the_students_exercise_has_a_hole(course):
    done = course("-m", "tp_utils", "run", "tp15")
    assert done.returncode == 0, done.stdout
    student = nbformat.read(course.folder / "notebooks/tp15_image_means.ipynb", 4)
    (exercise,) = (cell.source for cell in student.cells if "exercise" in cell.metadata)
    assert 'raise NotImplementedError("Exercise 15.1")' in exercise and "mean(" not in exercise


def test_it_is_found_by_name_and_built_again_with_the_readme(course):
    assert course("-c", "import tp_utils as tp; tp.tp15.class_means_figure").returncode == 0
    done = course("-m", "tp_utils", "build", "tp15")
    assert done.returncode == 0, done.stderr
    assert {str(Path("notebooks/tp15_image_means.ipynb")), "README.md"} < set(done.stdout.splitlines())


# ---- what it refuses


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """No practical but a stray file of TP 15's tests."""
    monkeypatch.setattr(new, "ROOT", tmp_path)
    (tmp_path / "tests" / "mutants").mkdir(parents=True)
    (tmp_path / "tests" / "mutants" / "tp15.py").touch()
    return tmp_path


@pytest.mark.parametrize(("number", "subject", "words"), [
    ("7", "cats", "there is a TP 7 already: solutions/tp07_transfer_learning.ipynb"),
    ("0", "cats", "from 1 to 99, not 0"), ("100", "cats", "from 1 to 99, not 100"), ("-3", "cats", "from 1 to 99"),
    *[("15", subject, "lower-case words joined by _") for subject in
      ("Cats", "two words", "../cats", "cats_", "_cats", "c-a-t", "9lives", "chats_été", "", "cats.py", "cats\n")],
])
def test_what_cannot_be_made_is_one_line_and_nothing_is_written(number, subject, words, capsys):
    before = new.existing("tp15")
    arguments = ["new", "--", number, subject] if number.startswith("-") else ["new", number, subject]
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("tp_utils: ") and words in error
    assert new.existing("tp15") == before == []


def test_a_leftover_of_that_number_is_named_and_nothing_is_written(empty):
    with pytest.raises(ValueError, match=r"there is a TP 15 already: tests/mutants/tp15\.py"):
        new.new_practical(15, "cats")
    assert [path.name for path in empty.rglob("*.*")] == ["tp15.py"]
