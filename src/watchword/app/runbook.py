"""The offline runbook: one playbook on paper with contacts and rota as of now, for the hours in which no system answers."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import segno

from watchword.app.response import address_of
from watchword.app.typeset import typeset
from watchword.app.watchword import Watchword
from watchword.kit.errors import WatchwordError
from watchword.model.action import Action, Team
from watchword.model.playbook import Playbook
from watchword.respond.library_view import KeptPlaybook, slug_of
from watchword.respond.playbook_flow import Flow, flow_of
from watchword.respond.playbook_words import TEAM_WORDS, StepWords, party, said_of, steps_in_words

FOLDER: Final = "paper"
NIGHT: Final = 2
"""The local hour from which on a day's runbooks are made."""
AHEAD: Final = timedelta(days=7)
MOST_SHIFTS: Final = 60
HOW: Final = (
    "For use when Watchword or the network does not answer. Go from step to step as the arrows say. Tick what was done, write the time by "
    "a clock that you trust and your initials. Two people who agree to something both sign the note. "
    "People's safety comes before every step: nobody is locked in, fire alarms and ways out always win."
)
AFTER: Final = "Afterwards: open the incident's page, choose “Enter the paper log”, and type in the times and initials from these sheets."


@dataclass(frozen=True, slots=True)
class Made:
    """What one making of the runbooks came to."""

    folder: Path
    files: tuple[Path, ...]
    faults: tuple[str, ...]
    """Playbooks that could not be put on paper, and why."""


def house_zone(watchword: Watchword) -> ZoneInfo:
    """Return the zone of the main site: the first one; UTC while there is none."""
    sites = [place for place in watchword.registry.directory().site.places.values() if place.kind.value == "site"]
    return ZoneInfo(sites[0].zone) if sites else ZoneInfo("UTC")


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment as paper says it; '' where there is none."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z") if moment else ""


def playbook_paper(watchword: Watchword, kept: KeptPlaybook) -> bytes:
    """Return the runbook of a playbook as PDF: steps, branches in words, contacts and rota as of now, its version, a QR code.

    Raises:
        WatchwordError: it cannot be put on paper.
    """
    now, zone = watchword.clock.now(), house_zone(watchword)
    flow = flow_of(kept.playbook)
    link = f"{address_of(watchword.settings)}/playbooks/{kept.id}?version={kept.modified}"
    picture = io.BytesIO()
    segno.make(link, micro=False, error="m").save(picture, kind="svg", border=2, xmldecl=False)
    data = {
        "title": kept.name,
        "banner": "OFFLINE RUNBOOK",
        "head": f"{kept.name[:60]}, version {kept.modified}",
        "house": watchword.settings.name,
        "foot": f"printed {local(now, zone)}",
        "facts": _facts(kept, now, zone),
        "qr_words": "leads to this version",
        "how": HOW,
        "calls": [_on_call(watchword, now, zone), _shifts(watchword, now, zone), _named(kept.playbook)],
        "steps": list(_steps(watchword, kept, flow)),
        "after": AFTER,
    }
    return typeset("runbook", data, now, verbatim={"qr": picture.getvalue().decode()})


def _facts(kept: KeptPlaybook, now: datetime, zone: ZoneInfo) -> list[tuple[str, str]]:
    late = " (overdue)" if kept.review_due <= now.astimezone(zone).date() else ""
    found = [
        ("What for", " ".join(kept.playbook.description.split())[:600]),
        ("Version", kept.modified),
        ("SHA-256", kept.sha256),
        ("Review due", f"{kept.review_due.isoformat()}{late}"),
        ("Contacts as of", local(now, zone)),
        ("Warning", f"{len(kept.errors)} faults keep it from being run by the system" if kept.errors else ""),
    ]
    return [(word, said) for word, said in found if said]


def _on_call(watchword: Watchword, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    response, rows = watchword.response, []
    for team in Team:
        duties = response.on_call.who(team.value, now)
        for duty in duties:
            name, until = duty.shift.person, local(duty.shift.until, zone)
            rows.append((TEAM_WORDS[team.value], f"on call ({duty.rota})", name, _reach(watchword, name), until))
        others = [name for name in response.roster.members(team.value) if name not in {duty.shift.person for duty in duties}]
        rows += [(TEAM_WORDS[team.value], "", name, _reach(watchword, name), "") for name in others[:20]]
    return _table("On call now", (0, 0, 0, 1, 0), ("Team", "Duty", "Name", "How to reach them", "Until"), rows, "Nobody is on call.")


def _reach(watchword: Watchword, person: str) -> str:
    return "\n".join(f"{label}: {address}" for label, address in watchword.response.contacts.by_hand(person))


def _shifts(watchword: Watchword, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    rows = []
    for kept in watchword.response.on_call.rotas():
        shifts = watchword.response.on_call.shifts(kept.rota.name, now, now + AHEAD)
        rows += [(kept.rota.name, local(one.since, zone), local(one.until, zone), one.person) for one in shifts]
    return _table("Rota of the next seven days", (1, 0, 0, 0), ("Rota", "From", "Until", "Who"), rows[:MOST_SHIFTS], "There is no rota.")


def _named(playbook: Playbook) -> dict[str, Any]:
    """Return the people and bodies that the playbook itself names."""
    rows = []
    for one in playbook.agent_definitions.values():
        contact = one.contact
        ways = [] if contact is None else [*contact.phone.items(), *contact.email.items(), ("", contact.contact_details)]
        said = "\n".join(f"{kind}: {address}" if kind else address for kind, address in ways if address)
        rows.append((one.name, one.description, said))
    return _table("Named in the playbook", (1, 2, 1), ("Who", "What they do", "Contact as written there"), rows, "Nobody.")


def _table(title: str, widths: Sequence[int], head: Sequence[str], rows: Sequence[Sequence[str]], none: str) -> dict[str, Any]:
    return {"title": title, "widths": widths, "head": head, "rows": rows, "none": none}


def _steps(watchword: Watchword, kept: KeptPlaybook, flow: Flow) -> Iterator[dict[str, Any]]:
    catalogue = watchword.response.gateway.catalogue
    for step in steps_in_words(kept.playbook, flow, catalogue):
        records = [said.split(", ") for word, said in step.facts if word == "Records"]
        yield {
            "number": str(step.number),
            "title": step.title,
            "team": party(step.team) if step.team else step.kind,
            "text": _text(watchword, kept.playbook, step),
            "facts": [fact for fact in step.facts if fact[0] != "Records"],
            "leads": [(lead.when, f"step {lead.number}, {lead.title}" if lead.number else lead.title) for lead in step.leads],
            "records": [name.strip("_") for names in records for name in names],
        }


def _text(watchword: Watchword, playbook: Playbook, step: StepWords) -> str:
    """Return what a person does: of an action of the catalogue, what is done by hand in its place."""
    wanted = said_of(playbook.workflow[step.id]).catalogue_action
    verb = watchword.response.gateway.catalogue.verbs.get(wanted.name) if wanted else None
    if wanted is None or verb is None:
        return step.text
    by_hand = verb.by_hand(Action(verb.name, " and ".join(wanted.target) or "the target", wanted.parameters))
    return f"{step.text}\nBy hand: {by_hand}" if step.text else f"By hand: {by_hand}"


def write_runbooks(watchword: Watchword, folder: Path | None = None) -> Made:
    """Put every playbook on paper, with an index; each file is replaced whole. One that cannot be set is named, and stops no other."""
    folder = folder or watchword.settings.data / FOLDER
    made = list(writing(watchword, folder))
    return Made(folder, tuple(path for path, _ in made if path), tuple(fault for _, fault in made if fault))


def writing(watchword: Watchword, folder: Path) -> Iterator[tuple[Path | None, str]]:
    """Write one file after the other, the index last, so that whoever has more urgent work can do it in between; yield (file, fault)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    library, names, faults, rows = watchword.response.library, {"index.pdf"}, [], []
    for version in library.list():
        name = f"{slug_of(version.name)[:80] or 'playbook'}-{version.id[-8:]}.pdf"
        try:
            kept = library.get(version.id, version.modified)
            if kept.playbook.revoked:
                continue
            _replace(folder / name, playbook_paper(watchword, kept))
        except (WatchwordError, ValueError) as error:
            faults.append(f"{version.name}: {error}")
            yield None, faults[-1]
            continue
        names.add(name)
        rows.append((version.name, version.modified, version.review_due.isoformat(), name))
        yield folder / name, ""
    _replace(folder / "index.pdf", _index(watchword, rows, faults))
    for old in folder.glob("*.pdf"):
        if old.name not in names:
            old.unlink()
    yield folder / "index.pdf", ""


def _index(watchword: Watchword, rows: Sequence[Sequence[str]], faults: Sequence[str]) -> bytes:
    now = watchword.clock.now()
    made = local(now, house_zone(watchword))
    table = _table("Runbooks", (2, 0, 0, 2), ("Playbook", "Version", "Review due", "File"), rows, "There are no playbooks.")
    data = {
        "title": "Offline runbooks",
        "banner": "OFFLINE RUNBOOK",
        "head": "index",
        "house": watchword.settings.name,
        "foot": f"printed {made}",
        "facts": [("Made", made)],
        "sections": [table, *([{"title": "Not on paper", "text": "\n".join(faults)}] if faults else [])],
    }
    return typeset("report", data, now)


def due(watchword: Watchword) -> bool:
    """Tell whether today's runbooks are still to be made: once a day, after two in the morning by the main site's clock."""
    zone = house_zone(watchword)
    now = watchword.clock.now().astimezone(zone)
    night = now.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    last = night if now >= night else night - timedelta(days=1)
    index = watchword.settings.data / FOLDER / "index.pdf"
    return not index.exists() or index.stat().st_mtime < last.timestamp()


def _replace(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.chmod(0o600)
    part.replace(path)
