"""The committed notebooks, as fixtures."""

from pathlib import Path

import nbformat
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(params=sorted(path.stem for path in (REPOSITORY / "solutions").glob("tp[0-9][0-9]_*.py")))
def source(request):
    """The source of a practical: a path."""
    return REPOSITORY / "solutions" / f"{request.param}.py"


@pytest.fixture
def solution(source):
    """The cells of the paired solution notebook, as it is on the disk."""
    return nbformat.read(source.with_suffix(".ipynb"), 4).cells


@pytest.fixture
def student(source):
    """The cells of the student notebook, as it is on the disk."""
    return nbformat.read(REPOSITORY / "notebooks" / f"{source.stem}.ipynb", 4).cells
