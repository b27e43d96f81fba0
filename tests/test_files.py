"""Where the cache is, what can name a file in it, and the line that is said where something cannot be kept."""

import errno
import os
from pathlib import Path

import platformdirs
import pytest
import torch
from sets import names

from tp_utils import __main__ as cli
from tp_utils import runtime
from tp_utils.runtime import cache_dir, cache_path, cached, cached_file, file_name, keeping

COURSE = Path(runtime.__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A home of one's own, none of the course's variables."""
    monkeypatch.delenv("TP_CACHE", raising=False)
    return at_home(monkeypatch, tmp_path / "home")


def at_home(monkeypatch, folder):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "caches"))
    return folder


def course(monkeypatch, folder):
    """An installation of the course in a folder."""
    (folder / "data").mkdir(parents=True)
    monkeypatch.setattr("tp_utils.runtime.files.ROOT", folder)
    return folder


# ---- folders


def test_the_cache_is_in_the_course_or_where_the_variable_says(monkeypatch, tmp_path):
    assert cache_path("runs") == COURSE / "data" / "cache" / "runs"
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "mine"))
    assert cache_path("runs") == tmp_path / "mine" / "runs" and not (tmp_path / "mine").exists()
    assert cache_dir("runs", "old") == tmp_path / "mine" / "runs" / "old"
    assert (tmp_path / "mine" / "runs" / "old").is_dir()


def test_a_tilde_is_the_home_folder(monkeypatch, home, tmp_path):
    monkeypatch.chdir(tmp_path)
    for value in ("~/practicals", "~"):
        monkeypatch.setenv("TP_CACHE", value)
        assert cache_dir("runs") == home / value[2:] / "runs"
    assert not (tmp_path / "~").exists()


def test_a_home_that_nobody_has_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("TP_CACHE", "~no-such-user-here/cache")
    with pytest.raises(OSError, match=r"^TP_CACHE=~no-such-user-here/cache: .*write the whole path$"):
        cache_dir()
    assert cli.main(["data", "status"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_read_only_installation_keeps_its_runs_in_the_users_own_cache(monkeypatch, ordinary_user):
    at_home(monkeypatch, ordinary_user / "home")
    installed = course(monkeypatch, ordinary_user / "course")
    (installed / "data").chmod(0o555)
    assert cache_dir("runs") == Path(platformdirs.user_cache_dir("tp_utils")) / "runs"
    assert cached("value", (), lambda: 1) == 1
    assert names(installed / "data") == [] and names(cache_path()) == ["computed", "runs"]
    (installed / "data").chmod(0o755)
    assert cache_dir("runs") == installed / "data" / "cache" / "runs"


def test_a_read_only_cache_of_the_installation_is_read_all_the_same(monkeypatch, ordinary_user):
    def draw():
        return torch.rand(3)

    at_home(monkeypatch, ordinary_user / "home")
    brought = course(monkeypatch, ordinary_user / "course") / "data" / "cache"
    first = cached("value", (1,), draw)  # by the instructor
    brought.chmod(0o555)
    assert cached_file("computed") == brought / "computed"
    assert torch.equal(cached("value", (1,), draw), first)
    assert not torch.equal(cached("value", (2,), draw), first)
    assert len(names(brought / "computed")) == len(names(cache_path("computed"))) == 1


def test_a_file_where_the_folder_should_be_counts_as_read_only(monkeypatch, tmp_path):
    installed = course(monkeypatch, tmp_path / "course")
    (installed / "data" / "cache").write_text("in the way")
    assert cache_path() == Path(platformdirs.user_cache_dir("tp_utils"))


@pytest.mark.parametrize(("code", "stays"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EROFS, False)])
def test_a_full_disk_is_no_read_only_one(monkeypatch, tmp_path, code, stays):
    installed = course(monkeypatch, tmp_path / "course")

    def refused(path, *_, **__):
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(Path, "touch", refused)
    assert (cache_path() == installed / "data" / "cache") is stays


def test_a_folder_that_cannot_be_made_is_one_sentence(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OSError, match=r"file/cache/runs cannot be made \(Not a directory\): set TP_CACHE"):
        cache_dir("runs")


# ---- names


@pytest.mark.parametrize("name", [
    "run", "tp09-updates (D, G) = (1, 5)-0", "β₁ = 0.5, 64 × 64", "épreuve n° 3", "画像", "a..b", "v1.0", ".hidden",
    "-", "~", "[1]", "con-1", "console", "com10", "nul_", "x" * 180, "é" * 90])
def test_a_name_that_every_system_takes_is_returned(name, tmp_path):
    assert file_name(name) is name
    with runtime.replacing(tmp_path / f"{name}-0123456789abcdef.pt") as temporary:  # as long as `cached` makes them
        temporary.write_text("kept")
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize(("name", "why"), [
    ("../run", "'/'"), ("..", "ends in a dot"), (".", "ends in a dot"), ("/etc/passwd", "'/'"), ("a/b", "'/'"),
    ("a\\b", r"\\"), ("C:run", "':'"), ("", "empty"), ("a\0b", "x00"), ("a\nb", r"\n"), ("a\x7f", "x7f"),
    ("\ud800", "ud800"), *((f"a{sign}", repr(sign)) for sign in '<>:"|?*'),
    ("run.", "dot or a space"), ("run ", "dot or a space"), (" ", "dot or a space"),
    ("CON", "CON for a device"), ("nul", "nul for"), ("Aux.pt", "Aux"), ("com1", "com1"), ("LPT9.old", "LPT9"),
    ("COM¹", "COM¹"), ("prn .x", "prn"), ("CONIN$", "CONIN"), ("x" * 181, "180 bytes"), ("é" * 91, "180 bytes"),
    (None, "string"), (3, "string"), (Path("run"), "string"), (("a", 1), "string"),
], ids=str)
def test_a_name_that_some_system_refuses_is_refused_by_all(name, why):
    with pytest.raises(ValueError) as caught:
        file_name(name)
    message = str(caught.value)
    assert why in message and message.endswith("take another, e.g. 'my-run-0'")
    assert "\n" not in message and len(message) < 200


# ---- what cannot be kept


def test_what_is_kept_is_kept_in_silence(capsys):
    done = []
    with keeping("a run"):
        done.append(1)
    assert done == [1] and capsys.readouterr().out == ""


@pytest.mark.parametrize(("error", "why"), [
    (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "Disk quota exceeded"),
    (PermissionError(errno.EACCES, "Permission denied", "/there/run.pt"), "Permission denied: /there/run.pt"),
    (OSError(errno.EROFS, "Read-only file system", "/there"), "Read-only file system: /there"),
    (OSError(errno.ESTALE, "Stale file handle"), "Stale file handle"),
    (OSError("in words"), "in words"),
    (RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos 640 vs 598"), "whole file"),
    (RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"), "whole file"),
    (RuntimeError("basic_ios::clear: iostream error"), "whole file"),
])
def test_what_cannot_be_kept_costs_one_line(error, why, capsys):
    with keeping("a run"):
        raise error
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("a run: not kept") and f"{why})" in line and "Free some space, or set TP_CACHE" in line
    with keeping("a run", quiet=True):
        raise error
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("error", [
    KeyboardInterrupt(), ValueError("wrong"), RuntimeError("CUDA error: device-side assert triggered"),
    TypeError("wrong")], ids=repr)
def test_other_errors_go_on_their_way(error, capsys):
    with pytest.raises(type(error)), keeping("a run"):
        raise error
    assert capsys.readouterr().out == ""
