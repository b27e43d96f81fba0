"""nbval_plugin over tiny notebooks: one run of pytest on two workers, then a look at what it said of each."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat.v4
import pytest

TESTS = Path(__file__).resolve().parent
SKIP = {"tags": ["nbval-skip"]}
RAISES = {"tags": ["raises-exception"]}

NETWORK = """
import socket, time
def attempt(function, *arguments):
    start = time.monotonic()
    try:
        function(*arguments)
    except OSError as error:
        assert "network blocked in tests" in str(error), error
        assert time.monotonic() - start < 1
    else:
        raise AssertionError("not blocked")
"""
LOOPBACK = """
server = socket.create_server(("127.0.0.1", 0))
with socket.create_connection(("localhost", server.getsockname()[1]), timeout=5):
    pass
"""
REQUESTS = """
import requests
try:
    requests.get("https://example.org", timeout=5)
except requests.ConnectionError:
    pass
"""
ENVIRONMENT = """
import os
assert os.environ["TP_PROFILE"] == "smoke"
assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
assert not {"TP_RESULTS", "TP_STRICT"} & set(os.environ)
assert os.environ["MPLBACKEND"] != "agg"  # ipykernel's own
assert os.environ["TP_MIRROR"] == "somewhere"
import tp_utils
from pathlib import Path
Path(os.environ["TP_CACHE"], "seen-by-" + Path.cwd().name).touch()
"""

NOTEBOOKS = {  # name -> cells: source, or (source, metadata)
    "passing": ["a = 1", "assert a == 1"],
    "failing": ["a = 1", "assert a == 2"],
    "dying": ["import os", "os._exit(3)", "print('never')", "1"],
    "empty": [],
    "only-comments": ["# nothing yet"],
    "all-skipped": [("1", {**SKIP, "skip_reason": "no reason to run"})],
    "skipped": ["1", ("1 / 0", {**SKIP, "skip_reason": "division is broken"})],
    "skipped-by-comment": ["1", "# NBVAL_SKIP\n1 / 0"],
    "skipped-without-reason": ["1", ("1 / 0", SKIP)],
    "raising": [("1 / 0", RAISES)],
    "not-raising": [("1 / 1", RAISES)],
    "shell": ["!exit 3"],
    "shell-output": ["lines = !exit 3"],
    "nothing-to-check": ["# NBVAL_CHECK_OUTPUT\nprint(1)"],
    "hanging": ["1", "import time\ntime.sleep(60)", "1"],
    "network": [NETWORK, "attempt(socket.create_connection, ('192.0.2.1', 80))",
                "attempt(socket.socket().connect_ex, ('192.0.2.1', 80))",
                "attempt(socket.getaddrinfo, 'example.org', 80)", LOOPBACK, REQUESTS],
    "environment": [ENVIRONMENT],
    "solutions/strict": ["import os\nassert os.environ['TP_STRICT'] == '1'"],
}


def write(path, cells):
    cells = [cell if isinstance(cell, tuple) else (cell, {}) for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_code_cell(source.strip(), metadata=metadata) for source, metadata in cells])
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def run_pytest(folder, *arguments, **environment):
    """(output, {notebook: {item: (verdict, message)}}, {notebook: seconds}) of pytest over a folder of notebooks."""
    env = {name: value for name, value in os.environ.items() if name != "TP_CACHE"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", str(TESTS / "pytest.ini"), f"--rootdir={folder}", ".", "--color=no",
         "--junitxml=report.xml", "--nbval-cell-timeout=8", *arguments],
        cwd=folder, env={**env, "MPLBACKEND": "agg", "TP_RESULTS": "1", "TP_MIRROR": "somewhere", **environment},
        capture_output=True, text=True, timeout=120)
    verdicts, seconds = {}, {}
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        name = case.get("classname").removesuffix(".ipynb").replace(".", "/")
        outcome = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        verdicts.setdefault(name, {})[case.get("name")] = (
            ("passed", "") if outcome is None else (outcome.tag, f"{outcome.get('message')}\n{outcome.text}"))
        seconds[name] = seconds.get(name, 0) + float(case.get("time"))
    return done.stdout + done.stderr, verdicts, seconds


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    for name, cells in NOTEBOOKS.items():
        write(folder / f"{name}.ipynb", cells)
    return run_pytest(folder, "-n", "2", "--dist", "loadscope")


def failures(report, notebook):
    verdicts = report[1][notebook]
    return {item: message for item, (verdict, message) in verdicts.items() if verdict in ("failure", "error")}


@pytest.mark.parametrize("notebook", ["passing", "raising", "skipped", "network", "environment", "solutions/strict"])
def test_a_good_notebook_passes(report, notebook):
    assert failures(report, notebook) == {}
    assert report[1][notebook]["ran"] == ("passed", "")


@pytest.mark.parametrize(("notebook", "item", "message"), [
    ("failing", "Cell 1", "AssertionError"),
    ("dying", "Cell 1", "the kernel died (exit status 3)"),
    ("empty", "ran", "no code of this notebook ran"),
    ("only-comments", "ran", "no code of this notebook ran"),
    ("all-skipped", "ran", "no code of this notebook ran"),
    ("skipped-by-comment", "rules", "Cell 1: this cell is skipped: say why"),
    ("skipped-without-reason", "rules", "Cell 1: this cell is skipped: say why"),
    ("not-raising", "Cell 0", "tagged raises-exception, and raised none"),
    ("shell", "rules", "its exit status goes unnoticed"),
    ("shell-output", "rules", "its exit status goes unnoticed"),
    ("nothing-to-check", "rules", "checks nothing here"),
    ("hanging", "Cell 1", "Timeout of 8 seconds"),
])
def test_what_is_wrong_with_a_notebook_fails_it_and_is_named(report, notebook, item, message):
    found = failures(report, notebook)
    assert list(found) == [item]
    assert message in found[item]


def test_every_notebook_has_its_verdict(report):
    assert set(report[1]) == set(NOTEBOOKS)


@pytest.mark.parametrize(("notebook", "why"), [("dying", "the kernel died"), ("hanging", "the time was up")])
def test_after_that_the_rest_of_the_notebook_is_not_tried(report, notebook, why):
    verdict, message = report[1][notebook]["Cell 2"]
    assert verdict == "skipped"
    assert f"not tried: {why} in an earlier cell" in message


def test_a_dead_kernel_is_reported_within_seconds(tmp_path):
    write(tmp_path / "dying.ipynb", NOTEBOOKS["dying"])
    output, verdicts, seconds = run_pytest(tmp_path, "--nbval-cell-timeout=100")
    assert verdicts["dying"]["Cell 1"][0] == "failure"
    assert seconds["dying"] < 15
    assert "1 failed" in output


def test_the_reason_of_a_skipped_cell_is_reported(report):
    assert report[1]["skipped"]["Cell 1"][0] == "skipped"
    assert "skipped.ipynb: division is broken" in report[0]


def test_the_report_ends_with_seconds_and_cells_of_each_notebook(report):
    lines = report[0].split("= notebooks =")[1].splitlines()
    said = {words[-1]: words for words in map(str.split, lines) if words and words[-1].endswith(".ipynb")}
    assert said["passing.ipynb"][1:] == ["s", "2", "cells", "passing.ipynb"]
    assert float(said["passing.ipynb"][0]) > 0
    assert said["skipped.ipynb"][2] == "1"
    assert said["dying.ipynb"][2] == "2"


def test_the_callers_cache_is_used_and_kept(tmp_path):
    write(tmp_path / "notebooks" / "environment.ipynb", NOTEBOOKS["environment"])
    cache = tmp_path / "cache"
    cache.mkdir()
    _, verdicts, _ = run_pytest(tmp_path / "notebooks", TP_CACHE=str(cache))
    assert verdicts["environment"]["Cell 0"] == ("passed", "")
    assert [path.name for path in cache.iterdir()] == ["seen-by-notebooks"]
