"""README says what is there."""

from tp_utils.authoring import build, readme
from tp_utils.runtime import ROOT


def test_the_numbers_and_the_gallery_of_readme_are_those_of_results_and_outputs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.split(readme.BEGIN)[1].split(readme.END)[0] == readme.measured_table(), "make notebooks"
    for path in sorted(build.SOLUTIONS.glob("tp*.ipynb")):
        name, data = readme.gallery_picture(path)
        assert (readme.GALLERY / name).read_bytes() == data, "make notebooks"
        assert f"docs/gallery/{name}" in text
