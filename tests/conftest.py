"""What several files of tests stand on."""

import contextlib
import ctypes
import os
import socket
import sys
from pathlib import Path

import nbformat
import pytest
from sets import unreachable

from tp_utils.checks import answers
from tp_utils.data import official

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def no_network(monkeypatch):
    """Looking up any host but this machine is noted, refused, and fails the test."""
    asked, ask = [], socket.getaddrinfo

    def getaddrinfo(host, *rest, **options):
        if host not in ("127.0.0.1", "localhost"):
            asked.append(host)
            raise socket.gaierror(socket.EAI_AGAIN, "no network in tests")
        return ask(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    assert asked == []


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, no mirror, no official source."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TP_MIRROR", raising=False)
    for name in official.PREPARE:
        monkeypatch.setitem(official.PREPARE, name, unreachable)
    return tmp_path / "cache"


@pytest.fixture
def ordinary_user(tmp_path):
    """A folder, and no right to read or write what its permissions forbid: root, as whom tests may run, has it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        if sys.platform != "linux":
            pytest.skip("root may read everything")
        with without_override():
            yield tmp_path
    else:
        yield tmp_path


@contextlib.contextmanager
def without_override():
    """Linux's root without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH (capabilities 1 and 2), by capset(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this thread
    held = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, twice
    assert libc.capget(header, held) == 0
    fewer = (ctypes.c_uint32 * 6)(held[0] & ~0b110, *held[1:])
    assert libc.capset(header, fewer) == 0
    try:
        yield
    finally:
        assert libc.capset(header, held) == 0


# ---- the committed notebooks


@pytest.fixture(params=sorted(path.stem for path in (REPOSITORY / "solutions").glob("tp[0-9][0-9]_*.py")))
def source(request):
    """The source of a practical: a path."""
    return REPOSITORY / "solutions" / f"{request.param}.py"


@pytest.fixture
def solution(source):
    """The cells of the paired solution notebook, as it is on the disk."""
    return nbformat.read(source.with_suffix(".ipynb"), 4).cells


@pytest.fixture
def student(source):
    """The cells of the student notebook, as it is on the disk."""
    return nbformat.read(REPOSITORY / "notebooks" / f"{source.stem}.ipynb", 4).cells


@pytest.fixture
def no_solutions(monkeypatch, tmp_path):
    monkeypatch.setattr(answers, "SOLUTIONS", tmp_path)
    answers.executed.cache_clear()
    yield
    answers.executed.cache_clear()
