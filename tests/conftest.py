"""What several files of tests stand on."""

import socket

import pytest
from sets import DOWNLOADED, unreachable

from tp_utils.data import official


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
    for name in DOWNLOADED:
        monkeypatch.setitem(official.PREPARE, name, unreachable)
    return tmp_path / "cache"
