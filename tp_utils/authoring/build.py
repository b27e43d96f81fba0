"""From the sources to the notebooks: solutions/tpNN_*.py → its paired .ipynb → notebooks/tpNN_*.ipynb.

In a source (jupytext, py:percent):
    # %% tags=["setup"]              imports; executed to get at the reference solutions
    # %% exercise="8.1"              one function or class, its answer between the nbgrader delimiters
    # %% [markdown] answer="8.2"     the model answer of Question 8.2; an empty answer cell for students
    # %% tags=["solution"]           a cell that students do not get
"""


import jupytext
import nbformat

from ..runtime import ROOT

SOLUTIONS, NOTEBOOKS = ROOT / "solutions", ROOT / "notebooks"
METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"}}
KEPT = ("exercise", "answer", "tags", "skip_reason")

# What is said to the student.
EMPTY_ANSWER = "*Your answer to Question {id}:*"
HOLE = 'raise NotImplementedError("Exercise {id}")'


def sources(only=None):
    """The source scripts, in order; `only` a name such as "tp08" to take one. Raises ValueError if there is none."""
    every = sorted(SOLUTIONS.glob("tp[0-9][0-9]_*.py"))
    found = [path for path in every if only in (None, path.stem[:4], path.stem)]
    if not found:
        raise ValueError(f"no solution named {only}; there are {', '.join(p.stem for p in every) or 'none'}")
    return found


def write_notebooks(only=None):
    """Write the paired solution notebooks (outputs of unchanged cells are kept) and the student notebooks."""
    written = []
    for source in sources(only):
        paired = source.with_suffix(".ipynb")
        written += [write(solution_notebook(source), paired),
                    write(student_notebook(source), NOTEBOOKS / paired.name)]
    return written


def solution_notebook(source):
    """The notebook of a source, with the outputs that its paired .ipynb has for unchanged cells."""
    notebook = jupytext.read(source)
    paired = source.with_suffix(".ipynb")
    if paired.exists():
        keep_outputs(notebook, nbformat.read(paired, 4))
    return tidy(notebook, source.stem)


def keep_outputs(notebook, before):
    """Give each code cell the outputs of a cell of the very same source. (What is merely alike may print otherwise.)"""
    known = {cell.source: cell for cell in before.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and (same := known.get(cell.source)):
            cell.outputs, cell.execution_count = same.outputs, same.execution_count


def student_notebook(source):
    """The notebook for students: holes for answers, no outputs, no solution-only cells."""
    notebook = jupytext.read(source)
    notebook.cells = [student_cell(cell) for cell in notebook.cells if "solution" not in cell.metadata.get("tags", ())]
    return tidy(notebook, source.stem)


def student_cell(cell):
    from nbgrader.preprocessors import ClearSolutions

    if "answer" in cell.metadata:
        cell.source = EMPTY_ANSWER.format(id=cell.metadata["answer"])
    if "exercise" in cell.metadata:
        hole = HOLE.format(id=cell.metadata["exercise"])
        clear = ClearSolutions(code_stub={"python": hole}, enforce_metadata=False)
        cell, _ = clear.preprocess_cell(cell, {"language": "python"}, 0)
        cell.metadata.pop("nbgrader", None)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell


def tidy(notebook, stem):
    """The same bytes on every machine: fixed metadata, and cell ids by position."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in KEPT if key in cell.metadata})
        cell.id = f"{stem[:4]}-{number:03d}"
    nbformat.validate(notebook)
    return notebook


def write(notebook, path):
    """Write a notebook if its content changed; returns the path."""
    text = nbformat.writes(notebook) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8", newline="\n")
    return path
