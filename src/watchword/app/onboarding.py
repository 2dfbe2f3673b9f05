"""Onboarding: a new source from a mapping's text, with its token; the same for the command line, the API and the pages."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from watchword.ingest.mapping import load_mapping
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.model import Domain, Source, SourceKind

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

CONNECTORS: Final = ("syslog", "webhook", "csv", "jsonl")
LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class SourceChoices:
    """What an owner may choose otherwise than the mapping says; None: as the mapping says."""

    domain: Domain | None = None
    kind: SourceKind | None = None
    connector: str | None = None
    site: str | None = None
    lateness: timedelta | None = None
    resolution: timedelta | None = None
    skew: timedelta | None = None
    rhythm: timedelta | None = None


def check_name(name: str) -> str:
    """Return the name of a source if it is one.

    Raises:
        InputError: it is empty, too long, or holds other than letters, digits, dot, hyphen and underscore.
    """
    plain = name.replace("-", "a").replace("_", "a").replace(".", "a")
    if not (0 < len(name) <= LONGEST_NAME and plain.isascii() and plain.isalnum() and name[0].isalnum()):
        raise InputError(
            "A source's name is 1 to 64 letters, digits, dots, hyphens and underscores, and begins with a letter or digit", "name"
        )
    return name


def add_source(
    watchword: "Watchword",
    name: str,
    *,
    mapping_text: str = "",
    mapping_path: str = "mapping",
    mapping: str = "",
    choices: SourceChoices | None = None,
    actor: str,
    replacing: bool = False,
) -> Source:
    """Keep a source, and the mapping's text if one is given; else `mapping` names one that is kept, or none.

    Raises:
        ContentError: the mapping has faults; all of them.
        InputError: the name or a choice is not acceptable.
        Conflict: a source of this name exists and is not to be replaced.
        NotFound: there is no mapping of this name.
    """
    check_name(name)
    ledger = watchword.ledger
    exists = _exists(watchword, name)
    if exists and not replacing:
        raise Conflict(f"There is a source {name!r} already")
    if mapping_text:
        compiled = load_mapping(mapping_text, mapping_path)
        ledger.put_mapping(compiled.name, mapping_text, to_millisecond(watchword.clock.now()))
        source = compiled.source(name)
    elif mapping:
        kept = ledger.mapping(mapping)
        source = load_mapping(kept.text, f"mapping {mapping}").source(name)
    else:
        source = Source(name, Domain.IT, SourceKind.OTHER, "webhook")
    source = replace(source, **_chosen(choices or SourceChoices()))
    ledger.put_source(source)
    detail = {"mapping": source.mapping, "connector": source.connector, "kind": source.kind.value, "site": source.site}
    watchword.audit.write(actor, "source.replace" if exists else "source.add", name, detail=detail)
    return source


def _exists(watchword: "Watchword", name: str) -> bool:
    try:
        watchword.ledger.source(name)
    except NotFound:
        return False
    return True


def _chosen(choices: SourceChoices) -> dict[str, Any]:
    found = {name: value for name in SourceChoices.__slots__ if (value := getattr(choices, name)) is not None}
    if found.get("connector", "webhook") not in CONNECTORS:
        raise InputError(f"{found['connector']!r} is no connector; known are {', '.join(CONNECTORS)}", "connector")
    for name in ("lateness", "resolution", "skew", "rhythm"):
        if name in found and not timedelta() <= found[name] <= timedelta(days=3650):
            raise InputError("must be between 0 and ten years", name)
    return found
