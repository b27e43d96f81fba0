"""The command line: python -m tp_utils lab, run, outputs, build, new, judge, study, data, doctor."""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # as in runtime, which is heavy to import

# What is said to the reader.
NO_LAB = "JupyterLab is not installed: `make lab` does it, or pip install -e '.[lab]' -c constraints.txt"
NEXT = "CONTRIBUTING.md says how to go on."
NO_SOLUTIONS = "there are no solutions here: solutions/ is the instructor's"
UNKNOWN_SET = "no data set named {names}; there are {known}"
NOT_WRITABLE = "cannot write to {folder}: {why}"
MIRROR = "A classroom mirror, for use with TP_MIRROR={folder} (MNIST is embedded, it needs none)"
LEFT_OUT = "left out, since only a sample is to be had here: {names}"
UNKNOWN_ROW = "no method named {names}; there are {known}"
NOT_SEEDS = "seeds are numbers and ranges, such as 0-4 or 0,2,5-7, not {text!r}"
NO_JOBS = "--jobs is a number from 1 on, or -1 for all cores, not {jobs}"
NO_DASK = "--dask needs dask.distributed: pip install distributed -c constraints.txt"
NO_CLUSTER = "there is no Dask cluster at {address}: {why}"
SMOKE_STUDY = "the smoke profile measures nothing: set TP_PROFILE=cpu or full, or name another file with --to"


class BadInput(Exception):
    """Something that the user wrote cannot be done: one line, exit status 2."""


def main(arguments=None):
    """Carry out a command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):  # not every terminal has all that is said: ? for what is missing
        if getattr(stream, "errors", None) == "strict":
            stream.reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    try:
        return options.do(options)
    except BadInput as error:
        print(f"tp_utils: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def parser():
    top = argparse.ArgumentParser("python -m tp_utils", description="Practicals in deep learning for images.")
    verbs = top.add_subparsers(required=True, metavar="COMMAND")

    def verb(do, among, name, text):
        added = among.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(do=do)
        return added

    lab = verb(do_lab, verbs, "lab", "open the notebooks in JupyterLab")
    lab.add_argument("--port", type=int, default=8888, help="the next free one is taken if it is in use")
    lab.add_argument("--ip", default="127.0.0.1", help="0.0.0.0: to be reached from other machines")
    for do, name, text in ((do_run, "run", "execute the solutions and write pages to build/html"),
                           (do_outputs, "outputs", "execute the solutions and store their outputs and results"),
                           (do_build, "build", "write the student notebooks, and README's numbers and gallery")):
        verb(do, verbs, name, text).add_argument("tp", nargs="?", metavar="TP", help="e.g. tp08; default: all")
    new = verb(do_new, verbs, "new", "write the files of a new practical, with one exercise that works")
    new.add_argument("number", type=int, help="e.g. 15")
    new.add_argument("subject", help="words for the names of its files, e.g. residual_networks")
    verb(do_judge, verbs, "judge", "train the judge of generated digits anew")
    study = verb(do_study, verbs, "study", "measure the rows of a practical's table, in parallel; goes on where it was")
    study.add_argument("name", choices=["few-labels"], help="few-labels: the table of TP 11")
    study.add_argument("--method", nargs="+", metavar="ROW", help="rows of the table; default: all")
    study.add_argument("--draw", nargs="+", choices=["random", "balanced"], default=["random", "balanced"])
    study.add_argument("--seeds", default="0-4", help="e.g. 0-4 or 0,2,5-7 (default: %(default)s)")
    study.add_argument("--jobs", type=int, default=1, help="cells trained at the same time (default: %(default)s)")
    study.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler that is running, e.g. tcp://host:8786")
    study.add_argument("--to", type=Path, metavar="FILE", help="default: results/tp11.json")
    data = verbs.add_parser("data", help="data sets: where they are, and a mirror of them")
    data = data.add_subparsers(required=True, metavar="COMMAND")
    verb(do_data_status, data, "status", "where each data set would come from")
    export = verb(do_data_export, data, "export", "write a classroom mirror: a folder to be named by TP_MIRROR")
    export.add_argument("folder", type=Path)
    export.add_argument("names", nargs="*", help="data sets (default: all)")
    verb(do_doctor, verbs, "doctor", "what to send along with a question: versions, device, places of the data")
    return top


# ---- the verbs: each imports what it needs, and says in one line what is wrong with its arguments


def do_lab(options):
    """JupyterLab on notebooks/, from here on this process."""
    from .lab import lab_environment, lab_flags

    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        raise BadInput(NO_LAB) from None
    os.environ.update(lab_environment())
    return LabApp.launch_instance(lab_flags(options.port, options.ip))


def do_run(options):
    with_sources(options.tp)
    from .authoring.run import run_solutions

    return run_solutions(options.tp)


def do_outputs(options):
    with_sources(options.tp)
    from .authoring.run import store_outputs

    return int(store_outputs(options.tp))


def do_build(options):
    with_sources(options.tp)
    from .authoring.build import write_notebooks
    from .authoring.readme import update_readme
    from .runtime import ResultsError

    try:
        written = [*write_notebooks(options.tp), *update_readme()]
    except (FileNotFoundError, ResultsError) as error:
        raise BadInput(error) from None
    for path in written:
        print(path.relative_to(ROOT))
    return 0


def do_new(options):
    with_sources(None)
    from .authoring.new import new_practical

    try:
        written = new_practical(options.number, options.subject)
    except ValueError as error:
        raise BadInput(error) from None
    for path in written:
        print(path.relative_to(ROOT))
    print(NEXT)
    return 0


def do_judge(options):
    from .measure.judge import FILE, train_judge

    print(f"{FILE.relative_to(ROOT)}: {train_judge():.2%} of the test images right")
    return 0


def do_study(options):
    """Measure what is missing, a line for each cell that is done."""
    from .authoring import study
    from .runtime import ResultsError, profile

    try:
        known = study.study_rows()
    except FileNotFoundError as error:
        raise BadInput(error) from None
    rows = options.method or list(known)
    if unknown := [row for row in rows if row not in known]:
        raise BadInput(UNKNOWN_ROW.format(names=", ".join(unknown), known=", ".join(known)))
    if options.jobs < 1 and options.jobs != -1:
        raise BadInput(NO_JOBS.format(jobs=options.jobs))
    if profile() == "smoke" and options.to is None:
        raise BadInput(SMOKE_STUDY)
    try:
        for line in study.run_study(rows, options.draw, seeds(options.seeds), options.jobs, options.dask,
                              options.to or study.FILE):
            print(line, flush=True)
    except ModuleNotFoundError as error:
        raise BadInput(NO_DASK if error.name in ("dask", "distributed") else error) from None
    except (FileNotFoundError, ResultsError) as error:
        raise BadInput(error) from None
    except (OSError, ValueError) as error:
        if options.dask:
            raise BadInput(NO_CLUSTER.format(address=options.dask, why=error)) from None
        raise
    return 0


def seeds(text):
    """The numbers in "0-4" or "0,2,5-7"."""
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise BadInput(NOT_SEEDS.format(text=text))
    ends = [part.split("-") for part in text.split(",")]
    return [seed for first, *last in ends for seed in range(int(first), int((last or [first])[0]) + 1)]


def with_sources(tp):
    """Raise BadInput unless there is a solution of that name, and TP_PROFILE is one."""
    from .authoring.build import SOLUTIONS, sources
    from .runtime import profile

    if not list(SOLUTIONS.glob("tp*.py")):
        raise BadInput(NO_SOLUTIONS)
    try:
        sources(tp)
        profile()
    except ValueError as error:
        raise BadInput(error) from None


def do_data_status(options):
    from .data import NAMES
    from .data.places import cached_path, where
    from .runtime import cache_path, size
    from .show import Table

    try:
        kept = {name: cached_path(name) for name in NAMES}
        rows = [[name, where(name), size(kept[name]) if os.path.exists(kept[name]) else ""] for name in NAMES]
        print(Table(["data set", "place", "size"], rows, caption=f"cache: {cache_path()}"))
    except FileNotFoundError as error:  # TP_CACHE or TP_MIRROR names no home folder
        raise BadInput(error) from None
    return 0


def do_data_export(options):
    from .authoring.mirror import export_mirror
    from .data import NAMES
    from .runtime import in_words, size

    if unknown := [name for name in options.names if name not in NAMES]:
        raise BadInput(UNKNOWN_SET.format(names=", ".join(unknown), known=", ".join(NAMES)))
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=options.folder).close()  # before anything is downloaded
        names = options.names or NAMES
        held = export_mirror(options.folder, names)
    except OSError as error:
        raise BadInput(NOT_WRITABLE.format(folder=options.folder, why=in_words(error))) from None
    for file in held:
        print(f"{options.folder / file}  {size(options.folder / file)}")
    if held:
        print(MIRROR.format(folder=options.folder.resolve()))
    left_out = [name for name in names if name != "mnist" and f"{name}.npz" not in held]
    if left_out:
        print(LEFT_OUT.format(names=", ".join(left_out)), file=sys.stderr)
    return int(bool(left_out))


def do_doctor(options):
    from .doctor import diagnose

    return diagnose()


if __name__ == "__main__":
    sys.exit(main())
