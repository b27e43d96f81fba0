"""Folders and files of the course.

Environment variables:
    TP_CACHE     folder of prepared data, features and checkpoints; ~ is the home folder (default: data/cache, or the
                 user's own cache folder where the course is installed read-only)
"""

import contextlib
import errno
import os
import pickle
import re
import secrets
from pathlib import Path

from .reader import say

ROOT = Path(__file__).resolve().parent.parent.parent
FULL = (errno.ENOSPC, errno.EDQUOT)  # no space left, or none for this user

# What is said to the reader.
NO_HOME = "{variable}={value}: there is no such home folder here; write the whole path"
NO_FOLDER = "the folder {folder} cannot be made ({why}): set TP_CACHE to one that can be written"
NOT_KEPT = "{what}: not kept for the next time ({why}). Free some space, or set TP_CACHE to a folder you may write."
NOT_WHOLE = "torch could not write the whole file"
BAD_NAME = "{name!r:.60} cannot be the name of a file, {why}: take another, e.g. 'my-run-0'"
NO_WORDS, EMPTY = "it is no string", "it is empty"
HOLDS = "it holds {found}, which not every system takes in a name"
ENDS = "it ends in a dot or a space"
DEVICE = "Windows keeps {found} for a device"
LONG = "it is longer than {longest} bytes"


# ---- folders


def cache_path(*parts):
    """A place in the cache, as a Path; nothing is made there."""
    own = folder_named("TP_CACHE")
    if own is None:
        own = ROOT / "data" / "cache"
        if not writable(own):
            import platformdirs

            own = Path(platformdirs.user_cache_dir("tp_utils"))
    return own.joinpath(*parts)


def cache_dir(*parts):
    """A folder in the cache, made if need be. Raises OSError, in one sentence, where it cannot be made."""
    folder = cache_path(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(NO_FOLDER.format(folder=folder, why=error.strerror)) from error
    return folder


def cached_file(*parts):
    """Where a file of the cache is to be read: one's own, or else the one that a read-only installation brings."""
    own, brought = cache_path(*parts), ROOT.joinpath("data", "cache", *parts)
    if os.environ.get("TP_CACHE") or os.path.exists(own) or not os.path.exists(brought):
        return own
    return brought


def folder_named(variable):
    """The folder that an environment variable names, ~ being the home folder; None if it is not set."""
    value = os.environ.get(variable)
    try:
        return Path(value).expanduser() if value else None
    except RuntimeError:
        raise FileNotFoundError(NO_HOME.format(variable=variable, value=value)) from None


def writable(folder):
    """Whether files can be made in a folder, which is made if need be. A full disk may have room again: it counts."""
    probe = folder / f".{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return error.errno in FULL
    return True


def size(path):
    """The size of a file, or of all files in a folder, in words."""
    files = path.rglob("*") if path.is_dir() else [path]
    return f"{sum(file.stat().st_size for file in files if file.is_file()) / 1e6:,.1f} MB"


# ---- what cannot be kept


@contextlib.contextmanager
def keeping(what, quiet=False):
    """A block that keeps something for the next time: where it cannot be written, one line says so, and all goes on.

    what:   what is lost, as the line begins, e.g. "features-vgg16"
    quiet:  True says nothing: it was said before

    Ends the block at an OSError, and at the RuntimeError that torch.save makes of one; others go on their way.
    """
    try:
        yield
    except (OSError, RuntimeError, pickle.PicklingError, AttributeError, TypeError) as error:
        if not isinstance(error, OSError) and not of_torch_save(error):
            raise
        if not quiet:
            say(NOT_KEPT.format(what=what, why=in_words(error)))


def of_torch_save(error):
    """Whether a RuntimeError is torch.save's for a file that could not be written: it has no class of its own."""
    texts = " ".join(map(str, (error, error.__context__)))
    return re.search("inline_container|PytorchStreamWriter|iostream|[Pp]ickle", texts) is not None


def in_words(error):
    """Why a file could not be read or written: what the system says, and which file, if it says that."""
    if re.search("[Pp]ickle", str(error)):
        return str(error)
    if not isinstance(error, OSError):
        error = error.__context__ if isinstance(error.__context__, OSError) else OSError(NOT_WHOLE)
    return f"{error.strerror}: {error.filename}" if error.filename and error.strerror else error.strerror or str(error)


# ---- names

FORBIDDEN = re.compile(r'[/\\<>:"|?*\x00-\x1f\x7f\ud800-\udfff]')
DEVICES = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³]) *(\.|$)", re.IGNORECASE)
LONGEST = 180  # bytes: file systems take 255, with the hash, the ending and the mark of a temporary file


def file_name(name):
    """`name`, if it can be a file's name, without its ending, on every system. Raises ValueError, in one sentence.

    Not in another folder (/, \\, .., an absolute path), and nothing that Windows refuses: <>:"|?*, control characters,
    a dot or a space at the end, names of devices (CON, NUL, COM1 …). Letters of any script are welcome.
    """
    if why := unfit(name):
        raise ValueError(BAD_NAME.format(name=name, why=why))
    return name


def unfit(name):
    """Why `name` cannot be a file's name, in words; None if it can."""
    if not isinstance(name, str):
        return NO_WORDS
    if not name:
        return EMPTY
    if found := FORBIDDEN.search(name):
        return HOLDS.format(found=ascii(found[0]))
    if name[-1] in ". ":
        return ENDS
    if found := DEVICES.match(name):
        return DEVICE.format(found=found[1])
    return LONG.format(longest=LONGEST) if len(name.encode()) > LONGEST else None
