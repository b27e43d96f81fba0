"""Files that are there whole or not at all, whoever writes or is killed meanwhile."""

import contextlib
import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from pathlib import Path

WAITS = (0.02, 0.05, 0.1, 0.2, 0.4)  # seconds between the tries to replace a file that is being read
DAY = 24 * 3600


@contextlib.contextmanager
def replacing(path):
    """A temporary file beside `path` that takes its place when the block ends well, else vanishes.

    Readers, and a second process that writes the same file, only ever see a complete file. A file that one may not
    read is not replaced: PermissionError.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        open(path, "rb").close()
    temporary = temporary_beside(path)
    temporary.touch(exist_ok=False)  # with the permissions of an ordinary file: a cache may be shared
    try:
        yield temporary
        replace(temporary, path)
    finally:
        remove(temporary)


@contextlib.contextmanager
def scratch(path):
    """A temporary folder beside `path` that vanishes with the block."""
    folder = temporary_beside(Path(path))
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        remove(folder)


def replace(temporary, path):
    """os.replace, tried again for a second: Windows refuses while somebody reads the file."""
    for wait in WAITS:
        with contextlib.suppress(PermissionError):
            return os.replace(temporary, path)
        time.sleep(wait)
    return os.replace(temporary, path)


def remove(path):
    """Remove a file or a folder if it is there; what resists is removed another time."""
    with contextlib.suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


# ---- temporary names tell whose they are: .NAME.MACHINE-PROCESS-RANDOM


def temporary_beside(path):
    """The name of a new temporary file or folder for `path`; those that killed processes left for it are removed."""
    name = re.compile(re.escape(f".{path.name}.") + r"([0-9a-f]{8})-(\d{1,10})-[0-9a-f]{8}")
    with contextlib.suppress(OSError):
        for other in path.parent.iterdir():
            if (found := name.fullmatch(other.name)) and abandoned(other, found[1], int(found[2])):
                remove(other)
    return path.with_name(f".{path.name}.{this_machine()}-{os.getpid()}-{secrets.token_hex(4)}")


def abandoned(path, where, process):
    """Whether the process that wrote a temporary file has ended; if that cannot be asked, whether it is a day old."""
    if where == this_machine() and os.name == "posix":  # elsewhere os.kill kills
        try:
            os.kill(process, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except PermissionError:  # somebody else's
            pass
        return False
    return time.time() - path.stat().st_mtime > DAY


@functools.cache
def this_machine():
    """Eight digits for this machine, or this container of it: where a process's number means that process."""
    space = os.readlink("/proc/self/ns/pid") if os.path.exists("/proc/self/ns/pid") else ""
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]
