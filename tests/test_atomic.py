"""Files that are there whole or not at all, whoever writes, reads or is killed meanwhile."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sets import names

from tp_utils.runtime import atomic, replacing, scratch

REPOSITORY = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="processes are asked on POSIX only")


def test_replacing_puts_the_complete_file_in_place(tmp_path):
    path = tmp_path / "folder" / "file.txt"
    for text in ("old", "new"):
        with replacing(path) as temporary:
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert names(path.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_while_replacing_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "file.txt"
    with replacing(path) as one, replacing(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"  # the last that ended
    assert names(tmp_path) == ["file.txt"]


def test_a_replaced_file_can_be_read_by_those_who_can_read_its_neighbours(tmp_path):
    neighbour = tmp_path / "neighbour"
    neighbour.touch()
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "file").stat().st_mode == neighbour.stat().st_mode


def write(path, text="new"):
    with replacing(path) as temporary:
        temporary.write_text(text)


# ---- Windows, and readers


@pytest.mark.parametrize("refusals", [1, 3])
def test_a_file_that_is_being_read_is_replaced_when_the_reader_is_done(tmp_path, monkeypatch, refusals):
    left, replace = [PermissionError(13, "used by another process")] * refusals, os.replace

    def like_windows(*paths):
        if left:
            raise left.pop()
        replace(*paths)

    monkeypatch.setattr(os, "replace", like_windows)
    write(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "new" and names(tmp_path) == ["file"]


def test_a_file_that_stays_in_use_is_an_error_after_a_short_while(tmp_path, monkeypatch):
    def like_windows(*_):
        raise PermissionError(13, "used by another process")

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(os, "replace", like_windows)
    start = time.perf_counter()
    with pytest.raises(PermissionError):
        write(tmp_path / "file")
    assert time.perf_counter() - start < 3
    assert (tmp_path / "file").read_text() == "old" and names(tmp_path) == ["file"]


@posix
def test_a_file_that_one_may_not_read_is_not_replaced(ordinary_user):
    path = ordinary_user / "file"
    path.write_text("somebody's")
    path.chmod(0o200)
    with pytest.raises(PermissionError, match="file"):
        write(path)
    path.chmod(0o600)
    assert path.read_text() == "somebody's" and names(ordinary_user) == ["file"]


# ---- what killed processes leave

WRITER = """
import sys
from pathlib import Path
from tp_utils.runtime import replacing, scratch
with (scratch if sys.argv[2] == "folder" else replacing)(Path(sys.argv[1])) as temporary:
    (temporary / "half" if temporary.is_dir() else temporary).write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def writer(path, kind="file"):
    """A process in the middle of writing a file."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), kind], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert process.stdout.readline() == "writing\n"
    return process


@posix
def test_what_a_killed_process_left_goes_at_the_next_save_of_that_file(tmp_path):
    killed = writer(tmp_path / "file")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    write(tmp_path / "file.other")
    write(tmp_path / "fil")
    assert len(names(tmp_path)) == 3  # not theirs
    write(tmp_path / "file")
    assert names(tmp_path) == ["fil", "file", "file.other"]


@posix
def test_the_folder_of_a_killed_process_goes_as_well(tmp_path):
    killed = writer(tmp_path / "sets", "folder")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    with scratch(tmp_path / "sets") as folder:
        assert names(tmp_path) == [folder.name] and names(folder) == []
    assert names(tmp_path) == []


@posix
def test_a_living_process_is_left_alone(tmp_path):
    living = writer(tmp_path / "file")
    (half,) = tmp_path.iterdir()
    os.utime(half, (0, 0))  # however long it takes
    write(tmp_path / "file", "quicker")
    assert half.exists()
    living.communicate("go on")
    assert (tmp_path / "file").read_text() == "half" and names(tmp_path) == ["file"]


@pytest.mark.parametrize(("age", "stays"), [(0, True), (23 * 3600, True), (25 * 3600, False)])
@pytest.mark.parametrize("where", ["another machine", "Windows"])
def test_where_processes_cannot_be_asked_age_decides(tmp_path, monkeypatch, where, age, stays):
    def never(*_):
        raise AssertionError("os.kill kills on Windows")

    here = atomic.this_machine()
    other = tmp_path / f".file.{here if where == 'Windows' else '01234567'}-4194305-01234567"  # no such process here
    other.write_text("half")
    os.utime(other, (time.time() - age,) * 2)
    monkeypatch.setattr(os, "kill", never)
    if where == "Windows":
        monkeypatch.setattr(atomic.os, "name", "nt")
    assert atomic.abandoned(other, here if where == "Windows" else "01234567", 4194305) is not stays
    monkeypatch.undo()
    if where == "another machine":
        write(tmp_path / "file")
        assert other.exists() is stays


def test_files_that_merely_look_alike_are_left_alone(tmp_path):
    others = [".file.01234567", ".file.pt.swp", "file.01234567-1-01234567", ".file.01234567-1-01234567.pt"]
    for name in others:
        (tmp_path / name).write_text("somebody's")
        os.utime(tmp_path / name, (0, 0))
    write(tmp_path / "file")
    assert names(tmp_path) == sorted([*others, "file"])


def test_a_scratch_folder_vanishes_with_its_block(tmp_path):
    with pytest.raises(KeyboardInterrupt), scratch(tmp_path / "new" / "sets") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "half").write_text("half")
        raise KeyboardInterrupt
    assert names(tmp_path / "new") == []
