"""One source, two notebooks: what students get, what they don't, and that nothing was edited by hand."""

import ast
import re
import shutil
from importlib import import_module
from itertools import pairwise, zip_longest

import nbformat
import pytest

from tp_utils import checks
from tp_utils.authoring import build, readme, run
from tp_utils.runtime import ROOT

SOURCES = {source.stem: source for source in build.sources()}
METADATA = {"exercise", "answer", "tags", "skip_reason"}
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(tmp|work|root|home|Users)/|[A-Z]:\\Users|site-packages")
QUESTION = re.compile(r"\*\*Question (\d+\.\d+)\b")
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=[\"']([^\"']+)[\"']")
HOLE = 'raise NotImplementedError("Exercise {id}")'


@pytest.fixture(params=SOURCES)
def source(request):
    return SOURCES[request.param]


@pytest.fixture
def solution(source):
    """The cells of the paired solution notebook, as it is on the disk."""
    return nbformat.read(source.with_suffix(".ipynb"), 4).cells


@pytest.fixture
def student(source):
    """The cells of the student notebook, as it is on the disk."""
    return nbformat.read(build.NOTEBOOKS / f"{source.stem}.ipynb", 4).cells


def number(source):
    """The 7 of tp07_transfer_learning."""
    return int(source.stem[2:4])


def marked(cells, key):
    """{id: cell} of the cells with that metadata; an exercise has one, a question one or several (its last is kept)."""
    found = [(cell.metadata[key], cell) for cell in cells if key in cell.metadata]
    assert key == "answer" or len(dict(found)) == len(found)
    return dict(found)


def definition(cell):
    (node,) = ast.parse(cell.source).body
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    return node


def interface(node):
    """What students see of a function or class: names, arguments, docstrings, also of its methods."""
    methods = node.body if isinstance(node, ast.ClassDef) else ()
    parts = [node, *(part for part in methods if isinstance(part, ast.FunctionDef))]
    return [(ast.get_docstring(part), re.sub(r"(?s)^.*?((?:class|def) .*?:)\n.*", r"\1", ast.unparse(part)))
            for part in parts]


# ---- the files in the repository


def test_making_the_notebooks_again_changes_no_byte(tmp_path, monkeypatch):
    folders = {name: getattr(build, name) for name in ("SOLUTIONS", "NOTEBOOKS")}
    for name, folder in folders.items():
        shutil.copytree(folder, tmp_path / name, ignore=shutil.ignore_patterns(".*"))
        monkeypatch.setattr(build, name, tmp_path / name)
    written = build.write_notebooks()
    assert len(written) == 2 * len(SOURCES)
    for path in written:
        assert path.read_bytes() == (folders[path.parent.name] / path.name).read_bytes(), f"{path.name}: make notebooks"


def test_there_is_no_notebook_without_a_source():
    for folder in (build.SOLUTIONS, build.NOTEBOOKS):
        assert {path.stem for path in folder.glob("*.ipynb")} == set(SOURCES)


def test_a_source_and_its_paired_notebook_agree_cell_by_cell(source, solution):
    import jupytext

    def content(cell):
        known = cell and {key: cell.metadata[key] for key in METADATA & set(cell.metadata)}
        return cell and (cell.cell_type, cell.source, known)

    for number, (one, other) in enumerate(zip_longest(solution, jupytext.read(source).cells)):
        assert content(one) == content(other), f"cell {number}: make notebooks"


def test_cells_carry_only_the_metadata_that_is_known(solution, student):
    for cell in [*solution, *student]:
        assert set(cell.metadata) <= METADATA


def test_stored_outputs_hold_no_error_no_machine_path_and_no_widget(solution):
    for cell in solution:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            assert run.WIDGET not in output.get("data", {})
            text = [output.get("text", ""), *(str(value) for mime, value in output.get("data", {}).items()
                                              if mime.startswith("text/") and "base64," not in str(value))]
            assert not MACHINE_PATH.search("\n".join(text)), text


# ---- what students get


def leaks(source, cells):
    """The lines of a student notebook that belong to the solution alone."""
    return {line.strip() for cell in cells for line in cell.source.splitlines()} & build.solution_lines(source)


def test_no_line_of_the_solution_is_left(source, student):
    assert leaks(source, student) == set()
    assert not any("### BEGIN SOLUTION" in cell.source or "### END SOLUTION" in cell.source for cell in student)
    assert not any("solution" in cell.metadata.get("tags", ()) for cell in student)


def test_a_planted_leak_is_found(source, student, solution):
    answer = max(next(iter(marked(solution, "answer").values())).source.splitlines(), key=len)
    exercise = next(iter(marked(solution, "exercise").values())).source
    line = max(exercise.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0].splitlines(), key=len)
    for planted in (answer, line):
        assert leaks(source, [*student, nbformat.v4.new_markdown_cell(f"text\n  {planted}\n")]) == {planted.strip()}


def test_student_notebooks_have_no_outputs_and_no_execution_counts(student):
    code = [cell for cell in student if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


# ---- exercises


def test_exercises_are_in_order_and_complete_and_each_has_its_check(source, solution, student):
    module = import_module(f"tp_utils.checks.{source.stem[:4]}")
    ids = list(marked(solution, "exercise"))
    assert ids == [f"{number(source)}.{i}" for i in range(1, len(ids) + 1)]
    assert ids == checks.exercises(module) == list(marked(student, "exercise"))


def test_an_exercise_is_one_function_or_class_and_students_see_its_signature_docstring_and_hole(solution, student):
    holes = marked(student, "exercise")
    for id, cell in marked(solution, "exercise").items():
        solved, hole = definition(cell), definition(holes[id])
        assert interface(hole) == interface(solved)
        assert ast.get_docstring(solved), f"exercise {id} has no docstring"
        assert HOLE.format(id=id) in [ast.unparse(node).replace("'", '"') for node in ast.walk(hole)
                                      if isinstance(node, ast.Raise)]


def test_each_exercise_is_announced_in_the_text_before_it(solution):
    for i, cell in enumerate(solution):
        if id := cell.metadata.get("exercise"):
            assert f"### Exercise {id}: `{definition(cell).name}`" in solution[i - 1].source


def test_each_exercise_is_followed_by_its_check(solution, student):
    for cells in (solution, student):
        for cell, after in pairwise(cells):
            if id := cell.metadata.get("exercise"):
                name = definition(cell).name
                assert after.source == f'{name} = tp.check("{id}", {name})'


def test_the_student_version_of_an_exercise_is_not_done_yet(student):
    space = {"__name__": "student"}
    for cell in student:
        if "setup" in cell.metadata.get("tags", ()) or "exercise" in cell.metadata:
            exec(cell.source, space)
        if id := cell.metadata.get("exercise"):
            assert checks.judge(id, space[definition(cell).name]).verdict == checks.NOT_DONE


def test_the_setup_comes_first_it_imports_and_defines_what_an_earlier_practical_made(solution, student):
    for cells in (solution, student):
        code = [cell for cell in cells if cell.cell_type == "code"]
        setup = [cell for cell in code if "setup" in cell.metadata.get("tags", ())]
        assert setup and setup == code[:len(setup)]
        assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(code[0].source).body)
        assert all(isinstance(node, ast.FunctionDef) for cell in setup[1:] for node in ast.parse(cell.source).body)


# ---- questions and text


FIRST_QUESTION = {10: 6}  # the documents number TP 10's questions on from TP 9's


def test_questions_are_in_order_and_complete(source, solution, student):
    for cells in (solution, student):
        ids = [id for cell in cells if cell.cell_type == "markdown" for id in QUESTION.findall(cell.source)]
        first = FIRST_QUESTION.get(number(source), 1)
        assert ids == [f"{number(source)}.{i}" for i in range(first, first + len(ids))]


def test_each_question_is_followed_by_its_answer_cells(solution, student):
    for cells in (solution, student):
        asked = {id: place for place, cell in enumerate(cells) for id in QUESTION.findall(cell.source)}
        answered = {id: cells.index(cell) for id, cell in marked(cells, "answer").items()}
        assert set(asked) == set(answered)
        assert all(asked[id] < answered[id] for id in asked)
        assert all(cells[place].cell_type == "markdown" for place in answered.values())


def test_model_answers_are_written_and_the_students_are_empty(solution, student):
    assert all(len(cell.source) > 20 for cell in marked(solution, "answer").values())
    for cell in student:
        if id := cell.metadata.get("answer"):
            assert cell.source == f"*Your answer to Question {id}:*"


def test_the_first_cell_says_the_title_and_the_goal(source, solution):
    result = run.Result(source.stem, nbformat.v4.new_notebook(cells=solution), 0.0)
    assert result.title.startswith(f"TP {number(source)}: ")
    assert len(result.goal) > 20


def test_links_in_the_text_lead_somewhere_and_no_path_of_a_machine_is_named(source, student, solution):
    for folder, cells in ((build.SOLUTIONS, solution), (build.NOTEBOOKS, student)):
        for cell in cells:
            assert not MACHINE_PATH.search(cell.source)
            targets = [a or b for a, b in LINK.findall(cell.source)] if cell.cell_type == "markdown" else []
            for target in targets:
                if not re.match("[a-z]+:|#", target):
                    assert (folder / target.partition("#")[0]).exists(), f"{source.stem}: {target}"


# ---- building and running sources that were made up for it


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


# ---- README


def test_the_numbers_and_the_gallery_of_readme_are_those_of_results_and_outputs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.split(readme.BEGIN)[1].split(readme.END)[0] == readme.measured_table(), "make notebooks"
    for path in sorted(build.SOLUTIONS.glob("tp*.ipynb")):
        name, data = readme.gallery_picture(path)
        assert (readme.GALLERY / name).read_bytes() == data, "make notebooks"
        assert f"docs/gallery/{name}" in text
