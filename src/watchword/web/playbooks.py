"""Playbooks: the library, one playbook with its picture, versions and differences; brought in, taken out, signed, reviewed."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, File, Form, UploadFile
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.kit.errors import Conflict, ContentError, Fault, InputError, WatchwordError
from watchword.respond.extensions import ExtensionFault, PlaybookExtension, playbook_extension
from watchword.respond.json_text import MOST_BYTES
from watchword.respond.library_view import KeptPlaybook, Version, slug_of
from watchword.respond.lint import Fault as LintFault
from watchword.respond.playbook_flow import flow_of
from watchword.respond.playbook_words import party, steps_in_words, web_address
from watchword.respond.run_service import RunFilter
from watchword.web.pages import Ask, Asked, needs
from watchword.web.playbook_graph import playbook_svg

router = APIRouter()
Authoring = Annotated[Ask, Depends(needs(Permission.PLAYBOOKS))]
"""Those who change and sign playbooks."""
MOST_LISTED: Final = 300
"""Steps in words, and playbooks of the library, that a page shows."""
SOON: Final = timedelta(days=30)
REVIEW_NEXT: Final = timedelta(days=365)
FILE_NAME: Final = re.compile(r"[^A-Za-z0-9._ -]")


@dataclass(frozen=True, slots=True)
class Shelved:
    """One playbook in the list."""

    version: Version
    extension: PlaybookExtension
    verdict: Any
    """The best of its signatures; None: it has none."""
    revoked: bool
    due: str
    """``late``, ``soon`` or ''."""
    steps: int


@router.get("/playbooks")
def playbooks(ask: Asked) -> Response:
    """List the library."""
    return _library(ask)


def _library(ask: Ask, status: int = 200, faults: tuple[Fault, ...] = (), fault: str = "") -> Response:
    library = ask.watchword.response.library
    listed = library.list()
    shelved = [_shelved(ask, one) for one in listed[:MOST_LISTED]]
    return ask.page(
        "playbooks/list.html",
        status,
        shelved=[one for one in shelved if one],
        left_out=len(listed) - len(shelved),
        faults=faults,
        fault=fault,
        rules=_rule_names(ask),
        most_bytes=MOST_BYTES,
    )


def _shelved(ask: Ask, version: Version) -> Shelved | None:
    """Return a version as the list shows it; read once a day, since only its signatures and dates change by themselves."""
    kept: OrderedDict[tuple[Version, date], Shelved | None] = ask.request.app.state.shelf
    key = (version, ask.now.date())
    if key not in kept:
        kept[key] = _read_shelved(ask, version)
        while len(kept) > 2 * MOST_LISTED:
            kept.popitem(last=False)
    return kept[key]


def _read_shelved(ask: Ask, version: Version) -> Shelved | None:
    try:
        kept = ask.watchword.response.library.get(version.id, version.modified)
    except WatchwordError:
        return None
    best = next((one for one in kept.signatures if one.good), kept.signatures[0] if kept.signatures else None)
    today = ask.now.date()
    due = "late" if version.review_due <= today else "soon" if version.review_due <= today + SOON else ""
    counted = sum(step.type not in {"start", "end"} for step in kept.playbook.workflow.values())
    return Shelved(version, extension_of(kept), best, kept.playbook.revoked, due, counted)


def extension_of(kept: KeptPlaybook) -> PlaybookExtension:
    """Return what we say of a playbook; all at its default where it cannot be read: lint says so beside it."""
    try:
        return playbook_extension(kept.playbook)
    except ExtensionFault:
        return PlaybookExtension()


def _rule_names(ask: Ask) -> Mapping[str, str]:
    from watchword.web.findings import rules_of  # noqa: PLC0415 - the page of findings is heavier than this one

    return {rule.id: rule.title for rule in rules_of(ask).values()}


@router.post("/playbooks/import")
def bring_in(ask: Authoring, file: Annotated[UploadFile, File()]) -> Response:
    """Keep an uploaded playbook; what cannot be kept is said line by line, what can be kept with faults shows them on its page."""
    text = file.file.read(MOST_BYTES + 1)
    name = FILE_NAME.sub("_", file.filename or "playbook.json")[:80]
    try:
        kept = ask.watchword.response.library.put(text, ask.who.actor)
    except ContentError as error:
        return _library(ask, 422, tuple(Fault(name, one.line, one.message, one.remedy) for one in error.faults))
    except (Conflict, InputError) as error:
        return _library(ask, 409 if isinstance(error, Conflict) else 422, fault=str(error))
    return ask.see(f"/playbooks/{kept.id}?version={kept.modified}")


@router.get("/playbooks/{id}")
def playbook(ask: Asked, id: str, version: str = "") -> Response:  # noqa: A002 - the standard's word for it
    """Show one playbook."""
    return playbook_page(ask, id, version)


def playbook_page(
    ask: Ask,
    id: str,  # noqa: A002 - the standard's word for it
    version: str = "",
    status: int = 200,
    fault: str = "",
    where: str = "",
) -> Response:
    """Return the page of a version, with what stood against a deed."""
    library = ask.watchword.response.library
    kept = library.get(id, version)
    versions = library.versions(id)
    flow = flow_of(kept.playbook)
    steps = list(steps_in_words(kept.playbook, flow, ask.watchword.response.gateway.catalogue))
    runs = ask.watchword.response.runs.list(RunFilter(playbook=id, limit=10))
    return ask.page(
        "playbooks/playbook.html",
        status,
        kept=kept,
        playbook=kept.playbook,
        extension=extension_of(kept),
        newest=versions[0].modified == kept.modified,
        versions=versions[:100],
        picture=playbook_svg(kept.playbook, flow=flow),
        steps=steps[:MOST_LISTED],
        step_count=len(steps),
        party=party,
        references=[(one, web_address(one.url)) for one in kept.playbook.external_references[:40]],
        rules=_rule_names(ask),
        runs=runs,
        policy=library.signature_fault(kept),
        next_review=(ask.now.date() + REVIEW_NEXT).isoformat(),
        late=kept.review_due <= ask.now.date(),
        fault=fault,
        where=where,
        faults=[LintFault(one.code, one.severity, slug_of(kept.name) or "playbook", one.line, one.text, one.at) for one in kept.faults],
    )


@router.get("/playbooks/{id}/diff")
def diff(ask: Asked, id: str, a: str = "", b: str = "") -> Response:  # noqa: A002 - the standard's word for it
    """Show what differs between two versions, in words of where."""
    library = ask.watchword.response.library
    before, later = library.get(id, a), library.get(id, b)
    names = {name: step.name or step.type for kept in (before, later) for name, step in kept.playbook.workflow.items()}
    return ask.page(
        "playbooks/diff.html",
        before=before,
        later=later,
        changes=[(_where(one.at, names), one) for one in library.diff(id, a, b)],
        versions=library.versions(id)[:100],
    )


def _where(pointer: str, names: Mapping[str, str]) -> str:
    """Return where a change is, in words: the step's name in place of its identifier."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    if parts[:1] == ["workflow"] and len(parts) > 1:
        return " / ".join([f"step {names.get(parts[1], parts[1])[:80]!r}", *[_short(part) for part in parts[2:]]])
    return " / ".join(_short(part) for part in parts) or "the whole playbook"


def _short(part: str) -> str:
    return "our extension" if part.startswith("extension-definition--") else part[:60]


@router.get("/playbooks/{id}/export")
def export(ask: Asked, id: str, version: str = "") -> Response:  # noqa: A002 - the standard's word for it
    """Hand the text of a version out, as it is kept."""
    kept = ask.watchword.response.library.get(id, version)
    name = f"{slug_of(kept.name)[:60] or 'playbook'}.json"
    return Response(kept.text, media_type="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.post("/playbooks/{id}/sign")
def sign(ask: Authoring, id: str, version: Annotated[str, Form()] = "") -> Response:  # noqa: A002 - the standard's word for it
    """Put this house's signature on a version."""
    try:
        ask.watchword.response.library.sign(id, ask.who.actor, modified=version)
    except Conflict as error:
        return playbook_page(ask, id, version, 409, str(error), "sign")
    return ask.see(ask.url(f"/playbooks/{id}", version=version) + "#signatures")


@router.post("/playbooks/{id}/review")
def review(
    ask: Authoring,
    id: str,  # noqa: A002 - the standard's word for it
    due: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Record a review, and the day of the next."""
    try:
        try:
            day = date.fromisoformat(due)
        except ValueError:
            raise InputError("Say on which day it is to be reviewed again, such as 2027-01-31", "due") from None
        ask.watchword.response.library.reviewed(id, ask.who.actor, day, note.strip())
    except InputError as error:
        return playbook_page(ask, id, "", 422, str(error), "review")
    return ask.see(f"/playbooks/{id}#review")
