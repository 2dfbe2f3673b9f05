"""Reports on paper: one incident whole with its timeline, in short for both teams or for those who decide, and the pages of a period."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from watchword.app.runbook import house_zone, local
from watchword.app.typeset import typeset
from watchword.app.watchword import Watchword
from watchword.detect.service import KeptFinding
from watchword.kit.duration import say_duration
from watchword.kit.errors import InputError, NotFound
from watchword.model.incident import TimelineEntry
from watchword.respond.evidence_view import offset_words
from watchword.respond.incident_filter_service import IncidentFilter
from watchword.respond.incident_view import IncidentView
from watchword.respond.playbook_words import TEAM_WORDS
from watchword.respond.report import (
    ExecutiveReport,
    IncidentReport,
    MomentLine,
    TacticalReport,
    executive_report,
    incident_report,
    tactical_report,
)

KINDS: Final = ("incident", "tactical", "executive")
MOST_INCIDENTS: Final = 1_000
MOST_ENTRIES: Final = 10_000
"""Timeline entries that one report prints, some 350 pages; the evidence bundle has them all."""
PAGE: Final = 2_000
Section = dict[str, Any]


def incident_paper(watchword: Watchword, uid: str, kind: str = "incident") -> bytes:
    """Return a report on one incident as PDF.

    Args:
        watchword: the running house.
        uid: of the incident.
        kind: ``incident`` (everything, the timeline whole), ``tactical`` (for both teams), ``executive`` (short, names nobody).

    Raises:
        NotFound: there is no such incident.
        InputError: there is no such kind.
    """
    if kind not in KINDS:
        raise InputError(f"there is no report {kind[:40]!r}; there are {', '.join(KINDS)}", "kind")
    response, zone = watchword.response, house_zone(watchword)
    view = response.incidents.get(uid)
    timeline = _timeline(watchword, view) if kind == "incident" else []
    problems = response.incidents.verify(view.incident.uid) if kind == "incident" else ()
    found = incident_report(view, timeline, _findings(watchword, view), watchword.registry.directory(), problems)
    parts = {"incident": _whole, "tactical": _tactical_incident, "executive": _executive_incident}
    sections = list(parts[kind](found, zone))
    if kind == "incident" and view.incident.entries > len(timeline):
        sections[-1]["text"] += f" The first {len(timeline):,} of {view.incident.entries:,}: the evidence bundle has them all."
    if kind == "incident":
        sections.insert(-1, _evidence(watchword, view, zone))
    title = f"Incident {found.number}: {found.title}" if kind != "executive" else f"Incident {found.number}"
    sheet = _sheet(watchword, title, found.banner, f"incident {found.number}", _incident_facts(found, zone, kind), sections)
    return typeset("report", sheet, view.now)


def period_paper(watchword: Watchword, kind: str, since: datetime, until: datetime) -> bytes:
    """Return the executive or the tactical report of a period as PDF.

    Raises:
        InputError: there is no such kind, or the period is empty.
    """
    if kind not in {"executive", "tactical"}:
        raise InputError(f"there is no report {kind[:40]!r} of a period; there are executive and tactical", "kind")
    if since >= until:
        raise InputError("the period ends before it begins", "until")
    zone, views = house_zone(watchword), _views(watchword, since, until)
    directory, now = watchword.registry.directory(), watchword.clock.now()
    facts = [("Period", f"{local(since, zone)} to {local(until, zone)}"), ("Made", local(now, zone))]
    if kind == "executive":
        made = executive_report(views, since, until, now)
        return typeset("report", _sheet(watchword, "Executive report", "REAL INCIDENTS", "executive", facts, list(_executive(made))), now)
    rules = {view.incident.uid: [kept.finding.rule for kept in _kept(watchword, view)] for view in views}
    tactical = tactical_report(views, directory, since, until, rules)
    sheet = _sheet(watchword, "Tactical report", "REAL INCIDENTS", "tactical", facts, list(_tactical(tactical, zone)))
    return typeset("report", sheet, now)


def _sheet(
    watchword: Watchword, title: str, banner: str, head: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]
) -> dict[str, Any]:
    made = local(watchword.clock.now(), house_zone(watchword))
    return {
        "title": title,
        "banner": banner,
        "head": head,
        "house": watchword.settings.name,
        "foot": f"made {made}",
        "facts": [fact for fact in facts if fact[1]],
        "sections": sections,
    }


def _table(title: str, widths: Sequence[int], head: Sequence[str], rows: Sequence[Sequence[Any]], none: str = "None.") -> Section:
    return {"title": title, "widths": widths, "head": head, "rows": [[str(cell) for cell in row] for row in rows], "none": none}


def _timeline(watchword: Watchword, view: IncidentView) -> list[TimelineEntry]:
    found: list[TimelineEntry] = []
    while len(found) < MOST_ENTRIES:
        page = watchword.response.incidents.timeline(view.incident.uid, found[-1].seq if found else 0, PAGE)
        if not page:
            break
        found += page
    return found


def _kept(watchword: Watchword, view: IncidentView) -> list[KeptFinding]:
    found = []
    for uid in view.incident.findings[-500:]:
        try:
            found.append(watchword.findings.get(uid))
        except NotFound:
            continue
    return found


def _findings(watchword: Watchword, view: IncidentView) -> list[Any]:
    return [kept.finding for kept in _kept(watchword, view)]


def _views(watchword: Watchword, since: datetime, until: datetime) -> list[IncidentView]:
    """Return the incidents that are open, and those opened in the period or the 90 days before it, from which those closed in it come."""
    incidents = watchword.response.incidents
    wanted = (IncidentFilter(open=True), IncidentFilter(since=since - timedelta(days=90), until=until, newest=True))
    uids: dict[str, None] = {}
    for one in wanted:
        uids.update(dict.fromkeys(row.incident.uid for row in incidents.list(one, limit=MOST_INCIDENTS)))
    return [incidents.get(uid) for uid in uids]


# one incident


def _incident_facts(found: IncidentReport, zone: ZoneInfo, kind: str) -> list[tuple[str, str]]:
    rated = [("at declaration", found.declared_severity), ("at closure", found.closing_severity)]
    facts = [
        ("State", found.state + (f", {found.closure}" if found.closure else "")),
        ("Severity", found.severity + "".join(f"; {word}: {said}" for word, said in rated if said != "not set")),
        ("Teams", ", ".join(TEAM_WORDS.get(team, team) for team in found.teams)),
        ("Where", ", ".join(found.places)),
        ("Opened", f"{local(found.opened_at, zone)}"),
        ("Made", local(found.made_at, zone)),
    ]
    if kind != "executive":
        facts += [("Lead", found.lead or "nobody"), ("Because", found.because), ("Uid", found.uid)]
    return facts


def _whole(found: IncidentReport, zone: ZoneInfo) -> Iterator[Section]:
    if found.summary:
        yield {"title": "Summary", "text": found.summary}
    yield from _now(found, zone)
    yield from _times(found, zone)
    people = [(role, person, local(since, zone), local(until, zone) or "still") for role, person, since, until in found.roles]
    yield _table("Who did what", (1, 1, 0, 0), ("Role", "Who", "From", "Until"), people)
    seen = [(local(at, zone), rule, title, severity, because) for at, rule, title, severity, because in found.findings]
    yield _table("Findings", (0, 0, 1, 0, 2), ("When", "Rule", "What", "Severity", "Because"), seen)
    if found.links:
        yield {"title": "Other incidents", "text": "\n".join(found.links)}
    yield _entries(found, zone)


def _entries(found: IncidentReport, zone: ZoneInfo) -> Section:
    rows = [_entry(one, zone) for one in found.timeline]
    section = _table("Timeline", (0, 2, 2, 2, 0, 9), ("No.", "Happened", "Entered, if later", "By", "Kind", "What"), rows)
    return {**section, "text": f"In order of entry. {found.chain}."}


def _entry(one: TimelineEntry, zone: ZoneInfo) -> tuple[Any, ...]:
    later = one.entered_at - one.occurred_at > timedelta(minutes=1)
    by = one.recorded_by + (f" ({one.team})" if one.team else "")
    text = one.text + (f" (corrects {one.corrects})" if one.corrects else "")
    return one.seq, local(one.occurred_at, zone), local(one.entered_at, zone) if later else "", by, one.kind, text


def _now(found: IncidentReport, zone: ZoneInfo) -> Iterator[Section]:
    owed = [(one.who, one.text, local(one.due, zone) + (" (overdue)" if one.overdue else "")) for one in found.next_steps]
    yield _table("What is next", (0, 2, 0), ("Who", "What", "By"), owed, "Nothing is owed.")
    tasks = [(task.state, task.owner or TEAM_WORDS.get(task.team, task.team), task.title, local(task.due, zone)) for task in found.tasks]
    yield _table("Tasks", (0, 1, 2, 0), ("State", "Whose", "What", "By"), tasks)
    if found.warnings:
        yield {"title": "Warnings", "text": "\n".join(found.warnings)}


def _times(found: IncidentReport, zone: ZoneInfo) -> Iterator[Section]:
    moments = [_moment(one, zone) for one in found.moments]
    yield _table("Moments", (0, 2, 1, 0, 2), ("", "What", "Team", "When", "Known from"), moments)
    yield _table("Durations", (1, 1, 1), ("Name", "Between", "So long"), _durations(found))


def _moment(one: MomentLine, zone: ZoneInfo) -> tuple[str, ...]:
    known = ("by hand, " if one.by_hand else "") + one.source
    return one.moment, one.words, TEAM_WORDS.get(one.team, one.team), local(one.at, zone) or "not yet", known


def _durations(found: IncidentReport) -> list[tuple[str, str, str]]:
    return [(one.name, one.between, _long(one.value) + (", still running" if one.running else "")) for one in found.durations]


def _long(value: timedelta | None) -> str:
    if value is None:
        return "not known"
    seconds = round(value.total_seconds())
    return ("-" if seconds < 0 else "") + say_duration(timedelta(seconds=abs(seconds)))


def _tactical_incident(found: IncidentReport, zone: ZoneInfo) -> Iterator[Section]:
    if found.summary:
        yield {"title": "Summary", "text": found.summary}
    yield from _now(found, zone)
    people = [(role, person) for role, person, _, until in found.roles if until is None]
    yield _table("Who has which role", (1, 1), ("Role", "Who"), people)
    seen = [(local(at, zone), title, because) for at, _, title, _, because in found.findings]
    yield _table("Findings", (0, 1, 2), ("When", "What", "Because"), seen)
    yield from _times(found, zone)


def _executive_incident(found: IncidentReport, zone: ZoneInfo) -> Iterator[Section]:
    """Names nobody: neither the title nor the findings' sentences are printed, as people's names stand in them."""
    reached = [(one.words, TEAM_WORDS.get(one.team, one.team), local(one.at, zone) or "not yet") for one in found.moments]
    yield _table("How far it is", (2, 1, 1), ("Moment", "Team", "When"), reached)
    yield _table("How long it took", (1, 1, 1), ("Name", "Between", "So long"), _durations(found))
    whose = [one.who if one.who in TEAM_WORDS.values() else "a person" for one in found.next_steps]
    left = [(who, one.code, "overdue" if one.overdue else "") for who, one in zip(whose, found.next_steps, strict=True)]
    yield _table("What is left", (1, 1, 1), ("Whose", "What", ""), left, "Nothing is owed.")
    kinds: dict[str, int] = {}
    for _, rule, _, _, _ in found.findings:
        kinds[rule] = kinds.get(rule, 0) + 1
    yield _table("Findings behind it", (1, 1), ("Rule", "How many"), list(kinds.items()))


def _evidence(watchword: Watchword, view: IncidentView, zone: ZoneInfo) -> Section:
    pieces = watchword.response.evidence.list(view.incident.uid, limit=1_000)
    rows = [
        (local(one.acquired_at, zone), one.about.name, one.about.source, one.sha256, offset_words(one.about.clock_offset), one.custodian)
        for one in reversed(pieces)
    ]
    return _table("Evidence", (0, 1, 1, 2, 1, 0), ("Acquired", "Name", "From", "SHA-256", "Its clock", "In hands of"), rows)


# a period


def _executive(made: ExecutiveReport) -> Iterator[Section]:
    counts = [(word, made.opened.get(word, 0), made.open_now.get(word, 0)) for word in made.opened]
    yield _table("Incidents", (2, 1, 1), ("Severity", "Opened", "Open now"), counts)
    facts = [
        ("Closed", ", ".join(f"{word} {count}" for word, count in made.closed.items()) or "none"),
        ("Exercises", str(made.exercises)),
        ("Both teams", f"needed in {made.both_teams}, both worked in {made.both_engaged}"),
        ("Downgraded", str(made.downgraded)),
        ("Reopened", str(made.reopened)),
        ("Reviews", f"{made.reviews_held} held of {made.reviews_due} due"),
    ]
    yield {"title": "In numbers", "facts": facts}
    spreads = [(one.name, one.finished, one.running, _long(one.median), _long(one.longest)) for one in made.spreads]
    yield _table("How long it took", (1, 1, 1, 1, 1), ("", "Finished", "Still running", "Middle", "Longest"), spreads)
    yield _table("The gravest", (0, 2, 1, 1, 3), ("No.", "Title", "Severity", "State", "Summary"), made.gravest)
    if made.notes:
        yield {"title": "Notes", "text": "\n".join(made.notes)}


def _tactical(made: TacticalReport, zone: ZoneInfo) -> Iterator[Section]:
    still = [(*each, lead or "nobody", f"{owed.who}: {owed.text}") for *each, lead, owed in made.open]
    yield _table("Open", (0, 2, 0, 0, 1, 2), ("No.", "Title", "State", "Severity", "Lead", "Next"), still)
    yield _table("Overdue", (0, 1, 3), ("No.", "Who", "What"), [(number, one.who, one.text) for number, one in made.overdue])
    late = [(number, task.title, task.owner or task.team, local(task.due, zone)) for number, task in made.late_tasks]
    yield _table("Late tasks", (0, 2, 1, 0), ("No.", "Task", "Whose", "Was due"), late)
    if made.warnings:
        yield {"title": "Warnings", "text": "\n".join(f"{number}: {text}" for number, text in made.warnings)}
    yield {"title": "In numbers", "facts": [("Opened", str(made.opened)), ("Closed", str(made.closed)), ("Reopened", str(made.reopened))]}
    yield _counted("By rule", made.by_rule)
    yield _counted("By place", made.by_place)


def _counted(title: str, found: Sequence[tuple[str, int]] | Mapping[str, int]) -> Section:
    rows = list(found.items()) if isinstance(found, Mapping) else list(found)
    return _table(title, (3, 1), ("", "How many"), rows)
