"""Many at once: writers that race, a long timeline, a long list."""

import threading
import time
from datetime import timedelta

from sqlalchemy import insert
from tests.respond.incidents.conftest import NOON, Desk, finding, page

from watchword.kit.chain import link
from watchword.model.incident import Moment, TimelineEntry
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import canonical, first_head, row_of
from watchword.respond.incident_filter_service import IncidentFilter


def at_once(*works) -> list[BaseException]:
    errors: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def run(work) -> None:
        try:
            gate.wait()
            work()
        except BaseException as error:  # noqa: BLE001 - the test wants every one
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_two_that_triage_the_same_story_open_one_incident(desk: Desk) -> None:
    found = [page(f"p{n}", n, assets=("asset:srv-1",)) for n in range(4)]
    desk.findings.put(found)
    assert at_once(*(lambda one=one: desk.incidents.take([one]) for one in found)) == []
    rows = desk.incidents.list()
    assert len(rows) == 1
    assert len(desk.incidents.get(rows[0].incident.uid).incident.findings) == 4


def test_writers_at_once_keep_one_chain(desk: Desk) -> None:
    uid = desk.open()
    before = len(desk.incidents.timeline(uid))

    def write(name: str) -> None:
        for number in range(8):
            desk.incidents.note(uid, f"{name} {number}", by=name)

    assert at_once(*(lambda name=name: write(name) for name in ("ana", "bo", "cy"))) == []
    entries = desk.incidents.timeline(uid)
    assert [entry.seq for entry in entries] == list(range(1, before + 25))
    assert desk.incidents.verify(uid) == []


def test_five_thousand_entries_on_one_incident(desk: Desk) -> None:
    uid = desk.open()
    case = desk.incidents.get(uid).incident
    head, rows = desk.incidents.timeline(uid)[-1].head, []
    for number in range(case.entries + 1, 5_001):
        said = TimelineEntry(
            uid, number, "note", f"Entry {number}", NOON + timedelta(seconds=number), NOON, "ana", "it", {"n": str(number)}
        )
        rows.append(row_of(said))
        head = rows[-1]["head"] = link(head, canonical(rows[-1]))
    with desk.records.begin() as connection:
        connection.execute(insert(tables.incident_entry), rows)
        desk.incidents.casebook.change(connection, uid, entries=5_000, head=head)
    began = time.process_time()
    for number in range(50):
        desk.incidents.note(uid, f"Note {number}", by="ana", team="it")
    assert time.process_time() - began < 2.5, "fifty notes, each with its audit entry"
    last = desk.incidents.get(uid).incident.entries
    assert last > 5_000
    began = time.process_time()
    assert len(desk.incidents.chronicle.page(uid, before=-1, limit=200)) == 200
    assert len(desk.incidents.timeline(uid, after=2_500, limit=200)) == 200
    assert len(desk.incidents.chronicle.by_occurrence(uid, (NOON + timedelta(seconds=2_000), 0), limit=200)) == 200
    desk.incidents.get(uid)
    desk.incidents.list()
    assert time.process_time() - began < 1.5, "five pages"
    assert desk.incidents.verify(uid) == []


def test_five_hundred_open_incidents(desk: Desk) -> None:
    now = desk.clock.now()
    uids = [f"{number:032x}" for number in range(1, 501)]
    cases = [
        {"uid": uid, "number": n, "title": f"Case {n}", "because": "b", "state": "active", "open": True, "severity": 1 + n % 4,
         "teams": "it physical", "opened_by": "triage", "opened_at": now - timedelta(minutes=n), "changed_at": now, "last_time": now,
         "head": first_head(uid), "touched": True, "pieces": 4}
        for n, uid in enumerate(uids, start=1)
    ]  # fmt: skip
    moments = [
        {"incident": uid, "piece": piece, "moment": moment.value, "team": team, "at": now, "source": "x", "manual": True, "uncertainty_ms": 0,
         "evidence": "e", "recorded_by": "ana", "entered_at": now, "reason": ""}
        for uid in uids
        for piece, (moment, team) in enumerate([(Moment.RAISED, ""), (Moment.ACKNOWLEDGED, "it"), (Moment.ENGAGED, "it"), (Moment.DECLARED, "")], start=1)
    ]  # fmt: skip
    with desk.records.begin() as connection:
        connection.execute(insert(tables.incident), cases)
        connection.execute(insert(tables.incident_moment), moments)
        connection.execute(insert(tables.incident_team), [{"incident": uid, "team": team, "acknowledged_by": "", "acknowledged_at": now if team == "it" else None, "engaged_at": now if team == "it" else None} for uid in uids for team in ("it", "physical")])  # fmt: skip
        connection.execute(
            insert(tables.incident_finding),
            [
                {"incident": uid, "finding": f"h{n}", "time": NOON, "held": True, "by": "triage", "at": now, "because": ""}
                for n, uid in enumerate(uids)
            ],
        )
    desk.findings.put([finding(f"h{n}", n / 60, assets=(f"asset:h{n}",)) for n in range(500)])
    began = time.process_time()
    rows = desk.incidents.list(IncidentFilter(open=True), limit=50)
    page_time = time.process_time() - began
    assert len(rows) == 50
    assert {row.next_step.code for row in rows} == {"acknowledge"}
    assert page_time < 0.5
    began = time.process_time()
    desk.incidents.stale_acknowledgements(now)
    assert desk.take(page("new", 9, assets=("asset:h77",))) == [uids[77]]
    assert time.process_time() - began < 3, "triage against 500 open incidents"


def test_audit_first_or_news_first_nobody_waits_for_ever(desk: Desk) -> None:
    """Rooms write their audit entry before or after what they tell; on PostgreSQL both take locks."""
    uid = desk.open()

    def told(connection) -> None:
        desk.incidents.append(connection, uid, "note", "Seen.", occurred_at=NOON, recorded_by="ana")

    def audited(connection) -> None:
        desk.audit.write("ana", "incident.note", uid, connection=connection)

    def both(first, second):
        def work() -> None:
            with desk.records.begin() as connection:
                first(connection)
                time.sleep(0.3)
                second(connection)

        return work

    assert at_once(both(told, audited), both(audited, told)) == []
    assert desk.audit.verify() == desk.incidents.verify(uid) == []
