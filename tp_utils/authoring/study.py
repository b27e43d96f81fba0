"""The study behind TP 11's table: rows × draws × seeds, in parallel, each finished cell written at once.

    python -m tp_utils study few-labels --method cnn dcgan --seeds 0-4 --jobs 2

The rows are functions of the solution notebook (its dict `rows`): what stands there is what is measured.

Cells that the file already holds are not trained again, so a study that was stopped goes on where it was. With
--dask ADDRESS the cells are spread over a Dask cluster that is already there; a worker that dies costs its cell's time.
"""

import contextlib
import io
from functools import cache

from ..runtime import ROOT, append_cell, cells, circumstances, locked, profile

FILE = ROOT / "results" / "tp11.json"
IDENTITY = ("row", "draw", "seed", "profile")
PROTOCOL = ("MNIST; 100 labels, drawn at random or 10 per class, a seed fixes the draw and all randomness; fixed "
            "budgets, last weights; the 10,000 test images decide nothing")

# What is said to the reader.
DONE = "{row}, {draw}, seed {seed}: {test_accuracy:.2%} in {seconds:.0f} s ({left} of {total} left)"
NOTHING = "{total} cells, all of them measured before: {file}"
NO_SOLUTIONS = "the study trains with the solutions of TP 11, and solutions/ is not there"


def notebook():
    """{name: value}: what the solution notebook of TP 11 defines. Raises FileNotFoundError where there is none."""
    from ..checks import definitions

    found = definitions(11)
    if not found:
        raise FileNotFoundError(NO_SOLUTIONS)
    return found


def study_rows():
    """{row: (a function of a Case, its augmentation or None)}, as it stands in the notebook. Raises as notebook()."""
    return notebook()["rows"]


@cache
def digits():
    """MNIST, read once in a worker."""
    from .. import data

    return data.mnist()


def cell(row, draw, seed, threads):
    """One cell, measured in a worker: what tp11.measure_row gives, and the circumstances."""
    import torch

    from ..practicals import tp11

    torch.set_num_threads(threads)
    function, augment = study_rows()[row]
    with contextlib.redirect_stdout(io.StringIO()):  # the progress of several cells at once is no help
        case = tp11.drawn_case(digits(), draw, seed, notebook()["draw_labels"], augment)
        found = tp11.measure_row(function, case)
    return {"row": row, "draw": draw, "seed": seed, **found, **circumstances("python -m tp_utils study few-labels")}


def run_study(rows, draws, seeds, jobs=1, address=None, file=FILE):
    """Measure what is missing of rows × draws × seeds; yields a line for each cell, after it was written to `file`.

    Raises ResultsError, before anything is trained, for a results file that is damaged or cannot be written.

    jobs: cells at the same time, -1: as many as there are cores;  address: of a Dask scheduler, or None
    """
    from joblib import Parallel, cpu_count, delayed

    from ..practicals.tp11 import draws_of

    notebook()  # before anything is started
    known = {tuple(one[key] for key in IDENTITY) for one in cells(file, IDENTITY)}
    wanted = [(row, draw, seed) for seed in seeds for row in rows for draw in draws if draw in draws_of(row)]
    todo = [which for which in wanted if (*which, profile()) not in known]
    if not todo:
        yield NOTHING.format(total=len(wanted), file=file)
        return
    with locked(file):  # can it be written? Better asked before the hours than after
        pass
    threads = max(1, cpu_count() // (cpu_count() if jobs == -1 else jobs))
    with cluster(address):
        work = Parallel(-1 if address else jobs, return_as="generator_unordered")
        for left, one in zip(range(len(todo) - 1, -1, -1), work(delayed(cell)(*which, threads) for which in todo),
                             strict=True):
            append_cell(one, file, IDENTITY, protocol=PROTOCOL)
            yield DONE.format(left=left, total=len(todo), **one)


@contextlib.contextmanager
def cluster(address):
    """joblib's work on the Dask cluster at that address; None: on this machine."""
    if address is None:
        yield
        return
    from dask.distributed import Client
    from joblib import parallel_config

    with Client(address, set_as_default=True), parallel_config("dask"):
        yield
