"""The exercises of the notebooks: one cell each, announced, checked, and with a hole for students."""

import ast
import re
from importlib import import_module
from itertools import pairwise

from test_notebooks import marked, number

from tp_utils import checks

HOLE = 'raise NotImplementedError("Exercise {id}")'


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
