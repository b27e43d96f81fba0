"""Files over the network or from a classroom mirror: verified, retried, never half written.

pooch downloads to a temporary file and renames it; what is added here is a check of the hash on every
later use, hashes known only by their first digits (torchvision's), and errors that say what to do.
"""

import errno
import os
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from ..runtime import replacing

TIMEOUT = 20  # seconds without a byte
RETRIES = 3

# What is said to the reader.
DAMAGED = "{path} is damaged: expected SHA-256 {expected}…, found {found}…"
NO_SPACE = "no space left for {path}: free some, or set TP_CACHE to a folder on another disk"
OFFLINE = "{host} cannot be reached (no network?)"
REFUSED = "{url} answered {status}: the file is not there or not for us"
WRONG_HASH = ("{url} did not send the expected file: SHA-256 {expected}… expected, {found}… received{page}. "
              "Nothing was kept. The file may have changed, or a login page may be in the way")
A_PAGE = " (an HTML page)"
CLIMBS = "{path} holds {member!r}, which would be written outside its folder: not opened"
NOT_A_ZIP = "{path} is not a readable zip archive: {error}"
FAILED = "{url} could not be downloaded: {error}"


class FetchError(OSError):
    """A file could not be had; the message says why and what to do."""


def verify(path, sha256):
    """Raise FetchError unless the file's SHA-256 begins with `sha256` (at least 8 hexadecimal digits)."""
    import pooch

    found = pooch.file_hash(str(path))
    if not found.startswith(sha256.lower()):
        raise FetchError(DAMAGED.format(path=path, expected=sha256[:12], found=found[:12]))


def fetch(url, path, sha256):
    """The verified file at `path`: as it is there, or else downloaded from `url`, with a progress bar.

    sha256: the whole hash or its first digits (at least 8).
    Raises FetchError (no network, wrong content, disk full …); then nothing is left at `path`.
    Safe when several processes fetch the same file at once.
    """
    import pooch
    import requests
    import urllib3

    path = Path(path)
    if path.exists():
        try:
            verify(path, sha256)
            return path
        except FetchError:
            path.unlink(missing_ok=True)
    pooch.get_logger().setLevel("WARNING")
    host = urlsplit(url).netloc

    def download(url, output_file, _):
        """pooch's HTTP download, then the check of the hash while the file is still temporary."""
        try:
            pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT, chunk_size=1 << 16)(url, output_file, None)
        except requests.ConnectionError as error:
            if not isinstance(error.args[0], urllib3.exceptions.MaxRetryError):
                raise  # broke off on the way: pooch tries again
            raise FetchError(OFFLINE.format(host=host)) from error
        found = pooch.file_hash(str(output_file))
        if not found.startswith(sha256.lower()):
            with open(output_file, "rb") as file:
                page = A_PAGE if b"<html" in file.read(1000).lower() else ""
            raise ValueError(WRONG_HASH.format(url=url, expected=sha256[:12], found=found[:12], page=page))

    store = pooch.create(path.parent, base_url="", registry={path.name: None}, urls={path.name: url},
                         retry_if_failed=RETRIES)
    try:
        store.fetch(path.name, downloader=download)
    except requests.HTTPError as error:
        raise FetchError(REFUSED.format(url=url, status=error.response.status_code)) from error
    except ValueError as error:
        raise FetchError(str(error)) from error
    except OSError as error:
        if isinstance(error, FetchError):
            raise
        if error.errno == errno.ENOSPC:
            raise FetchError(NO_SPACE.format(path=path)) from error
        raise FetchError(FAILED.format(url=url, error=error)) from error
    return path


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
    except (zipfile.BadZipFile, EOFError) as error:
        raise FetchError(NOT_A_ZIP.format(path=path, error=error)) from error


# ---- the classroom mirror: a folder or an http(s) address that holds files and their SHA256SUMS


def mirror():
    """The classroom mirror's folder or address, without a slash at its end; None without a mirror."""
    return (os.environ.get("TP_MIRROR") or "").rstrip("/") or None


def sums(place):
    """{file name: SHA-256} from SHA256SUMS in a folder or at an address. Raises FetchError."""
    if place.startswith(("http://", "https://")):
        import requests

        url = f"{place}/SHA256SUMS"
        try:
            answer = requests.get(url, timeout=TIMEOUT)
            answer.raise_for_status()
        except requests.HTTPError as error:
            raise FetchError(REFUSED.format(url=url, status=error.response.status_code)) from error
        except requests.RequestException as error:
            raise FetchError(OFFLINE.format(host=urlsplit(url).netloc)) from error
        text = answer.text
    else:
        file = Path(place, "SHA256SUMS")
        if not file.exists():
            raise FetchError(f"{file} is missing: `python -m tp_utils data export DIR` makes a mirror")
        text = file.read_text()
    found = dict(reversed(line.split(maxsplit=1)) for line in text.splitlines() if len(line.split()) == 2)
    return {name.lstrip("*"): value for name, value in found.items() if len(value) == 64}


def write_sums(folder, names):
    """Write SHA256SUMS for the named files of a folder (the format of the sha256sum command)."""
    import pooch

    with replacing(Path(folder, "SHA256SUMS")) as temporary:
        temporary.write_text("".join(f"{pooch.file_hash(str(Path(folder, n)))}  {n}\n" for n in sorted(names)))
    Path(folder, "SHA256SUMS").chmod(0o644)


def from_mirror(name, kept):
    """The mirror's file `name`, verified: read in place in a folder, downloaded to `kept` from an address.

    Returns None where there is no mirror or the mirror has no such file. Raises FetchError.
    """
    place = mirror()
    if place is None or name not in (known := sums(place)):
        return None
    if place.startswith(("http://", "https://")):
        return fetch(f"{place}/{name}", kept, known[name])
    verify(Path(place, name), known[name])
    return Path(place, name)
