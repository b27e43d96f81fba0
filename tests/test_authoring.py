"""Building and running sources that were made up for it."""

import re

import nbformat
import pytest

from tp_utils.authoring import build, run
from tp_utils.runtime import ROOT

FAKE = '''# %% [markdown]
# # TP 1: A <fake>
#
# **Goal.** Learn *nothing*
# at `all`.

# %% tags=["setup"]
from tp_utils import runtime, show

# %% [markdown]
# **Question 1.1** Why?

# %% [markdown] answer="1.1"
# For no reason at all.

# %% exercise="1.1"
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return x + x  # the same as 2 * x
    ### END SOLUTION


# %%
runtime.say("scenes: from the cache", data="scenes", place="prepared before (cache)")
runtime.say("vgg16, embedded", network="vgg16", place="embedded")
fig, axis = show.figure()
fig

# %% tags=["solution"]
print("for the instructor", double(2))

# %% tags=["nbval-skip"] skip_reason="takes an hour"
print("skipped by nbval only")
'''
FINE = '# %% [markdown]\n# # TP 1: Fine\n#\n# **Goal.** Run.\n\n# %% tags=["solution"]\nprint("fine")\n'
FAILING = '# %% [markdown]\n# # TP 2: Failing\n#\n# **Goal.** Fail.\n\n# %%\n1 / 0\n\n# %%\nprint("never")\n'
DYING = '# %% [markdown]\n# # TP 3: Dying\n#\n# **Goal.** Die.\n\n# %%\nimport os\n\nos._exit(1)\n'


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    """A folder with a source in solutions/, and the functions that write into it."""
    monkeypatch.setattr(build, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(build, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(run, "PAGES", tmp_path / "build" / "html")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setenv("TP_RESULTS", "")
    monkeypatch.setenv("TP_PROFILE", "smoke")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    for folder in ("solutions", "notebooks"):
        (tmp_path / folder).mkdir()
    add(tmp_path, "tp01_fake", FAKE)
    return tmp_path


def add(folder, name, text):
    (folder / "solutions" / f"{name}.py").write_text(text)


def test_building_writes_both_notebooks_and_the_second_time_the_same(fakes):
    written = build.write_notebooks("tp01")
    assert [path.relative_to(fakes).as_posix() for path in written] == [
        "solutions/tp01_fake.ipynb", "notebooks/tp01_fake.ipynb"]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in written]
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in build.write_notebooks()] == before


def test_the_student_notebook_of_a_source(fakes):
    build.write_notebooks()
    cells = nbformat.read(fakes / "notebooks" / "tp01_fake.ipynb", 4).cells
    assert [cell.id for cell in cells] == [f"tp01-00{i}" for i in range(7)]
    assert cells[3].source == "*Your answer to Question 1.1:*"
    assert cells[4].source == 'def double(x):\n    """Twice x."""\n    raise NotImplementedError("Exercise 1.1")'
    assert cells[6].metadata == {"tags": ["nbval-skip"], "skip_reason": "takes an hour"}
    assert "instructor" not in str(cells)


@pytest.mark.parametrize("function", [build.write_notebooks, run.run_solutions, run.store_outputs])
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(fakes, function):
    with pytest.raises(ValueError, match="no solution named tp99; there are tp01_fake"):
        function("tp99")


def test_without_any_source_the_error_says_so(fakes):
    (fakes / "solutions" / "tp01_fake.py").unlink()
    with pytest.raises(ValueError, match="there are none"):
        build.write_notebooks()


def test_running_writes_a_page_an_index_and_a_table(fakes, capsys):
    build.write_notebooks()
    assert run.run_solutions() == 0
    page = (fakes / "build" / "html" / "tp01_fake.html").read_text()
    assert "for the instructor 4" in page
    index = (fakes / "build" / "html" / "index.html").read_text()
    for part in ('href="tp01_fake.html"', "TP 1: A &lt;fake&gt;", "Learn nothing at all.", "profile smoke",
                 "data:image/png;base64,iVBOR", "scenes: prepared before (cache)", "vgg16: embedded"):
        assert part in index
    assert re.search(r"ran in \d+ s", index)
    said = capsys.readouterr().out
    assert re.search(r"tp01_fake +ran +\d+ +scenes: prepared before \(cache\); vgg16: embedded", said)
    assert "build/html/index.html" in said


def test_a_failing_and_a_dying_notebook_are_named_and_the_others_still_run(fakes, capsys):
    add(fakes, "tp01_fake", FINE)
    add(fakes, "tp02_failing", FAILING)
    add(fakes, "tp03_dying", DYING)
    build.write_notebooks()
    assert run.run_solutions() == 1
    said = capsys.readouterr().out
    assert re.search("tp01_fake +ran", said)
    assert re.search("tp02_failing +failed", said)
    assert re.search("tp03_dying +failed", said)
    assert "ZeroDivisionError" in said
    index = (fakes / "build" / "html" / "index.html").read_text()
    assert index.count("<small>failed") == 2


def test_storing_outputs_keeps_them_through_the_next_build(fakes):
    add(fakes, "tp01_fake", FINE)
    (paired, _) = build.write_notebooks()
    assert not run.store_outputs("tp01")
    stored = paired.read_bytes()
    cells = nbformat.reads(stored.decode(), 4).cells
    assert cells[1].outputs[0].text == "fine\n"
    build.write_notebooks()
    assert paired.read_bytes() == stored


def test_outputs_of_a_failing_notebook_are_not_stored(fakes, capsys):
    add(fakes, "tp02_failing", FAILING)
    (paired, _) = build.write_notebooks("tp02")
    before = paired.read_bytes()
    assert run.store_outputs("tp02")
    assert paired.read_bytes() == before
