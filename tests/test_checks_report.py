"""What a check shows and hands out, and where the reference solutions come from."""

import copy
import inspect
import json

import pytest
import torch
from test_checks import crashes, hole, reference

from tp_utils import checks
from tp_utils.checks import NOT_DONE, WRONG, Report, WrongAnswer, answers
from tp_utils.runtime import fingerprint

# ---- the solutions


CELLS = [
    ({"tags": ["setup"]}, "import math\nSIDE = 2"),
    ({"tags": ["define"]}, "def twice(x):\n    return SIDE * x"),
    ({}, "raise AssertionError('a cell that only shows something')"),
    ({"exercise": "98.1"}, "def area(r):\n    # πr²\n    return math.pi * twice(r) * r / SIDE"),
    ({"tags": ["define"]}, "def ring(r, s):\n    return area(s) - area(r)"),
]


def test_solutions_and_what_the_notebook_defines_are_executed(no_solutions, tmp_path):
    cells = [{"metadata": metadata, "source": [source]} for metadata, source in CELLS]
    (tmp_path / "tp98_test.ipynb").write_text(json.dumps({"cells": cells}, ensure_ascii=False), encoding="utf-8")
    assert list(checks.solutions(98)) == ["98.1"] and not checks.solutions(97)
    defined = checks.definitions(98)
    assert defined["area"] is checks.reference("98.1") and defined["ring"](1, 2) == pytest.approx(9.42478)
    for name in ("twice", "area", "ring"):  # the key of a run needs the source
        assert inspect.getsource(defined[name]).startswith(f"def {name}(")


# ---- the report


def test_what_a_check_handed_out_is_not_the_students_answer(capsys, monkeypatch):
    """The cell of the check run twice: answer = check(id, answer) has put the reference in the answer's place."""
    handed_out = checks.check("7.3", hole)
    capsys.readouterr()
    assert checks.check("7.3", handed_out) is handed_out
    said = capsys.readouterr().out
    assert NOT_DONE in said and "handed out" in said
    monkeypatch.setenv("TP_STRICT", "1")
    with pytest.raises(WrongAnswer):
        checks.check("7.3", handed_out)


def test_a_reference_that_is_handed_out_says_so_at_its_first_call(capsys):
    grey_to_rgb = checks.check("7.3", crashes)
    capsys.readouterr()
    assert grey_to_rgb(torch.zeros(2, 1, 4, 4)).shape == (2, 3, 4, 4)
    assert "is the reference solution of exercise 7.3 here, not your answer" in capsys.readouterr().out
    grey_to_rgb(torch.zeros(2, 1, 4, 4))
    assert capsys.readouterr().out == ""
    with pytest.raises(ZeroDivisionError):
        grey_to_rgb.yours(torch.zeros(2, 1, 4, 4))
    assert copy.deepcopy(grey_to_rgb) is grey_to_rgb


def test_a_class_that_is_handed_out_is_one(capsys):
    solution, Block = reference("13.1"), checks.check("13.1", hole)
    capsys.readouterr()

    class Louder(Block):
        def forward(self, x):
            return 2 * super().forward(x)

    x, block, louder = torch.rand(2, 4, 6, 6), Block(4, 4).eval(), Louder(4, 4).eval()
    assert capsys.readouterr().out.count("not your answer") == 1
    louder.load_state_dict(block.state_dict())
    assert torch.equal(louder(x), 2 * block(x)) and isinstance(louder, Block) and isinstance(block, solution)
    assert repr(block) == repr(solution(4, 4)) and torch.equal(copy.deepcopy(block)(x), block(x))
    original = solution(4, 4).eval()
    original.load_state_dict(block.state_dict())
    assert fingerprint(block) == fingerprint(original) != fingerprint(louder)
    assert not answers.is_handed_out(Louder)


def test_what_a_check_handed_out_without_solutions_is_not_the_students_answer_either(no_solutions, capsys):
    handed_out = checks.check("7.3", hole)
    capsys.readouterr()
    assert checks.check("7.3", handed_out) is handed_out
    assert NOT_DONE in capsys.readouterr().out


def test_a_report_as_text_and_html():
    report = Report("7.1", WRONG, expected="a < b & c", found="<script>", hint="", follows="more")
    lines = ["✘ Exercise 7.1: wrong", "  expected: a < b & c", "  found: <script>", "  more"]
    assert str(report).splitlines() == lines
    html = report._repr_html_()
    assert "a &lt; b &amp; c" in html and "&lt;script&gt;" in html and "<script>" not in html
    assert "hint" not in html
