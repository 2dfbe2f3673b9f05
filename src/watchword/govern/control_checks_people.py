"""Checks of people and what they carry: grants of leavers, dormant accounts, transfers, visitors, assessed skills, posts."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from watchword.govern.control_facts import Facts, refs, value
from watchword.govern.control_test import Outcome, Params, Ref
from watchword.measure.compliance import Result
from watchword.model import CredentialKind, Event, Link, Person, SourceKind
from watchword.model.ocsf import Access, EventClass, Status, Visit

ENDS_ACCOUNT: Final = frozenset({5, 6})
"""Activities of OCSF account change that end one: disable, delete."""
ENDS_CREDENTIAL: Final = frozenset({4, 5, 7, 8, 11})
"""Unassigned, suspended, revoked, lost, expired."""
INACTIVE: Final = "not active"
BADGES: Final = frozenset({CredentialKind.BADGE, CredentialKind.MOBILE})
POST_OPEN: Final = frozenset({1, 7})
POST_LEFT: Final = frozenset({2, 4, 5, 6, 9})


def _documents(facts: Facts) -> tuple[Ref, ...]:
    return tuple(("directory", each) for each in facts.documents)


def _links(facts: Facts, kinds: Iterable[CredentialKind]) -> list[Link]:
    wanted = frozenset(kinds)
    known = facts.directory.people.credentials
    return [link for link in facts.directory.people.links if link.entity in known and known[link.entity].kind in wanted]


def _used(facts: Facts, credential: str) -> list[Event]:
    """Return what a credential opened, or whom it let in, within the window."""
    mine = facts.of_credential(credential)
    opens = [event for event in mine if event.class_uid == EventClass.PHYSICAL_ACCESS and event.activity_id == Access.GRANTED]
    logs = [
        event for event in mine if event.class_uid == EventClass.AUTHENTICATION and value(event, "status_id") != str(int(Status.FAILURE))
    ]
    return opens + logs


def ended(facts: Facts, credential: str, after: datetime | None = None) -> tuple[datetime, Event | None] | None:
    """Return when a badge or account was ended: by its system's word, by a reader that calls it inactive, or by the people file."""
    found: list[tuple[datetime, Event | None]] = []
    for event in facts.lifecycle_by_credential.get(credential, ()):
        ends = ENDS_ACCOUNT if event.class_uid == EventClass.ACCOUNT_CHANGE else ENDS_CREDENTIAL
        if event.activity_id in ends:
            found.append((event.time, event))
    found += [
        (event.time, event)
        for event in facts.of_credential(credential)
        if event.activity_id == Access.DENIED and INACTIVE in value(event, "status_detail")
    ]
    found += [(link.until, None) for link in facts.links_by_credential.get(credential, ()) if link.until is not None]
    late = [each for each in found if after is None or each[0] >= after - timedelta(days=1)]
    return min(late, key=lambda each: each[0], default=None)


def grants_held(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Every badge that still counts belongs to somebody who is active; a leaver's is ended, and opened nothing since."""
    grace = params.duration("grace", "24h")
    if not facts.directory.people.people:
        yield Outcome("", Result.INSUFFICIENT, "no people file is loaded")
    for link in _links(facts, BADGES):
        person = facts.directory.person(link.person)
        if not link.holds(facts.now):
            continue
        if person is None:
            yield Outcome(link.entity, Result.FAIL, "it belongs to nobody who is known", _documents(facts))
        elif person.active(facts.now):
            yield Outcome(link.entity, Result.PASS, "its holder is active", _documents(facts))
        else:
            yield _of_leaver(facts, link, person, grace)


def _of_leaver(facts: Facts, link: Link, person: Person, grace: timedelta) -> Outcome:
    left = person.until
    used = [event for event in _used(facts, link.entity) if left is not None and event.time >= left]
    end = ended(facts, link.entity, left)
    if used:
        return Outcome(link.entity, Result.FAIL, f"a leaver's badge opened {len(used)} doors", refs(used))
    if end is None:
        late = left is not None and facts.now - left > grace
        words = "its holder has left, and nothing says that it was ended"
        return Outcome(
            link.entity, Result.INSUFFICIENT if late else Result.PASS, words if late else "its holder left just now", _documents(facts)
        )
    return Outcome(link.entity, Result.PASS, "its holder has left, and it was ended", refs([end[1]] if end[1] else []) + _documents(facts))


def leavers(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Of whoever left lately, badge and account ended in time and together, opened nothing since, and things came back."""
    period, within, gap = params.duration("period", "30d"), params.duration("within", "24h"), params.duration("gap", "24h")
    gone = [p for p in facts.directory.people.people.values() if p.until is not None and facts.now - period <= p.until <= facts.now]
    if not gone:
        known = bool(facts.directory.people.people)
        words = "nobody left in the period" if known else "no people file is loaded"
        yield Outcome("", Result.NOT_APPLICABLE if known else Result.INSUFFICIENT, words, _documents(facts))
    for person in gone:
        yield from _leaver(facts, person, within, gap)


def _leaver(facts: Facts, person: Person, within: timedelta, gap: timedelta) -> Iterator[Outcome]:
    left = person.until
    if left is None:
        return
    held = sorted(
        {
            link.entity
            for link in facts.directory.people.links
            if link.person == person.uid and link.entity in facts.directory.people.credentials
        }
    )
    ends: dict[str, datetime] = {}
    read: list[Ref] = []
    for credential in held:
        used = [event for event in _used(facts, credential) if event.time >= left + within]
        if used:
            yield Outcome(person.uid, Result.FAIL, "something of theirs was used after they left", refs(used))
        end = ended(facts, credential, left)
        if end is None and facts.now - left > within:
            kind = facts.directory.people.credentials[credential].kind.value
            yield Outcome(person.uid, Result.INSUFFICIENT, f"nothing says when their {kind} was ended", _documents(facts))
        elif end is not None:
            ends[credential] = end[0]
            read += refs([end[1]] if end[1] else [])
            if end[0] - left > within:
                yield Outcome(person.uid, Result.FAIL, f"ended {(end[0] - left) / timedelta(hours=1):.0f} h after they left", tuple(read))
    if len(ends) > 1 and max(ends.values()) - min(ends.values()) > gap:
        yield Outcome(person.uid, Result.FAIL, "badge and account ended too far apart", tuple(read))
    if ends and len(ends) == len(held):
        yield Outcome(person.uid, Result.PASS, "badge and account ended in time", tuple(read) + _documents(facts))
    back = facts.newest_exact("items-returned", person.uid)
    if back is None:
        yield Outcome(person.uid, Result.INSUFFICIENT, "nothing says that keys and devices came back")
    else:
        yield Outcome(
            person.uid,
            Result.PASS if back.passed else Result.FAIL,
            "keys and devices" + (" came back" if back.passed else " are missing"),
            (back.ref,),
            back.way,
        )


def transfers(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Some days after somebody changed posts, they open no more than the new role, and their grants were reviewed."""
    after, period = params.duration("after", "5d"), params.duration("period", "90d")
    moved = [each for each in facts.checks if each.kind == "transfer" and facts.now - period <= each.at <= facts.now - after]
    if not any(each.kind == "transfer" for each in facts.checks):
        yield Outcome("", Result.INSUFFICIENT, "no transfer was ever told: people's changes of post must come in")
    for each in moved:
        person = facts.directory.person(each.target)
        if person is None:
            yield Outcome(each.target, Result.INSUFFICIENT, "no people file describes them", (each.ref,))
            continue
        odd = [
            event
            for event in facts.of_class(EventClass.PHYSICAL_ACCESS)
            if event.person == person.uid and event.activity_id == Access.GRANTED and _beyond(facts, event, person.role)
        ]
        review = facts.newest_exact("access-review", person.uid)
        if odd:
            yield Outcome(person.uid, Result.FAIL, f"{len(odd)} doors opened that the new role does not open", refs(odd))
        elif review is None or review.at < each.at:
            yield Outcome(person.uid, Result.INSUFFICIENT, "their grants were not reviewed since the transfer", (each.ref,))
        else:
            words = "grants equal the new role's" if review.passed else "the review found grants of the old role"
            yield Outcome(person.uid, Result.PASS if review.passed else Result.FAIL, words, (each.ref, review.ref), review.way)


def _beyond(facts: Facts, event: Event, role: str) -> bool:
    door = facts.directory.door(event.place)
    zone = door.to_zone if door is not None else event.place
    roles = facts.book.roles.get(zone)
    return roles is not None and role not in roles


def accounts(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each account has an active holder, is not dormant, and no badge of the same person opens after the account was ended."""
    dormant = params.duration("dormant", "90d")
    for link in _links(facts, [CredentialKind.ACCOUNT]):
        person = facts.directory.person(link.person)
        end = ended(facts, link.entity)
        if end is not None:
            late = [
                event
                for event in facts.of_class(EventClass.PHYSICAL_ACCESS)
                if event.person == link.person and event.activity_id == Access.GRANTED and event.time > end[0]
            ]
            if late:
                yield Outcome(
                    link.entity, Result.FAIL, "the account is ended, the badge still opens", refs([*late, *([end[1]] if end[1] else [])])
                )
            continue
        used = facts.last_used.get(link.entity)
        if person is None:
            yield Outcome(link.entity, Result.FAIL, "nobody who is known holds it", _documents(facts))
        elif not person.active(facts.now):
            yield Outcome(link.entity, Result.FAIL, "its holder has left, and it was never ended", _documents(facts))
        elif used is not None and facts.now - used <= dormant:
            yield Outcome(
                link.entity,
                Result.PASS,
                f"its holder is active; last used on {used:%d %b %Y}",
                refs(_used(facts, link.entity)[-2:]) or _documents(facts),
            )
        elif facts.used_since is not None and facts.now - facts.used_since >= dormant:
            yield Outcome(link.entity, Result.FAIL, f"not used for {dormant.days} days", _documents(facts))
        else:
            yield Outcome(
                link.entity, Result.INSUFFICIENT, "not seen in use, and the log does not reach back far enough", _documents(facts)
            )


def visits(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each visit has what is needed, came in and went out; none is open after the end of its day."""
    needs = params.words("needs", ("host", "purpose"))
    where = {"host": "ww_visit.host_uid", "purpose": "ww_visit.name"}
    by_visit: dict[str, list[Event]] = {}
    for event in facts.of_class(EventClass.VISITOR):
        by_visit.setdefault(value(event, "ww_visit.uid"), []).append(event)
    lacking: dict[str, list[tuple[str, Event]]] = {}
    whole: dict[str, list[Event]] = {}
    for events in by_visit.values():
        site = _site(events[0])
        zone = facts.directory.time_zone(site)
        arrived = next((event for event in events if event.activity_id == Visit.CHECKED_IN), None)
        out = any(event.activity_id == Visit.CHECKED_OUT for event in events)
        faults = [f"no {name}" for name in needs if not any(value(event, where.get(name, name)) for event in events)]
        faults += ["never checked in"] if arrived is None and out and events[0].time > facts.since + timedelta(hours=12) else []
        faults += ["still open after the end of its day"] if not out and arrived is not None and _day_over(arrived, facts.now, zone) else []
        if faults:
            lacking.setdefault(site, []).extend((fault, events[0]) for fault in faults)
        whole.setdefault(site, []).extend(events)
    for site in facts.sites() or [""]:
        bad = lacking.get(site, [])
        mine = whole.get(site, [])
        if bad:
            words = ", ".join(sorted({fault for fault, _ in bad}))
            yield Outcome(
                site,
                Result.FAIL,
                f"{len({event.uid for _, event in bad})} visits: {words}",
                refs(event for _, event in bad),
                read=len(mine),
            )
        else:
            yield Outcome(site, Result.PASS, "each visit is whole" if mine else "no visit in the window", refs(mine[-20:]), read=len(mine))


def _site(event: Event) -> str:
    return value(event, "ww_site_uid") or event.site


def _day_over(arrived: Event, now: datetime, zone: ZoneInfo) -> bool:
    return now.astimezone(zone).date() > arrived.time.astimezone(zone).date()


def visits_automatic(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Visits come from the visitor system, not by hand."""
    del params
    system = {source.name for source in facts.sources if source.kind is SourceKind.VISITOR}
    for site in facts.sites() or [""]:
        mine = [event for event in facts.of_class(EventClass.VISITOR) if _site(event) == site]
        odd = [event for event in mine if event.source not in system]
        if odd:
            yield Outcome(site, Result.FAIL, f"{len(odd)} records of visits were made by hand", refs(odd), read=len(mine))
        else:
            yield Outcome(site, Result.PASS, "visits come from the visitor system", refs(mine[-20:]), read=len(mine))


def visitor_fields(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Records of visitors hold only what is permitted."""
    permitted = frozenset(params.words("permitted"))
    for site in facts.sites() or [""]:
        mine = [event for event in facts.of_class(EventClass.VISITOR) if _site(event) == site]
        odd = [event for event in mine if _leaves(event) - permitted]
        if odd:
            extra = sorted({name for event in odd for name in _leaves(event) - permitted})
            yield Outcome(
                site, Result.FAIL, f"{len(odd)} records hold more than permitted: {', '.join(extra[:5])}", refs(odd), read=len(mine)
            )
        else:
            yield Outcome(site, Result.PASS, "only permitted fields are held", refs(mine[-20:]), read=len(mine))


_FRAME: Final = frozenset(
    {
        "activity_id",
        "category_uid",
        "class_uid",
        "metadata",
        "severity_id",
        "time",
        "type_uid",
        "message",
        "ww_record_uid",
        "activity_name",
        "class_name",
        "category_name",
        "type_name",
        "severity",
        "observables",
        "ww_asset_uid",
        "ww_place_uid",
        "ww_person_uid",
        "ww_site_uid",
        "raw_data",
    }
)
"""What the event's frame holds; it says nothing of a person beyond what the rest says."""


def _leaves(event: Event) -> set[str]:
    found = set()
    for name, held in event.data.items():
        if name in _FRAME:
            continue
        found |= {f"{name}.{inner}" for inner in held} if isinstance(held, dict) else {name}
    return found


def skills(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Whoever holds a role with required skills had each assessed within the period."""
    within = params.duration("within", "365d")
    if not facts.book.skills:
        yield Outcome("", Result.INSUFFICIENT, "no role says which skills it needs (controls configure)")
    made = [each for each in facts.checks if each.kind == "skill"]
    for person in facts.directory.people.people.values():
        needed = facts.book.skills.get(person.role or person.kind.value)
        if not needed or not person.active(facts.now):
            continue
        mine = {each.note.casefold(): each for each in sorted(made, key=lambda each: each.at) if each.target == person.uid}
        unseen = [skill for skill in needed if skill.casefold() not in mine]
        bad = [s for s in needed if (each := mine.get(s.casefold())) and (not each.passed or facts.now - each.at > within)]
        read = tuple(each.ref for each in mine.values())
        if bad:
            yield Outcome(person.uid, Result.FAIL, f"not passed, or too long ago: {', '.join(bad)}", read)
        elif unseen:
            yield Outcome(person.uid, Result.INSUFFICIENT, f"never assessed: {', '.join(unseen)}", read)
        else:
            yield Outcome(
                person.uid,
                Result.PASS,
                "each required skill was assessed",
                read,
                min((each.way for each in mine.values()), key=lambda way: way.quality),
            )


def posts(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each post is held round the clock, with no gap over a limit."""
    limit = params.duration("limit", "15m")
    if not facts.book.posts:
        yield Outcome("", Result.INSUFFICIENT, "no post is described (controls configure)")
    for post in facts.book.posts:
        mine = [event for event in facts.of_class(EventClass.POST_STAFFING) if post in {event.place, value(event, "ww_schedule_uid")}]
        left: datetime | None = None
        odd: list[Event] = []
        for event in mine:
            if event.activity_id in POST_LEFT:
                left = left or event.time
                last = event
            elif event.activity_id in POST_OPEN:
                if left is not None and event.time - left > limit:
                    odd.append(event)
                left = None
        if left is not None and facts.now - left > limit:
            odd.append(last)
        if odd:
            yield Outcome(
                post, Result.FAIL, f"{len(odd)} gaps of more than {limit / timedelta(minutes=1):.0f} min", refs(odd), read=len(mine)
            )
        elif not mine:
            yield Outcome(post, Result.INSUFFICIENT, "nobody checked in")
        else:
            yield Outcome(post, Result.PASS, "held throughout", refs(mine[-5:]), read=len(mine))
