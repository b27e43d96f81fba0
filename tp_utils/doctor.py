"""What a teaching assistant asks for first: versions, device, places of the data (python -m tp_utils doctor)."""

import os
import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # as in runtime, which is heavy to import, and may be what is broken

UNREACHABLE = "{place}, not usable: {why}"  # said to the reader


def diagnose():
    """Print one part after the other; a broken one is named, and makes the exit status 1."""
    broken = 0
    for part in (system_lines, versions_lines, device_lines, settings_lines, cache_lines, mirror_lines, solutions_lines,
                 data_sets_lines, networks_lines):
        print(part.__name__.removesuffix("_lines").replace("_", " "))
        try:
            for line in part():
                print(f"  {line}")
        except Exception as error:  # whatever is broken on this machine: to find out is the purpose
            broken += 1
            print(f"  BROKEN: {type(error).__name__}: {error}")
    return int(broken > 0)


def system_lines():
    import platform

    yield f"Python {platform.python_version()}, {sys.executable}"
    yield f"{platform.platform()}, {os.cpu_count()} CPU cores"
    yield f"course in {ROOT}"


def versions_lines():
    """Those of the packages that pyproject.toml asks for, beside the tested ones."""
    tested = pins()
    for name in requested():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield f"{name}: NOT INSTALLED (tested with {tested[name]})"
            continue
        same = installed.partition("+")[0] == tested[name]  # 2.15.0+cpu is 2.15.0
        yield f"{name} {installed}" + ("" if same else f" (tested with {tested[name]})")


def pins():
    """{package: version} of constraints.txt."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==([^\s;#]+)", text, re.MULTILINE))


def requested():
    """The packages that students need, from pyproject.toml."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["lab"]
    return [re.match(r"[\w.-]+", line)[0] for line in lines]


def device_lines():
    import torch

    from .runtime import device, precision, profile

    yield f"{device()}, profile {profile()}"
    yield f"training in {str(precision()).removeprefix('torch.')} (TP_PRECISION)"
    for number in range(torch.cuda.device_count()):
        gpu = torch.cuda.get_device_properties(number)
        yield f"cuda:{number}: {gpu.name}, {gpu.total_memory / 2**30:.0f} GiB"
    torch.ones(2, device=device()).sum().item()  # a driver that does not fit shows itself here


def settings_lines():
    found = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("TP_"))
    yield from found or ["no TP_… variable is set"]


def cache_lines():
    import shutil

    from .runtime import cache_dir, size

    folder = cache_dir()
    yield f"{folder}, {size(folder)}; {shutil.disk_usage(folder).free / 1e9:,.0f} GB free on its disk"


def mirror_lines():
    """Asked once; if it does not answer, what follows leaves it out: nobody waits for it ten times."""
    from .data.fetch import FetchError, mirror, sums

    if mirror() is None:
        yield "none (TP_MIRROR is not set)"
        return
    try:
        yield f"{mirror()}, {len(sums(mirror()))} files"
    except FetchError as error:
        yield UNREACHABLE.format(place=mirror(), why=error)
        del os.environ["TP_MIRROR"]


def solutions_lines():
    found = sorted(path.stem for path in (ROOT / "solutions").glob("tp*.py"))
    yield ", ".join(found) if found else "none: the instructor's"


def data_sets_lines():
    from .data import NAMES
    from .data.places import where

    for name in NAMES:
        yield f"{name}: {where(name)}"


def networks_lines():
    from .nets import NAMES, weights_place

    for name in NAMES:
        yield f"{name}: {weights_place(name)}"
