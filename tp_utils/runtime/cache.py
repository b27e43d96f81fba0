"""Results that are computed once."""

import contextlib

import torch

from .atomic import replacing
from .files import cache_dir, cache_path, cached_file, file_name, keeping
from .keys import Incomparable, fingerprint
from .reader import say

UNKNOWN_INPUT = "{name}: computed anew each time, since {why}."  # said to the reader


def cached(name, inputs, compute):
    """`compute()`, or what it gave before for the same `inputs`.

    name:     file name in the cache, to be recognised by a person
    inputs:   what the result depends on besides `compute` and all that it reaches
    compute:  a function without arguments that returns tensors, Python's own numbers, strings, lists or dicts; its
              code, and all that it reaches, is an input too (runtime/keys.py)

    A value that cannot be kept costs one line, and is returned. Raises ValueError for a name that no file can have.
    """
    file_name(name)
    try:
        parts = "computed", f"{name}-{fingerprint(compute, *inputs)}.pt"
    except Incomparable as error:
        say(UNKNOWN_INPUT.format(name=name, why=error))
        return compute()
    with contextlib.suppress(Exception):  # a file that is not there or cannot be read is computed again
        return torch.load(cached_file(*parts), map_location="cpu", weights_only=True)
    value = compute()
    with keeping(name):
        save_tensors(value, cache_path(*parts))
    return value


def save_tensors(value, path):
    """torch.save, whole or not at all. Raises OSError or torch's RuntimeError, see `keeping`.

    A file of Python's: its errors say what is wrong, also those that a full network disk reports when it is closed.
    """
    with replacing(path) as temporary, open(temporary, "wb") as file:
        torch.save(value, file)


@contextlib.contextmanager
def one_at_a_time(name):
    """Of several processes that want the same result, one computes it and the others wait. Where no lock can be made
    (a cache that cannot be written, a network disk without locks) nobody waits."""
    from filelock import FileLock

    with contextlib.ExitStack() as lock:
        with contextlib.suppress(OSError, NotImplementedError):
            lock.enter_context(FileLock(cache_dir("locks") / f"{file_name(name)}.lock"))
        yield
