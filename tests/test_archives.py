"""Zip archives are read in place, and never written outside their folder."""

import zipfile

import pytest
from test_fetch import GOOD, PAGE

from tp_utils.data.fetch import FetchError, read_zip


def archive_of(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_zip_is_read_in_order_of_name(tmp_path):
    path = archive_of(tmp_path / "a.zip", **{"d/b.jpg": b"2", "d/a.jpg": b"1", "d/a.txt": b"0"})
    assert list(read_zip(path, ".jpg")) == [("d/a.jpg", b"1"), ("d/b.jpg", b"2")]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["../out.jpg", "a/../../out.jpg", "/out.jpg", "..\\out.jpg"])
def test_a_zip_that_climbs_out_of_its_folder_is_not_opened(tmp_path, name):
    path = archive_of(tmp_path / "a.zip", **{"a.jpg": b"1", name: b"2"})
    with pytest.raises(FetchError, match="outside its folder"):
        next(read_zip(path, ".jpg"))
    assert list(tmp_path.iterdir()) == [path]


def test_a_broken_zip_is_one_clear_error(tmp_path):
    path = archive_of(tmp_path / "a.zip", **{"a.jpg": GOOD})
    whole = path.read_bytes()
    damaged = whole[:60] + b"\xff" * 40 + whole[100:]
    for name, content in {"cut": whole[:-30], "empty": b"", "page": PAGE, "damaged": damaged}.items():
        path.write_bytes(content)
        with pytest.raises(FetchError, match="not a readable zip archive"):
            list(read_zip(path, ".jpg"))
            pytest.fail(name)
