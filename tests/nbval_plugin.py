"""nbval, stricter: what a notebook must do in CI beyond ending without an error.

Every kernel runs in the smoke profile, on one thread, without network, with a fresh cache (or the caller's
TP_CACHE); TP_MIRROR reaches it as it is, and solutions run with TP_STRICT=1. On top of nbval, these fail:

- a kernel that dies: within seconds, and the rest of its notebook is not tried;
- a notebook in which no code ran;
- a skipped cell whose metadata has no `skip_reason`;
- a cell that is to raise an exception, and raises none;
- a shell command (`!…`), since nobody looks at its exit status;
- NBVAL_CHECK_OUTPUT on a cell without a stored output to compare with.

The end of the report says for each notebook how long it took and how many cells ran.
"""

import os
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from queue import Empty

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel, start_new_kernel
from nbval.plugin import IPyNbCell, IPyNbFile

ROOT = Path(__file__).resolve().parent.parent
POLL = 1.0  # seconds between two looks at whether a kernel is alive
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
UNSET = ("TP_RESULTS", "TP_STRICT", "NBGRADER_EXECUTION", "MPLBACKEND")
CACHE = pytest.StashKey[str]()

# What is said to the author of a notebook.
DIED = "the kernel died (exit status {status}) while this cell ran: os._exit, a crash, or killed for want of memory"
NOT_TRIED = "not tried: {why} in an earlier cell"
NO_REASON = "this cell is skipped: say why in its metadata, skip_reason=\"…\""
SHELL = "a shell command: its exit status goes unnoticed; call a function instead"
NOTHING_TO_CHECK = "NBVAL_CHECK_OUTPUT checks nothing here: the cell has no stored output"
NOTHING_RAISED = "this cell is tagged raises-exception, and raised none"
NOTHING_RAN = "no code of this notebook ran"


class KernelDied(RuntimeError):
    """The kernel process is gone."""


class Kernel(RunningKernel):
    """A kernel in the environment of the tests; waiting for its messages ends when it dies."""

    def __init__(self, cwd, startup_timeout, env):
        self.km, self.kc = start_new_kernel(startup_timeout, CURRENT_ENV_KERNEL_NAME, cwd=cwd, env=env,
                                            stderr=subprocess.DEVNULL)
        self._ensure_iopub_up()

    def get_message(self, stream, timeout=None):
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            left = end - time.monotonic()
            alive = self.is_alive()  # asked first: what a kernel said before it died is still read
            try:
                return super().get_message(stream, timeout=min(max(left, 0), POLL))
            except Empty:
                if not alive:
                    raise KernelDied(DIED.format(status=self.km.provisioner.process.returncode)) from None
                if left <= POLL:
                    raise


class Notebook(IPyNbFile):
    """A notebook: an item for its rules, one for each code cell, and one that asks whether anything ran."""

    ran, over = 0, None

    def collect(self):
        cells = list(super().collect())
        for cell in cells:
            if cell.options["skip"]:
                cell.add_marker(pytest.mark.skip(reason=cell.cell.metadata.get("skip_reason", NO_REASON)))
        return [Assertion.from_parent(self, name="rules", holds=lambda: rules(cells)), *cells,
                Assertion.from_parent(self, name="ran", holds=lambda: [] if self.ran else [NOTHING_RAN])]

    def setup(self):
        self.kernel = Kernel(str(self.path.parent), self.config.option.nbval_kernel_startup_timeout,
                             environment(self.path, self.config.stash[CACHE]))

    def teardown(self):
        if hasattr(self.kernel, "km"):  # nbval leaves the channels of a dead kernel open
            self.kernel.stop()


class Assertion(pytest.Item):
    """Something that must hold of a notebook: `holds` returns the complaints."""

    def __init__(self, *, holds, **options):
        super().__init__(**options)
        self.holds = holds

    def runtest(self):
        if complaints := self.holds():
            pytest.fail("\n".join(complaints), pytrace=False)

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}: {self.name}"


def rules(cells):
    """The complaints about the cells of a notebook that can be made without running them."""
    found = []
    for cell in cells:
        python = TransformerManager().transform_cell(cell.cell.source)
        for wrong, complaint in (
            (cell.options["skip"] and not cell.cell.metadata.get("skip_reason"), NO_REASON),
            (cell.options["check"] and cell.cell.execution_count is None, NOTHING_TO_CHECK),
            ("get_ipython().system(" in python or "get_ipython().getoutput(" in python, SHELL),
        ):
            if wrong:
                first_line = cell.cell.source.strip().partition("\n")[0]
                found.append(f"{cell.name}: {complaint}\n    {first_line} …")
    return found


def environment(notebook, cache):
    """The environment of a notebook's kernel."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    path = [str(ROOT / "tests" / "offline"), str(ROOT), *filter(None, [kept.get("PYTHONPATH")])]
    return {**kept, **dict.fromkeys(THREADS, "1"), "TP_PROFILE": "smoke", "TP_CACHE": cache,
            "PYTHONPATH": os.pathsep.join(path), **({"TP_STRICT": "1"} if notebook.parent.name == "solutions" else {})}


# ---- pytest's hooks


def pytest_configure(config):
    """A cache for all kernels: the caller's, else a temporary folder that the first process makes for all."""
    if hasattr(config, "workerinput"):
        config.stash[CACHE] = config.workerinput["tp_cache"]
        return
    config.pluginmanager.register(Summary())
    config.stash[CACHE] = os.environ.get("TP_CACHE") or temporary_folder(config)


def temporary_folder(config):
    folder = tempfile.TemporaryDirectory(prefix="tp-cache-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    return folder.name


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):  # pytest-xdist's, before a worker starts
    node.workerinput["tp_cache"] = node.config.stash[CACHE]


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    found = yield
    return [Notebook.from_parent(parent, path=file_path) if type(node) is IPyNbFile else node for node in found]


def pytest_runtest_setup(item):
    if isinstance(item, IPyNbCell) and item.parent.over:
        pytest.xfail(NOT_TRIED.format(why=item.parent.over))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    if not isinstance(item, IPyNbCell):
        return (yield)
    notebook = item.parent
    notebook.ran += any(line.strip() and not line.lstrip().startswith("#") for line in item.cell.source.splitlines())
    try:
        result = yield
    except KernelDied as death:
        notebook.over = "the kernel died"
        item.raise_cell_error(str(death))
    finally:
        if notebook.timed_out:
            notebook.over = "the time was up"
    if item.options["check_exception"] and not any(out.output_type == "error" for out in item.test_outputs):
        item.raise_cell_error(NOTHING_RAISED)
    return result


class Summary:
    """One line for each notebook at the end of the report."""

    def __init__(self):
        self.seconds, self.cells = defaultdict(float), defaultdict(int)

    def pytest_runtest_logreport(self, report):
        notebook, _, name = report.nodeid.partition("::")
        if notebook.endswith(".ipynb"):
            self.seconds[notebook] += report.duration
            self.cells[notebook] += report.when == "call" and name.startswith("Cell ") and not report.skipped

    def pytest_terminal_summary(self, terminalreporter):
        if self.seconds:
            terminalreporter.section("notebooks")
        for notebook, seconds in sorted(self.seconds.items()):
            terminalreporter.write_line(f"{seconds:6.1f} s  {self.cells[notebook]:3d} cells  {notebook}")
