"""The pages that explain the files are true: every key is named, every example can be read."""

import re
from pathlib import Path

import pytest

from watchword.model import AssetKind, PersonKind, ZoneKind
from watchword.resolve.people_file import read_people
from watchword.resolve.people_table import ALIASES
from watchword.resolve.site_asset import KEYS
from watchword.resolve.site_file import DOOR_KEYS, DOOR_KINDS, SITE_KEYS, read_sites

DOCS = Path(__file__).parents[2] / "docs"


def examples(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / path).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "word", [*SITE_KEYS, *DOOR_KEYS, *KEYS, *DOOR_KINDS, *AssetKind, *ZoneKind, "days", "hours", "holidays", "periods"]
)
def test_every_word_of_the_site_file_is_explained(word):
    assert f"`{word}`" in (DOCS / "reference/site-file.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*ALIASES, *PersonKind])
def test_every_word_of_the_people_file_is_explained(word):
    assert f"`{word}`" in (DOCS / "reference/people-file.md").read_text(encoding="utf-8")


def test_the_examples_can_be_read():
    whole, uptime = examples("reference/site-file.md", "yaml")
    read_sites({"site.yaml": whole})
    devices = "assets:\n  HC-1: {kind: controller, place: lobby}\n  panel-1: {kind: panel, place: lobby}\n"
    read_sites({"site.yaml": whole.replace("assets:\n", devices) + uptime})
    read_sites({"site.yaml": "".join(examples("how-to/describe-a-site.md", "yaml"))})
    for text in examples("reference/people-file.md", "csv"):
        read_people(text, "people.csv", b"k")
    for text in examples("reference/people-file.md", "yaml"):
        read_people(text, "people.yaml", b"k")
