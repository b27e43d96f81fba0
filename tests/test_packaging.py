"""What is declared, what is pinned and what `make` does with it agree."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tp_utils import doctor

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
CONSTRAINTS = (REPOSITORY / "constraints.txt").read_text()
PINS = {canonicalize_name(name): version for name, version in doctor.pins().items()}
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = [Requirement(line) for line in [*PROJECT["dependencies"], *EXTRAS["lab"], *EXTRAS["dev"]]]
OF_TORCH = re.compile("nvidia-|cuda-|triton|setuptools")  # torch's own, per platform: see constraints.txt


# ---- versions


@pytest.mark.parametrize("requirement", [r for r in DECLARED if r.name != PROJECT["name"]], ids=str)
def test_every_declared_package_has_a_pin_that_fits(requirement):
    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_constraints_are_plain_pins():
    lines = [line for line in CONSTRAINTS.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert len(lines) == len(PINS)
    assert not [name for name in PINS if OF_TORCH.match(name)]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems add small packages of their own")
def test_whatever_is_installed_for_the_course_is_pinned():
    todo, needed = list(DECLARED), set()
    while todo:
        requirement = todo.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if key in needed or requirement.name == PROJECT["name"] or OF_TORCH.match(key[0]):
            continue
        needed.add(key)
        for line in metadata.requires(requirement.name) or []:
            inner = Requirement(line)
            if not inner.marker or any(inner.marker.evaluate({"extra": e}) for e in requirement.extras or {""}):
                todo.append(inner)
    names = {name for name, _ in needed}
    assert not names - set(PINS), "without a pin"
    if sys.version_info[:2] == (3, 11):  # the Python they were taken from; others need a few less
        assert not set(PINS) - names, "pinned, but no longer needed"


def test_no_pin_refuses_the_oldest_python():
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    for package in metadata.distributions():
        if PINS.get(canonicalize_name(package.name)) == package.version:
            assert SpecifierSet(package.metadata.get("Requires-Python") or "").contains(oldest), package.name


def test_conda_users_get_the_same_versions():
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
    python, pip, by_pip = environment["dependencies"]
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python="))
    assert pip == "pip"
    assert by_pip == {"pip": ["-c constraints.txt", "-e .[lab]"]}


def test_doctor_has_a_tested_version_for_each_package():
    assert set(doctor.requested()) <= set(doctor.pins())


def test_pre_commit_asks_the_ruff_that_is_pinned():
    (ruff,) = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    assert ruff["repo"].endswith("/ruff-pre-commit") and ruff["rev"] == f"v{PINS['ruff']}"


# ---- make, with a Python that only writes down what it is asked

make = pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
PRETENDER = """#!/bin/sh
echo "$@" >> "{log}"
case "$*" in
  *version_info*) exit {old} ;;
  *ensurepip*) exit {bare} ;;
  "-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
esac
"""


class Course:
    """A folder with the Makefile and a pretended Python."""

    def __init__(self, folder, old=0, bare=0):
        self.folder, self.log = folder, folder.parent / "log"
        folder.mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(REPOSITORY / name, folder)
        self.python = folder.parent / "python"
        self.python.write_text(PRETENDER.format(log=self.log, old=old, bare=bare))
        self.python.chmod(0o755)

    def make(self, *arguments):
        """(what Python was asked to do, the finished process)."""
        self.log.write_text("")
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "TP", "PORT", "IP")}
        done = subprocess.run(["make", f"PYTHON={self.python}", *arguments], cwd=self.folder, env=environment,
                              capture_output=True, text=True, timeout=60)
        asked = [line for line in self.log.read_text().splitlines() if re.match("-m (?!venv)", line)]
        return asked, done


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path / "a folder")


def installs(asked):
    return [re.search(r"\.\[(\w+)\]", line)[1] for line in asked if line.startswith("-m pip install")]


@make
def test_make_installs_once(course):
    asked, _ = course.make("lab", "PIP_FLAGS=--no-cache-dir")
    assert len(asked) == 2
    assert asked[0] == "-m pip install --disable-pip-version-check --no-cache-dir -e .[lab] -c constraints.txt"
    assert asked[1] == "-m tp_utils lab --port 8888 --ip 127.0.0.1"
    assert course.make("lab", "PORT=9000")[0] == ["-m tp_utils lab --port 9000 --ip 127.0.0.1"]
    assert installs(course.make("test")[0]) == ["dev"]
    assert installs(course.make("test", "lab", "run", "outputs", "notebooks", "bench")[0]) == []


@make
@pytest.mark.parametrize("name", ("pyproject.toml", "constraints.txt"))
def test_make_installs_again_when_the_versions_change(course, name):
    course.make("lab")
    later = (course.folder / ".venv" / ".lab").stat().st_mtime + 10
    os.utime(course.folder / name, (later, later))
    assert installs(course.make("lab")[0]) == ["lab"]


@make
def test_make_installs_again_in_a_folder_that_was_moved(course):
    course.make("test")
    course.folder = course.folder.rename(course.folder.with_name("elsewhere"))
    assert installs(course.make("lab")[0]) == ["lab"]
    assert installs(course.make("lab")[0]) == []


@make
def test_make_replaces_an_environment_whose_python_is_gone(course):
    course.make("lab")
    (course.folder / ".venv" / "bin" / "python").unlink()
    assert installs(course.make("lab")[0]) == ["lab"]


@make
@pytest.mark.parametrize("lack, words", (({"old": 1}, "3.11 or newer"), ({"bare": 1}, "python3-venv")))
def test_make_says_what_is_wrong_with_python(tmp_path, lack, words):
    asked, done = Course(tmp_path / "course", **lack).make("lab")
    assert done.returncode != 0 and words in done.stderr
    assert asked == []


@make
def test_make_passes_the_practical_and_the_failure_on(course):
    course.make("lab")
    assert course.make("run", "TP=tp08")[0] == ["-m tp_utils run tp08"]
    (course.folder / ".venv" / "bin" / "python").write_text('#!/bin/sh\n[ "$1" = --version ]\n')
    assert course.make("run")[1].returncode != 0


@make
def test_make_alone_lists_its_targets(course):
    asked, done = course.make()
    assert asked == []
    for target in ("lab", "test", "run", "notebooks", "outputs", "bench", "clean"):
        assert f"make {target} " in done.stdout


@make
def test_make_clean_leaves_work_and_environment(course):
    kept = [course.folder / name for name in (".venv/__pycache__/x", "data/cache/x", "notebooks/x.ipynb")]
    gone = [course.folder / name for name in ("build/x", "tp_utils/__pycache__/x", ".ruff_cache/x")]
    for path in kept + gone:
        path.parent.mkdir(parents=True)
        path.touch()
    course.make("clean")
    assert all(path.exists() for path in kept) and not any(path.exists() for path in gone)


def test_requires_python_is_what_make_asks_for():
    major, minor = re.search(r"version_info < \((\d+), (\d+)\)", (REPOSITORY / "Makefile").read_text()).groups()
    assert PROJECT["requires-python"] == f">={major}.{minor}"


# ---- continuous integration


def test_the_ci_script_stops_at_failures():
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
    assert subprocess.run(["bash", "-n", script], timeout=60).returncode == 0
