"""`python -m tp_utils lab` for real: it starts without a display or a home, answers, and shows a practical."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 120  # seconds; a start takes about 5
URL = re.compile(r"(?P<address>http://127\.0\.0\.1:(?P<port>\d+))/lab\S*\?token=(?P<token>\w+)\s")


@contextlib.contextmanager
def lab(port, folder):
    """JupyterLab in a process of its own; yields (its address, its token) as it printed them."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "JUPYTER_", "IPYTHONDIR")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    environment |= {"HOME": str(folder / "nowhere"), "TMPDIR": str(folder), "TP_CACHE": str(folder / "cache")}
    log = folder / "log"
    with open(log, "wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "tp_utils", "lab", "--port", str(port)],
                                   cwd=REPOSITORY, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + PATIENCE
        while not (found := URL.search(log.read_text(errors="replace"))) or not listens(int(found["port"])):
            assert process.poll() is None and time.monotonic() < end, log.read_text(errors="replace")
            time.sleep(0.1)
        yield found["address"], found["token"]
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listens(port):
    """JupyterLab prints its URL a moment before it listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status(address, token):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback, whatever the proxy
    with direct.open(f"{address}/api/status?token={token}", timeout=PATIENCE) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with lab(free_port(), tmp_path_factory.mktemp("lab")) as found:
        yield found


def test_it_answers_on_loopback(server):
    assert status(*server)["kernels"] == 0


def test_a_stranger_is_turned_away(server):
    with pytest.raises(urllib.error.HTTPError, match="403"):
        status(server[0], "wrong")


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium at /usr/bin/chromium")
def test_a_practical_opens_in_the_browser(server):
    from playwright.sync_api import expect, sync_playwright

    address, token = server
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            page = browser.new_page()
            page.goto(f"{address}/lab/tree/notebooks/tp07_transfer_learning.ipynb?token={token}",
                      timeout=1000 * PATIENCE)
            title = page.get_by_role("heading", name="TP 7: Transfer learning")
            expect(title.first).to_be_visible(timeout=1000 * PATIENCE)
        finally:
            browser.close()


def test_a_port_in_use(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with lab(taken, tmp_path) as (address, token):
            assert not address.endswith(f":{taken}")
            assert status(address, token)["started"]
