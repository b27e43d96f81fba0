"""One source, two notebooks: what students get, what they don't, and that nothing was edited by hand."""

import ast
import re
import shutil
from itertools import zip_longest

import jupytext
import nbformat
import pytest

from tp_utils.authoring import build, run

METADATA = {"exercise", "answer", "tags", "skip_reason"}
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(tmp|work|root|home|Users)/|[A-Z]:\\Users|site-packages")
QUESTION = re.compile(r"\*\*Question (\d+\.\d+)\b")
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=[\"']([^\"']+)[\"']")


def number(source):
    """The 7 of tp07_transfer_learning."""
    return int(source.stem[2:4])


def marked(cells, key):
    """{id: cell} of the cells with that metadata; an exercise has one, a question one or several (its last is kept)."""
    found = [(cell.metadata[key], cell) for cell in cells if key in cell.metadata]
    assert key == "answer" or len(dict(found)) == len(found)
    return dict(found)


def solution_lines(source):
    """The lines of a source that no student notebook may hold: those of model answers, of exercises' answers and of
    solution-only cells, as far as no cell that students get has the same line."""
    hidden, shown = [], []
    for cell in jupytext.read(source).cells:
        whole = "answer" in cell.metadata or "solution" in cell.metadata.get("tags", ())
        parts = re.split(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, flags=re.DOTALL)
        for i, part in enumerate(parts):  # every other part is an answer
            (hidden if whole or i % 2 else shown).extend(line.strip() for line in part.splitlines())
    return {line for line in hidden if len(line) > 20} - set(shown)


# ---- the files in the repository


def test_making_the_notebooks_again_changes_no_byte(tmp_path, monkeypatch):
    folders = {name: getattr(build, name) for name in ("SOLUTIONS", "NOTEBOOKS")}
    for name, folder in folders.items():
        shutil.copytree(folder, tmp_path / name, ignore=shutil.ignore_patterns(".*"))
        monkeypatch.setattr(build, name, tmp_path / name)
    written = build.write_notebooks()
    assert len(written) == 2 * len(build.sources())
    for path in written:
        assert path.read_bytes() == (folders[path.parent.name] / path.name).read_bytes(), f"{path.name}: make notebooks"


def test_there_is_no_notebook_without_a_source():
    for folder in (build.SOLUTIONS, build.NOTEBOOKS):
        assert {path.stem for path in folder.glob("*.ipynb")} == {source.stem for source in build.sources()}


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
    return {line.strip() for cell in cells for line in cell.source.splitlines()} & solution_lines(source)


def test_a_cell_that_only_defines_has_printed_nothing(solution):
    """An output beside it would be another cell's."""
    for cell in solution:
        if cell.cell_type == "code" and all(isinstance(node, ast.FunctionDef | ast.ClassDef)
                                            for node in ast.parse(cell.source).body):
            assert cell.outputs == []


def test_outputs_are_kept_for_the_very_same_source_only():
    def notebook(*cells):
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, outputs=[
            nbformat.v4.new_output("stream", text=text)] if text else []) for source, text in cells])

    after = notebook(("a()", ""), ("b(1)", ""), ("c()", ""))
    build.keep_outputs(after, notebook(("c()", "of c"), ("a()", "of a"), ("b(2)", "of b")))
    assert [[output.text for output in cell.outputs] for cell in after.cells] == [["of a"], [], ["of c"]]


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


def plumbing(code):
    """What a cell that students read has no need of, as source."""
    for node in ast.walk(ast.parse(code)):
        inside = ast.walk(node.value) if isinstance(node, ast.FormattedValue) else ()
        nested = any(isinstance(part, ast.JoinedStr) for part in inside)
        commas = isinstance(node, ast.Expr) and isinstance(node.value, ast.Tuple)
        stutter = isinstance(node, ast.Attribute) and re.search(r"\b(\w+)\.\1$", ast.unparse(node))
        if nested or commas or stutter or (isinstance(node, ast.Attribute) and node.attr == "measuring"):
            yield ast.unparse(node)


def test_cells_that_students_read_have_no_plumbing(student):
    assert [found for cell in student if cell.cell_type == "code" for found in plumbing(cell.source)] == []


@pytest.mark.parametrize("code", [
    "if tp.measuring():\n    pass", "name = f\"tp07-{f'{rate:g}' if whole else 'last'}\"", "G.train(), D.train()",
    "len(images.images)"])
def test_plumbing_is_found(code):
    assert len(list(plumbing(code))) == 1


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
