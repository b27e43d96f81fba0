"""Files that are there whole or not at all."""

import pytest
from sets import names

from tp_utils.runtime import replacing


def test_replacing_puts_the_complete_file_in_place(tmp_path):
    path = tmp_path / "folder" / "file.txt"
    for text in ("old", "new"):
        with replacing(path) as temporary:
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert names(path.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_while_replacing_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "file.txt"
    with replacing(path) as one, replacing(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"  # the last that ended
    assert names(tmp_path) == ["file.txt"]


def test_a_replaced_file_can_be_read_by_those_who_can_read_its_neighbours(tmp_path):
    neighbour = tmp_path / "neighbour"
    neighbour.touch()
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "file").stat().st_mode == neighbour.stat().st_mode
