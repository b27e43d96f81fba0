"""Downloads from a server that misbehaves: success, or one clear FetchError and a clean folder.

`Server`, `digest`, `refused_port` … also serve other files of tests.
"""

import contextlib
import errno
import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pooch
import pytest

from tp_utils.data import fetch as module
from tp_utils.data.fetch import FetchError, fetch, verify

GOOD = bytes(range(256)) * 1200  # 300 kB
PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"
REPOSITORY = Path(__file__).resolve().parent.parent


def digest(content):
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def Server(answers=None, folder=None):
    """A server on the loopback address; yields an object with `url` and `asked`, the paths asked for.

    answers:  {path: function(handler)}, what is done for a path
    folder:   or else the folder that is served
    """
    asked, closing = [], threading.Event()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if self.path in (answers or {}):
                answers[self.path](self)
            elif folder:
                super().do_GET()
            else:
                self.send_error(404)

        def log_message(self, *_):
            pass

    Handler.closing = closing
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Handler(*a, directory=folder))
    server.daemon_threads = server.block_on_close = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", asked=asked)
    finally:
        closing.set()
        server.shutdown()
        server.server_close()


def send(content, announced=None, status=200):
    """An answer: `content`, after a Content-Length of `announced` (default: the right one)."""
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) if announced is None else announced))
        handler.end_headers()
        handler.wfile.write(content)
    return answer


def first_then(*answers):
    """One answer after the other; the last one from then on."""
    left = list(answers)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def silence(handler):
    handler.closing.wait(10)


def half_then_silence(handler):
    send(GOOD[:1000], announced=len(GOOD))(handler)
    handler.wfile.flush()
    handler.closing.wait(10)


def refused_port():
    """A port of the loopback address where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """No proxy, and no waiting between the tries: the seconds it would have waited."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    seconds = []
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=seconds.append))
    return seconds


def fails(folder, url, *words, sha256=None):
    """fetch() raises one FetchError, in one line with these words, and leaves nothing in the folder."""
    with pytest.raises(FetchError) as caught:
        fetch(url, folder / "file.bin", sha256 or digest(GOOD))
    message = str(caught.value)
    for word in words:
        assert word in message
    assert "\n" not in message and len(message) < 400
    assert list(folder.iterdir()) == []
    return message


# ---- it works


def test_a_good_file_arrives_with_a_progress_bar_and_is_asked_for_once(tmp_path, capsys):
    with Server({"/f": send(GOOD)}) as server:
        for _ in range(2):
            path = fetch(f"{server.url}/f", tmp_path / "new" / "file.bin", digest(GOOD))
            assert path.read_bytes() == GOOD
        assert server.asked == ["/f"]
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]
    bar = capsys.readouterr().err
    assert "100%|" in bar and "B/s]" in bar and "307k/307k" in bar


def test_the_first_eight_digits_of_the_hash_are_enough_and_fewer_are_not(tmp_path):
    with Server({"/f": send(GOOD)}) as server:
        assert fetch(f"{server.url}/f", tmp_path / "a", digest(GOOD)[:8].upper()).read_bytes() == GOOD
        (tmp_path / "b").mkdir()
        fails(tmp_path / "b", f"{server.url}/f", "SHA-256 00000000… expected", sha256="00000000")
    with pytest.raises(FetchError, match="cannot be verified"):
        verify(tmp_path / "a", "")


def test_a_server_that_is_busy_twice_is_asked_again(tmp_path, waits):
    busy = send(b"busy", status=503)
    with Server({"/f": first_then(busy, busy, send(GOOD))}) as server:
        assert fetch(f"{server.url}/f", tmp_path / "f", digest(GOOD)).read_bytes() == GOOD
        assert len(server.asked) == 3 and waits == [1, 2]


def test_a_body_that_breaks_off_once_is_fetched_again(tmp_path):
    with Server({"/f": first_then(send(GOOD[:5000], announced=len(GOOD)), send(GOOD))}) as server:
        assert fetch(f"{server.url}/f", tmp_path / "f", digest(GOOD)).read_bytes() == GOOD
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_damaged_kept_file_is_fetched_again(tmp_path):
    (tmp_path / "f").write_bytes(GOOD[:-1])
    with Server({"/f": send(GOOD)}) as server:
        assert fetch(f"{server.url}/f", tmp_path / "f", digest(GOOD)).read_bytes() == GOOD


def test_two_processes_fetch_the_same_file_at_once(tmp_path):
    def slowly(handler):
        send(GOOD[:100_000], announced=len(GOOD))(handler)
        handler.wfile.flush()
        both.wait(20)  # the rest only when the other process has begun as well
        handler.wfile.write(GOOD[100_000:])

    both = threading.Barrier(2)
    code = ("import sys; from tp_utils.data.fetch import fetch; "
            "print(len(fetch(sys.argv[1], sys.argv[2], sys.argv[3]).read_bytes()))")
    with Server({"/f": slowly}) as server:
        command = [sys.executable, "-c", code, f"{server.url}/f", str(tmp_path / "f"), digest(GOOD)]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        both_processes = [subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE) for _ in range(2)]
        for process in both_processes:
            out, err = process.communicate(timeout=40)
            assert (process.returncode, out.strip()) == (0, str(len(GOOD))), err
        assert len(server.asked) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == GOOD


# ---- it fails: one clear error, nothing left


def test_wrong_content_is_refused_at_once(tmp_path):
    with Server({"/f": send(GOOD[::-1])}) as server:
        fails(tmp_path, f"{server.url}/f", "not send the expected file", digest(GOOD)[:12],
              digest(GOOD[::-1])[:12], "browser")
        assert len(server.asked) == 1  # half a gigabyte is not fetched four times


def test_an_html_page_in_place_of_the_file_is_named_as_such(tmp_path):
    with Server({"/f": send(PAGE)}) as server:
        fails(tmp_path, f"{server.url}/f", "an HTML page", "login page")


def test_a_body_that_always_breaks_off(tmp_path, waits):
    with Server({"/f": send(GOOD[:5000], announced=len(GOOD))}) as server:
        fails(tmp_path, f"{server.url}/f", "broke off", "4 times", "TP_MIRROR")
        assert len(server.asked) == 4 and waits == [1, 2, 3]


def test_a_server_that_stays_busy(tmp_path):
    with Server({"/f": send(b"busy", status=503)}) as server:
        fails(tmp_path, f"{server.url}/f", "503", "try again later")
        assert len(server.asked) == 4


def test_a_missing_file_is_asked_for_once(tmp_path, waits):
    with Server() as server:
        fails(tmp_path, f"{server.url}/f", f"{server.url}/f", "404", "not there", "TP_MIRROR")
        assert len(server.asked) == 1 and waits == []


@pytest.mark.parametrize("answer", [silence, half_then_silence])
def test_a_server_that_falls_silent(tmp_path, monkeypatch, answer):
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    monkeypatch.setattr(module, "RETRIES", 1)
    with Server({"/f": answer}) as server:
        start = time.perf_counter()
        fails(tmp_path, f"{server.url}/f", "fell silent", "2 times", "TP_MIRROR")
        assert time.perf_counter() - start < 3


def test_a_refused_connection_is_said_at_once(tmp_path, waits):
    start = time.perf_counter()
    port = refused_port()
    fails(tmp_path, f"http://127.0.0.1:{port}/f", f"127.0.0.1:{port}", "no network?", "TP_MIRROR")
    assert time.perf_counter() - start < 2 and waits == []


def test_a_name_that_does_not_resolve_is_said_at_once(tmp_path, monkeypatch, waits):
    def unknown(host, *_, **__):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    start = time.perf_counter()
    fails(tmp_path, "http://host.invalid/f", "host.invalid", "NameResolutionError", "no network?")
    assert time.perf_counter() - start < 2 and waits == []


def test_a_file_that_changes_is_refused_but_the_kept_one_stays(tmp_path):
    with Server({"/f": first_then(send(GOOD), send(b"new" + GOOD))}) as server:
        path = fetch(f"{server.url}/f", tmp_path / "file.bin", digest(GOOD))
        assert fetch(f"{server.url}/f", path, digest(GOOD)).read_bytes() == GOOD
        assert len(server.asked) == 1
        path.unlink()  # an emptied cache
        fails(tmp_path, f"{server.url}/f", "not send the expected file", "has changed")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk(tmp_path, monkeypatch, code):
    class Full:
        def __init__(self, path, mode):
            self.file = open(path, mode)  # noqa: SIM115

        def write(self, data):
            self.file.write(data[:100])
            raise OSError(code, os.strerror(code))

        def close(self):
            self.file.close()

    monkeypatch.setattr(pooch.downloaders, "open", Full, raising=False)
    with Server({"/f": send(GOOD)}) as server:
        fails(tmp_path, f"{server.url}/f", "no space left", "TP_CACHE")


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(self, url, output_file, _):
        Path(output_file).write_bytes(GOOD[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch("http://127.0.0.1/f", tmp_path / "f", digest(GOOD))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_or_missing_file_is_named(tmp_path):
    (tmp_path / "f").write_bytes(GOOD)
    verify(tmp_path / "f", digest(GOOD))
    with pytest.raises(FetchError, match=r"is damaged.*fresh copy"):
        verify(tmp_path / "f", digest(PAGE))
    with pytest.raises(FetchError, match=r"No such file.*fresh copy"):
        verify(tmp_path / "g", digest(PAGE))
