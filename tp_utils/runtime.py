"""The run: device, profile, seeds, folders, and how the course speaks to its reader.

Environment variables:
    TP_PROFILE   smoke, cpu or full (default: full with a CUDA device, otherwise cpu)
    TP_DEVICE    a torch device, e.g. cpu or cuda:1 (default: cuda, mps or cpu, the first there is)
    TP_CACHE     folder of prepared data, features and checkpoints (default: data/cache)
    TP_MIRROR    folder or http(s) address of a classroom mirror
    TP_STRICT    1: an unfinished or wrong exercise raises
    TP_RESULTS   1: save_results writes (set by `make outputs`)
"""

import ast
import contextlib
import functools
import hashlib
import inspect
import json
import os
import platform
import random
import secrets
import sys
import textwrap
import types
from datetime import date
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ("smoke", "cpu", "full")

# What is said to the reader.
NOT_SAVED = "Results not saved: {why}. `make outputs` saves those of the solution notebooks."
SAVED = "Saved {path}"
CAVEAT = "The conclusions in the text come from the real data in the cpu profile; here {why}: your numbers will differ."


def device():
    """The torch device that everything runs on: $TP_DEVICE, else cuda, mps or cpu."""
    if name := os.environ.get("TP_DEVICE"):
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def profile():
    """How much is computed: "smoke" (CI), "cpu" (a laptop) or "full" (the documents' settings)."""
    name = os.environ.get("TP_PROFILE") or ("full" if device().type == "cuda" else "cpu")
    if name not in PROFILES:
        raise ValueError(f"TP_PROFILE={name!r}: choose one of {', '.join(PROFILES)}")
    return name


def pick(*, smoke, cpu, full):
    """The one of the three values that belongs to the current profile."""
    return {"smoke": smoke, "cpu": cpu, "full": full}[profile()]


def seed(value=0):
    """Seed Python, NumPy and torch; returns a torch.Generator (on the CPU) with the same seed."""
    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)
    return torch.Generator().manual_seed(value)


def cache_dir(*parts):
    """A folder in the cache, made if need be."""
    folder = Path(os.environ.get("TP_CACHE") or ROOT / "data" / "cache", *parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def say(line, **facts):
    """Show one line to the reader; `facts` travel with it in a notebook, for `make run`'s table."""
    if in_notebook():
        from IPython.display import display

        display({"text/plain": line}, raw=True, metadata={"tp": facts} if facts else None)
    else:
        print(line, flush=True)


def caveat(*image_sets):
    """Say in one line why the text's conclusions need not hold: a built-in sample, or the smoke profile."""
    reasons = [f"{images.name} is a built-in sample" for images in image_sets if images.sample]
    if profile() == "smoke":
        reasons.append("the smoke profile computes next to nothing")
    if reasons:
        say(CAVEAT.format(why=" and ".join(reasons)))


def show(thing):
    """Show an object: as HTML in a notebook, as plain text elsewhere."""
    if in_notebook():
        from IPython.display import display

        display(thing)
    else:
        print(thing, flush=True)


def in_notebook():
    """True in a Jupyter kernel."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None


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


def fingerprint(*things):
    """A short hexadecimal hash of tensors (shape, dtype, values), of whatever prints, of lists and dicts of them."""
    total = hashlib.sha256()
    for thing in things:
        if isinstance(thing, dict):
            thing = list(thing.items())
        if isinstance(thing, np.ndarray) and thing.dtype.kind in "biuf":  # whose print leaves values out
            thing = torch.from_numpy(np.ascontiguousarray(thing))
        if isinstance(thing, (list, tuple)):
            total.update(f"{type(thing).__name__} {len(thing)} {fingerprint(*thing)}".encode())
        elif isinstance(thing, torch.Tensor):
            total.update(f"{thing.dtype}{tuple(thing.shape)}".encode())
            total.update(thing.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        else:
            total.update(repr(thing).encode())
    return total.hexdigest()[:16]


def cached(name, inputs, compute):
    """`compute()`, or what it gave before for the same `inputs`.

    name:     file name in the cache, to be recognised by a person
    inputs:   everything the result depends on (tensors and whatever prints)
    compute:  a function without arguments that returns tensors, Python's own numbers, strings, lists or dicts;
              its source is an input too, with that of the functions and modules of the notebook that it uses
    """
    path = cache_dir("computed") / f"{name}-{fingerprint(code_of(compute), *inputs)}.pt"
    if path.exists():
        with contextlib.suppress(Exception):  # an unreadable file is computed again
            return torch.load(path, map_location="cpu", weights_only=True)
    value = compute()
    with replacing(path) as temporary:
        torch.save(value, temporary)
    return value


def code_of(function):
    """The source of a function and of what it reaches by name in its own notebook or module: a list of strings.

    Functions are followed, also those that an inner function holds, with its numbers and words, and the methods of
    classes and networks; tensors and global numbers are not: name them.
    """
    seen, todo = {}, [function]
    while todo:
        thing = todo.pop()
        if isinstance(thing, functools.partial):
            seen[id(thing)] = repr((thing.args, thing.keywords))
            thing = thing.func
        if isinstance(thing, torch.nn.Module):
            todo += {type(module) for module in thing.modules() if not type(module).__module__.startswith("torch")}
        if inspect.isclass(thing):
            todo += vars(thing).values()
        elif isinstance(thing, types.FunctionType) and id(thing) not in seen:
            values = [held for held in held_by(thing) if isinstance(held, int | float | str)]
            seen[id(thing)] = source_of(thing) + (repr(values) if values else "")
            reached = (thing.__globals__.get(name) for name in names_in(thing.__code__))
            todo += [other for other in reached if getattr(other, "__module__", "") == thing.__module__]
            todo += [held for held in held_by(thing) if isinstance(held, types.FunctionType | functools.partial)]
    return sorted(seen.values())


def held_by(function):
    """What a function has from the one it was defined in."""
    return [cell.cell_contents for cell in function.__closure__ or ()]


def names_in(code):
    """The global names in a code object, those in its comprehensions and inner functions included."""
    inner = [name for constant in code.co_consts if isinstance(constant, types.CodeType) for name in names_in(constant)]
    return [*code.co_names, *inner]


def source_of(function):
    """The source without comments, docstrings and layout, which change nothing."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except SyntaxError:  # a lambda in the middle of a line
        return inspect.getsource(function)
    except OSError:  # neither in a file nor in a notebook
        return repr(function.__code__.co_code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def measuring():
    """True under `make outputs`, where the solution notebooks measure what the text and README claim."""
    return os.environ.get("TP_RESULTS") == "1" and profile() != "smoke"


def results(name):
    """The measured numbers in results/NAME.json, as a dict."""
    path = ROOT / "results" / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"{path.relative_to(ROOT)} is missing: `make outputs` measures it anew")
    return json.loads(path.read_text())


def save_results(name, numbers, command, data_is_sample=False):
    """Write results/NAME.json: the numbers and how they came about. Only under TP_RESULTS=1."""
    why = None
    if os.environ.get("TP_RESULTS") != "1":
        why = "TP_RESULTS is not 1"
    elif data_is_sample:
        why = "they come from a built-in sample"
    elif profile() == "smoke":
        why = "the smoke profile measures nothing"
    if why:
        return say(NOT_SAVED.format(why=why))
    path = ROOT / "results" / f"{name}.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({**circumstances(command), **numbers}, indent=1) + "\n")
    return say(SAVED.format(path=path.relative_to(ROOT)))


def circumstances(command):
    """What a measured number needs beside it: command, date, profile, hardware, versions."""
    import torchvision

    where = torch.cuda.get_device_name() if device().type == "cuda" else f"{device().type}, {platform.machine()}"
    return {
        "command": command,
        "date": date.today().isoformat(),
        "profile": profile(),
        "hardware": f"{where}, {os.cpu_count()} CPU cores",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
        },
    }
