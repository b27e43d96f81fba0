"""Text is UTF-8, whatever the locale: every file that is read or written says so, and any terminal shows something."""

import io
import os
import shutil
import subprocess
import sys

import pytest
from conftest import REPOSITORY

from tp_utils.checks import RIGHT, Report
from tp_utils.runtime import say, show

# Everything that reads or writes text, once; a file that is opened without its encoding is an error in our modules.
ROUND = """
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("error", category=EncodingWarning, module="tp_utils")
folder = Path(sys.argv[1])

import tp_utils as tp
from tp_utils import __main__, runtime
from tp_utils.authoring import build, readme
from tp_utils.data import fetch
from tp_utils.runtime import measurements

tp.check("7.3", lambda images: 1 / 0)
tp.check("7.3", lambda images: images.expand(-1, 3, -1, -1))
build.SOLUTIONS, build.NOTEBOOKS = folder / "solutions", folder / "notebooks"
assert len(build.write_notebooks("tp07")) == 2 and readme.measured_table()
(folder / "a.npz").write_bytes(b"")
fetch.write_sums(folder, ["a.npz"])
assert list(fetch.sums(str(folder))) == ["a.npz"]
assert runtime.results("tp08")
measurements.ROOT = folder
runtime.save_results("new", {"né": 1}, "a command")
assert runtime.results("new")["né"] == 1
sys.exit(__main__.main(["doctor"]))
"""


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252", "gbk"])
def test_a_terminal_shows_what_it_can(encoding, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    show(Report("7.3", RIGHT))
    say("x̃ ≥ 0: done")
    shown = terminal.buffer.getvalue().decode(encoding)
    assert " Exercise 7.3: right" in shown and "done" in shown and ("✔" in shown) == (encoding == "utf-8")


@pytest.mark.parametrize(("encoding", "marks"), [("utf-8", "✘✔"), ("cp1252", "??")])
def test_any_locale_and_terminal(encoding, marks, tmp_path):
    for folder in ("solutions", "notebooks"):
        (tmp_path / folder).mkdir()
    for path in (REPOSITORY / "solutions").glob("tp07*"):
        shutil.copy(path, tmp_path / "solutions")
    script = tmp_path / "round.py"
    script.write_text(ROUND, encoding="utf-8")
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", script, tmp_path], capture_output=True, timeout=120,
        env={**os.environ, **locale, "PYTHONPATH": str(REPOSITORY), "TP_RESULTS": "1", "TP_PROFILE": "cpu"})
    said = done.stdout.decode(encoding)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:] + said
    assert f"{marks[0]} Exercise 7.3: wrong" in said and f"{marks[1]} Exercise 7.3: right" in said
    assert "Saved results" in said and "BROKEN" not in said
