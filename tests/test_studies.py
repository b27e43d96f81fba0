"""Results files that several studies fill at once; damaged ones are named, and left as they are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sets import names

from tp_utils import __main__ as cli
from tp_utils import runtime
from tp_utils.authoring import readme, study
from tp_utils.runtime import ResultsError, append_cell, cells, results

REPOSITORY = Path(__file__).resolve().parent.parent
IDENTITY = ("row", "seed")
DAMAGED = {
    "empty": b"", "truncated": b'{"cells": [\n{"row": "a", "seed": 0},\n{"row": "b", "se', "no JSON": b"<html>",
    "no text": bytes(range(128, 256)), "a list": b"[1, 2]", "a number": b"3", "no cells": b'{"protocol": "x"}',
    "cells of another shape": b'{"cells": {"a": 1}}', "a cell that is none": b'{"cells": [1]}',
    "a cell without its seed": b'{"cells": [{"row": "a"}]}', "nested without end": b"[" * 100_000,
    "a row that is a list": b'{"cells": [{"row": [], "seed": 0}]}',
}
damaged = pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "results" / "study.json"


def a_cell(row="a", seed=0, **more):
    return {"row": row, "seed": seed, "accuracy": 0.5, **more}


def sentence(caught, file):
    """What a ResultsError says: one line that names the file and what to do."""
    message = str(caught.value)
    assert str(file) in message and "\n" not in message and len(message) < 400
    return message


# ---- cells


def test_cells_are_appended_in_order_one_a_line(file):
    assert cells(file, IDENTITY) == []
    for row, seed in (("b", 0), ("a", 1), ("a", 0)):
        append_cell(a_cell(row, seed), file, IDENTITY, protocol="five epochs")
    assert [(one["row"], one["seed"]) for one in cells(file, IDENTITY)] == [("a", 0), ("a", 1), ("b", 0)]
    assert len(file.read_text().splitlines()) == 6
    assert json.loads(file.read_text())["protocol"] == "five epochs"


def test_the_same_cell_again_takes_its_place_and_what_stands_above_stays(file):
    file.parent.mkdir()
    file.write_text('{"note": "by hand", "protocol": "old", "cells": [{"row": "a", "seed": 0, "accuracy": 0.1}]}')
    append_cell(a_cell(), file, IDENTITY, protocol="new")
    assert json.loads(file.read_text()) == {"note": "by hand", "protocol": "new", "cells": [a_cell()]}


def test_two_studies_may_tell_their_cells_apart_in_their_own_ways(file):
    append_cell(a_cell(), file, IDENTITY)
    append_cell(a_cell(draw="random"), file, IDENTITY)
    assert len(cells(file, IDENTITY)) == 1
    other = file.with_name("other.json")
    append_cell(a_cell(draw="random"), other, ("row", "draw"))
    append_cell(a_cell(draw="balanced"), other, ("row", "draw"))
    assert len(cells(other, ("row", "draw"))) == 2


def test_the_measured_file_comes_back_byte_for_byte(tmp_path):
    file = tmp_path / "tp11.json"
    file.write_bytes((REPOSITORY / "results" / "tp11.json").read_bytes())
    append_cell(cells(file, study.IDENTITY)[0], file, study.IDENTITY, protocol=study.PROTOCOL)
    assert file.read_bytes() == (REPOSITORY / "results" / "tp11.json").read_bytes()


APPENDING = """
import sys
from tp_utils.runtime import append_cell
print("ready", flush=True)
sys.stdin.readline()
for seed in range(30):
    append_cell({"row": sys.argv[2], "seed": seed}, sys.argv[1], ("row", "seed"))
"""


def test_studies_with_separate_caches_lose_no_cell(file, tmp_path):
    studies = [subprocess.Popen([sys.executable, "-c", APPENDING, str(file), row], stdin=subprocess.PIPE, text=True,
                                stdout=subprocess.PIPE, cwd=tmp_path,
                                env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TP_CACHE": str(tmp_path / row)})
               for row in ("a", "b")]
    for process in studies:
        assert process.stdout.readline() == "ready\n"
    for process in studies:  # both at once
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(60) for process in studies] == [0, 0]
    assert len(cells(file, IDENTITY)) == 60
    assert [name for name in names(file.parent) if not name.endswith(".lock")] == ["study.json"]
    assert not (tmp_path / "a").exists()  # the lock is not in the cache


# ---- damage


@damaged
def test_a_damaged_file_is_one_sentence_and_is_left_as_it_is(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    for use in (lambda: cells(file, IDENTITY), lambda: append_cell(a_cell(), file, IDENTITY)):
        with pytest.raises(ResultsError) as caught:
            use()
        assert "is damaged" in sentence(caught, file) and "move this one out of the way" in str(caught.value)
        assert file.read_bytes() == content
        assert [name for name in names(file.parent) if not name.endswith(".lock")] == ["study.json"]


@pytest.mark.parametrize("content", list(DAMAGED.values())[:6], ids=list(DAMAGED)[:6])
def test_damaged_results_are_one_sentence(tmp_path, monkeypatch, content):
    monkeypatch.setattr("tp_utils.runtime.measurements.ROOT", tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "tp99.json").write_bytes(content)
    with pytest.raises(ResultsError, match="is damaged") as caught:
        results("tp99")
    sentence(caught, "tp99.json")


def test_a_file_that_may_not_be_read_or_written_is_one_sentence(ordinary_user):
    file = ordinary_user / "study.json"
    append_cell(a_cell(), file, IDENTITY)
    before = file.read_bytes()
    file.chmod(0o200)
    for use in (lambda: cells(file, IDENTITY), lambda: append_cell(a_cell("b"), file, IDENTITY)):
        with pytest.raises(ResultsError, match="Permission denied") as caught:
            use()
        sentence(caught, file)
    file.chmod(0o444)
    ordinary_user.chmod(0o555)
    with pytest.raises(ResultsError, match="cannot be written") as caught:
        append_cell(a_cell("b"), file, IDENTITY)
    sentence(caught, file)
    ordinary_user.chmod(0o755)
    assert file.read_bytes() == before and cells(file, IDENTITY) == [a_cell()]


def test_a_full_disk_leaves_the_file_as_it_was(file, monkeypatch):
    append_cell(a_cell(), file, IDENTITY)

    def full(path, text, **_):
        path.write_bytes(text[:20].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ResultsError, match="No space left on device"):
        append_cell(a_cell("b"), file, IDENTITY)
    assert cells(file, IDENTITY) == [a_cell()]
    assert [name for name in names(file.parent) if not name.endswith(".lock")] == ["study.json"]


# ---- the command line


def refused(capsys, *arguments):
    assert cli.main([*map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("tp_utils: ")
    return err


@pytest.fixture
def no_training(monkeypatch):
    def trained(*_):
        raise AssertionError("trained")

    monkeypatch.setenv("TP_PROFILE", "smoke")
    monkeypatch.setattr(study, "cell", trained)


@damaged
def test_a_study_of_a_damaged_file_is_one_line_before_anything_is_trained(file, content, capsys, no_training):
    file.parent.mkdir()
    file.write_bytes(content)
    assert "is damaged" in refused(capsys, "study", "few-labels", "--method", "cnn", "--to", file)
    assert "is damaged" in refused(capsys, "study", "few-labels", "--dask", "tcp://127.0.0.1:9", "--to", file)
    assert file.read_bytes() == content


def test_a_study_that_cannot_write_is_one_line_before_anything_is_trained(tmp_path, capsys, no_training):
    (tmp_path / "file").write_text("in the way")
    line = refused(capsys, "study", "few-labels", "--method", "cnn", "--to", tmp_path / "file" / "cells.json")
    assert "cannot be written" in line or "cannot be read" in line


@pytest.mark.parametrize("content", [b"{", None])
def test_a_readme_of_damaged_or_missing_results_is_one_line(tmp_path, monkeypatch, capsys, content):
    monkeypatch.setattr("tp_utils.runtime.measurements.ROOT", tmp_path)
    monkeypatch.setattr("tp_utils.authoring.build.write_notebooks", lambda tp: [])
    (tmp_path / "results").mkdir()
    if content:
        (tmp_path / "results" / "tp07.json").write_bytes(content)
    before = (readme.ROOT / "README.md").read_bytes()
    assert "tp07.json" in refused(capsys, "build")
    assert (readme.ROOT / "README.md").read_bytes() == before
    assert runtime.ROOT == REPOSITORY
