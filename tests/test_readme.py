"""README, CONTRIBUTING, CHANGELOG and CITATION say what is there."""

import re
import tomllib

import jsonschema
import pytest
import yaml

from tp_utils import __main__ as cli
from tp_utils.authoring import build, readme
from tp_utils.runtime import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(params=PAGES)
def page(request):
    """(the folder of a page, its text)."""
    path = ROOT / request.param
    return path.parent, path.read_text(encoding="utf-8")


def test_the_numbers_and_the_gallery_of_readme_are_those_of_results_and_outputs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.split(readme.BEGIN)[1].split(readme.END)[0] == readme.measured_table(), "make notebooks"
    for path in sorted(build.SOLUTIONS.glob("tp*.ipynb")):
        name, data = readme.gallery_picture(path)
        assert (readme.GALLERY / name).read_bytes() == data, "make notebooks"
        assert f"docs/gallery/{name}" in text


def test_links_lead_somewhere(page):
    folder, text = page
    targets = [a or b for a, b in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text)]
    missing = [target for target in targets if not re.match("https?:|#", target)
               and not (folder / target.partition("#")[0]).exists()]
    assert missing == []


def test_files_and_folders_that_are_named_are_there(page):
    _, text = page
    named = re.findall(r"`((?:tp_utils|tests|docs|solutions|notebooks|results|benchmarks)/[\w./]*\w)`", text)
    assert [path for path in named if "tp15" not in path and not (ROOT / path).exists()] == []


def test_commands_that_are_named_are_there(page):
    _, text = page
    code = "\n".join(map("".join, re.findall(r"`([^`]+)`|^    (\S.+)$", text, re.MULTILINE)))
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"^make ([a-z]+)", code, re.MULTILINE)) <= set(targets)
    for verb in set(re.findall(r"-m tp_utils ([a-z]+)", code)):
        with pytest.raises(SystemExit) as end:
            cli.main([verb, "--help"])
        assert end.value.code == 0, verb


def test_contributing_says_each_of_the_things_that_are_made_anew():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall("^## (A new .+)$", text, re.MULTILINE) == ["A new practical", "A new exercise", "A new study"]


# ---- CHANGELOG and CITATION

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_changelog_keeps_its_format():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall("^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    assert set(re.findall("^### (.+)$", text, re.MULTILINE)) <= KINDS


CFF = {  # of the Citation File Format 1.2.0, what is used here
    "type": "object", "additionalProperties": False, "required": ["cff-version", "message", "title", "authors"],
    "properties": {
        **{key: {"type": "string", "minLength": 1} for key in ("message", "title", "abstract", "version", "license")},
        "cff-version": {"const": "1.2.0"}, "type": {"enum": ["software", "dataset"]},
        "authors": {"type": "array", "minItems": 1, "items": {
            "type": "object", "additionalProperties": False, "required": ["name"],
            "properties": {"name": {"type": "string"}, "website": {"type": "string", "pattern": "^https?://"}}}},
        "keywords": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
    },
}


def test_the_citation_is_valid_and_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    jsonschema.validate(citation, CFF)
    assert [author["name"] for author in citation["authors"]] == ["The practicals' authors"]
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
