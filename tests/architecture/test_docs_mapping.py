"""The mapping and schema references name everything that a user may write."""

from pathlib import Path

import pytest

from watchword.ingest import condition, mapping_entry, mapping_load, mapping_sections, mapping_values
from watchword.ingest.ocsf_schema import schema
from watchword.model import Domain, SourceKind
from watchword.model.field import ROLES
from watchword.model.ocsf import EventClass, Severity

DOCS = Path(__file__).parents[2] / "docs"
MAPPINGS = (DOCS / "reference/mappings.md").read_text()
SCHEMA = (DOCS / "reference/event-schema.md").read_text()


@pytest.mark.parametrize(
    "words",
    [
        mapping_sections.TOP,
        mapping_sections.SOURCE,
        mapping_sections.TIME,
        mapping_sections.CONNECTORS,
        mapping_sections.FORMAT,
        mapping_entry._KEYS,
        mapping_values._KEYS,
        condition._OPERATORS,
        tuple(Domain),
        tuple(SourceKind),
        tuple(one.name.lower() for one in Severity),
    ],
)
def test_every_word_of_the_language_is_documented(words: tuple[str, ...]) -> None:
    assert not [word for word in words if f"`{word}`" not in MAPPINGS]


def test_every_role_is_documented_with_its_path() -> None:
    assert not [role for role, path in ROLES.items() if f"| `{role}` | `{path}` |" not in MAPPINGS]


def test_every_class_is_documented_with_its_number_and_activities() -> None:
    for one in EventClass:
        kind = schema().classes[one]
        line = next((line for line in SCHEMA.splitlines() if line.startswith(f"| `{one.name.lower()}` | {int(one)} | {kind.name} |")), "")
        assert line, one.name
        assert not [name for number, name in kind.activities.items() if number not in {"0", "99"} and f"{number} {name}" not in line]


def test_the_sample_in_the_reference_loads() -> None:
    sample = MAPPINGS.split("```yaml\n")[1].split("```")[0]
    assert mapping_load.load_mapping(sample, "docs/reference/mappings.md").entries
