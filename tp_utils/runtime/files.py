"""Folders and files of the course.

Environment variables:
    TP_CACHE     folder of prepared data, features and checkpoints (default: data/cache)
"""

import contextlib
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def cache_dir(*parts):
    """A folder in the cache, made if need be."""
    folder = Path(os.environ.get("TP_CACHE") or ROOT / "data" / "cache", *parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def replacing(path):
    """A temporary file beside `path` that takes its place when the block ends well, else vanishes.

    Readers, and a second process that writes the same file, only ever see a complete file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.touch(exist_ok=False)  # with the permissions of an ordinary file: a cache may be shared
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def size(path):
    """The size of a file, or of all files in a folder, in words."""
    files = path.rglob("*") if path.is_dir() else [path]
    return f"{sum(file.stat().st_size for file in files if file.is_file()) / 1e6:,.1f} MB"
