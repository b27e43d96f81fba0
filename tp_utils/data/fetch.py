"""Files over the network or from a classroom mirror: verified, retried, never half written.

pooch downloads; what is added here is a check of the hash on every later use, hashes known only by their first
digits (torchvision's), and errors that say what to do.

Environment variables:
    TP_MIRROR    the classroom mirror: a folder (~ is the home folder) or an http(s) address
"""

import os
import re
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from ..runtime import folder_named, in_words, replacing
from ..runtime.files import FULL

TIMEOUT = 20  # seconds without a byte
RETRIES = 3  # after a server's error, a broken connection, a silence; not where there is no network

# What is said to the reader.
TRY = "try again later, or set TP_MIRROR to a classroom mirror"
DAMAGED = "{path} is damaged: SHA-256 {expected}… expected, {found}… found; replace it by a fresh copy"
NO_HASH = "{path} cannot be verified, {sha256!r} is no SHA-256; replace it by a fresh copy"
UNREADABLE = "{path} cannot be read ({error}): replace it by a fresh copy"
NOT_ALLOWED = "{path} may not be read by you, and was left as it is: ask its owner, or move it out of the way"
NOT_WRITABLE = "{path} cannot be written ({why}): set TP_CACHE to a folder that can"
NO_SPACE = "no space left for {path}: free some, or set TP_CACHE to a folder on another disk"
OFFLINE = "{host} cannot be reached ({why}): no network? Connect, or set TP_MIRROR to a classroom mirror"
REFUSED = f"{{url}} answered {{status}}: the file is not there, not for us, or the server is busy; {TRY}"
BROKE_OFF = f"{{url}} fell silent or broke off, {{tries}} times: {TRY}"
WRONG_HASH = ("{url} did not send the expected file: SHA-256 {expected}… expected, {found}… received{page}. "
              "Nothing was kept. It has changed, or a login page is in the way: open it in a browser")
A_PAGE = " (an HTML page)"
FAILED = f"{{url}} could not be downloaded ({{error}}): {TRY}"
CLIMBS = "{path} holds {member!r}, which would be written outside its folder: not opened, better delete it"
NOT_A_ZIP = "{path} is not a readable zip archive ({error}): delete it, and it is downloaded again"
NO_SUMS = "{file} {why}: `python -m tp_utils data export DIR` makes a mirror with its SHA256SUMS"
OTHER_FILE = "{place}/{name} is not the official file (SHA-256 {expected}… expected): export the mirror again"


class FetchError(OSError):
    """A file could not be had; the message says why and what to do."""


class NotAllowed(FetchError):
    """A file is there, and may not be read."""


def verify(path, sha256):
    """Raise FetchError unless the file's SHA-256 begins with `sha256` (at least 8 hexadecimal digits).

    Where the file merely may not be read, the FetchError is a NotAllowed.
    """
    import pooch

    if len(sha256) < 8:
        raise FetchError(NO_HASH.format(path=path, sha256=sha256))
    try:
        found = pooch.file_hash(str(path))
    except PermissionError as error:
        raise NotAllowed(NOT_ALLOWED.format(path=path)) from error
    except OSError as error:
        raise FetchError(UNREADABLE.format(path=path, error=error.strerror)) from error
    if not found.startswith(sha256.lower()):
        raise FetchError(DAMAGED.format(path=path, expected=sha256[:12], found=found[:12]))


def fetch(url, path, sha256):
    """The verified file at `path`: as it is there, or else downloaded from `url`, with a progress bar.

    sha256: the whole hash or its first digits (at least 8).
    Raises FetchError (no network, wrong content, disk full …); then nothing is left at `path`, but for a file that
    may not be read. Safe when several processes fetch the same file at once.
    """
    import requests

    path = Path(path)
    if os.path.exists(path):
        try:
            verify(path, sha256)
            return path
        except NotAllowed:
            raise
        except FetchError:
            with suppress(OSError):  # replaced below, or said there why not
                path.unlink()
    try:
        with replacing(path) as temporary:
            download(url, temporary)
            received(url, temporary, sha256)
    except FetchError:
        raise
    except requests.HTTPError as error:
        raise FetchError(REFUSED.format(url=url, status=error.response.status_code)) from error
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise FetchError(BROKE_OFF.format(url=url, tries=RETRIES + 1)) from error
    except OSError as error:
        if error.errno in FULL:
            raise FetchError(NO_SPACE.format(path=path)) from error
        if isinstance(error, requests.RequestException):
            raise FetchError(FAILED.format(url=url, error=error)) from error
        raise FetchError(NOT_WRITABLE.format(path=path, why=in_words(error))) from error
    return path


def download(url, path):
    """pooch's HTTP download, tried again after what may pass; what will not becomes a FetchError at once."""
    import pooch
    import requests
    from urllib3.exceptions import MaxRetryError

    get = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT, chunk_size=1 << 16)
    for seconds in range(1, RETRIES + 2):
        try:
            return get(url, str(path), None)
        except requests.RequestException as error:
            if isinstance(error, requests.ConnectionError) and isinstance(error.args[0], MaxRetryError):
                why = type(error.args[0].reason).__name__  # never connected
                raise FetchError(OFFLINE.format(host=urlsplit(url).netloc, why=why)) from error
            if isinstance(error, requests.HTTPError) and error.response.status_code < 500:
                raise FetchError(REFUSED.format(url=url, status=error.response.status_code)) from error
            if seconds > RETRIES:
                raise
        time.sleep(seconds)


def received(url, path, sha256):
    """Raise FetchError unless what came from `url` is what was expected."""
    import pooch

    found = pooch.file_hash(str(path))
    if not found.startswith(sha256.lower()):
        with open(path, "rb") as file:
            page = A_PAGE if b"<html" in file.read(1000).lower() else ""
        raise FetchError(WRONG_HASH.format(url=url, expected=sha256[:12], found=found[:12], page=page))


def read_zip(path, suffix):
    """Yield (name, bytes) of the members that end in `suffix`, in order of name; nothing is extracted.

    Raises FetchError for a damaged archive or one whose members climb out of their folder.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts:
                    raise FetchError(CLIMBS.format(path=path, member=name))
            for name in sorted(archive.namelist()):
                if name.endswith(suffix):
                    yield name, archive.read(name)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # RuntimeError: encrypted
        raise FetchError(NOT_A_ZIP.format(path=path, error=error)) from error


# ---- the classroom mirror: a folder or an http(s) address that holds files and their SHA256SUMS


def mirror():
    """The classroom mirror's folder or address, a string without a slash at its end; None without a mirror."""
    place = os.environ.get("TP_MIRROR") or ""
    if not at_an_address(place):
        place = str(folder_named("TP_MIRROR") or "")
    return place.rstrip("/") or None


def at_an_address(place):
    return place.lower().startswith(("http://", "https://"))


def sums(place):
    """{file name: SHA-256} from SHA256SUMS in a folder or at an address. Raises FetchError."""
    file = f"{place}/SHA256SUMS"
    if at_an_address(place):
        import requests

        try:
            answer = requests.get(file, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise FetchError(OFFLINE.format(host=urlsplit(file).netloc, why=type(error).__name__)) from error
        if not answer.ok:
            raise FetchError(NO_SUMS.format(file=file, why=f"answered {answer.status_code}"))
        text = answer.text
    else:
        try:
            text = Path(file).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise FetchError(NO_SUMS.format(file=file, why=f"cannot be read ({error.strerror})")) from error
    found = re.findall(r"^([0-9a-fA-F]{64}) [ *](?:\./)?(.+?)\s*$", text, re.MULTILINE)
    if not found:
        raise FetchError(NO_SUMS.format(file=file, why="lists no file"))
    return {name: sha256.lower() for sha256, name in found}


def write_sums(folder, names):
    """Write SHA256SUMS for the named files of a folder (the format of the sha256sum command)."""
    import pooch

    lines = [f"{pooch.file_hash(str(Path(folder, name)))}  {name}\n" for name in sorted(names)]
    with replacing(Path(folder, "SHA256SUMS")) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
    Path(folder, "SHA256SUMS").chmod(0o644)


def from_mirror(name, kept, digits=""):
    """The mirror's file `name`, verified: read in place in a folder, downloaded to `kept` from an address.

    digits: the first digits of the only SHA-256 that will do, where it is known
    Returns None where there is no mirror or the mirror has no such file. Raises FetchError.
    """
    place = mirror()
    if place is None or name not in (known := sums(place)):
        return None
    if not known[name].startswith(digits):
        raise FetchError(OTHER_FILE.format(place=place, name=name, expected=digits))
    if at_an_address(place):
        return fetch(f"{place}/{name}", kept, known[name])
    verify(Path(place, name), known[name])
    return Path(place, name)
