# ruff: noqa: ARG002 - peers of the tests keep the ports' signatures
"""Paging on both engines: durable attempts, escalation, acknowledgement by every way, who was reached; a kill in every place."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.respond import paging_tables as tables
from watchword.respond.contact_service import Contacts
from watchword.respond.escalation import Status
from watchword.respond.on_call_service import OnCall
from watchword.respond.paging_service import Pager
from watchword.respond.ports import Delivery, Sent
from watchword.respond.quiet import QuietHours
from watchword.respond.quiet_service import QuietWindows
from watchword.respond.reach_service import DeskChannel
from watchword.respond.rota import Layer
from watchword.stores.records import open_records

T0 = datetime(2026, 3, 3, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = b"k" * 32
TEAMS = {"ann": "it", "ben": "it", "pia": "physical", "pol": "physical", "max": "management", "dep": "management"}


class Roster:
    def team_of(self, person):
        return TEAMS.get(person, "")

    def members(self, team):
        return [name for name, each in TEAMS.items() if each == team]

    def deputies(self, incident):
        return ["dep"]

    def managers(self):
        return ["max"]


@dataclass
class Line:
    """A channel of the tests' own: it keeps what it was given, and does what its address says."""

    name: str
    kind: str
    address: str
    taken: list
    gate: threading.Event

    def send(self, title, body, *, to=()):
        if "hang" in self.address:
            self.gate.wait(20)
            return Sent(Delivery.TIMED_OUT, "no answer")
        if "fail" in self.address:
            return Sent(Delivery.FAILED, "the service answered 500")
        self.taken.append((self.name, title, body))
        return Sent(Delivery.SENT)


@dataclass
class Lines:
    taken: list = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def desks(self):
        return [DeskChannel("soc", "chat", "it"), DeskChannel("control", "webhook", "physical")]

    def desk(self, name):
        return Line(name, "chat", "ok", self.taken, self.gate)

    def open(self, address, kind, name):
        if "wrong" in address:
            raise InputError(f"contact {name!r}: no service reads this address")
        return Line(name, kind, address, self.taken, self.gate)


@dataclass
class Log:
    entries: list = field(default_factory=list)
    marks: list = field(default_factory=list)

    def append(self, connection, incident, kind, text, **more):
        self.entries.append((incident, kind, text))

    def mark(self, connection, incident, moment, at, *, source, team="", evidence=""):
        self.marks.append((moment, team))


@dataclass
class Trail:
    entries: list = field(default_factory=list)

    def write(self, actor, action, target="", reason="", detail=None, *, connection=None):
        assert connection is not None
        self.entries.append((actor, action, target))


class House:
    def __init__(self, records, contacts=True):
        self.records, self.clock = records, ManualClock(T0)
        self.lines, self.log, self.trail, self.roster = Lines(), Log(), Trail(), Roster()
        self.on_call = OnCall(records, self.clock, self.roster, self.trail, KEY)
        self.contacts = Contacts(records, self.clock, self.lines, self.roster, self.trail, KEY)
        self.windows = QuietWindows(records, self.clock, self.trail)
        self.pager = self.make()
        if contacts:
            for name in TEAMS:
                self.contacts.add(name, "mail", f"{name} mail", f"{name}@ok", by="adm")
                self.contacts.add(name, "sms", f"{name} sms", f"{name}+ok", by="adm")
            for team, people in (("it", ("ann", "ben")), ("physical", ("pia", "pol"))):
                self.on_call.put(f"{team} first", team, "Europe/Berlin", [Layer("primary", people, date(2026, 3, 2))], by="adm")

    def make(self):
        return Pager(
            self.records, self.clock, self.lines, self.on_call, self.log, self.trail,
            roster=self.roster, contacts=self.contacts, site_key=KEY, address="https://ww.example.org/", replies=True,
        )  # fmt: skip

    def page(self, severity=1, key="k", **more):
        given = {
            "incident": "i1",
            "teams": ["it"],
            "title": "Door forced",
            "place": "Harbour",
            "what_to_do": "Look",
            "exercise": False,
        } | more
        with self.records.begin() as connection:
            return self.pager.page(connection, severity=severity, key=key, **given)

    def go(self, minutes=0.0):
        self.clock.advance(minutes * MINUTE)
        for _ in range(300):
            done = self.pager.step(self.clock.now())
            assert self.pager.drain(10)
            if not done:
                return
        raise AssertionError("it does not come to rest")

    def said(self):
        taken = sorted(name for name, *_ in self.lines.taken)
        self.lines.taken.clear()
        return taken

    def token(self, person, uid=""):
        with self.records.read() as connection:
            table = tables.page_attempt
            rows = connection.execute(select(table).where(table.c.person == person).order_by(table.c.made.desc())).all()
        return self.pager._calling.token_of(rows[0].uid)


@pytest.fixture
def house(records):
    return House(records)


def test_the_gravest_calls_both_teams_at_once_by_two_kinds_and_goes_on_after_five_minutes(house):
    uid = house.page()
    assert house.page() == uid
    house.go()
    assert house.said() == ["ann mail", "ann sms", "control", "pia mail", "pia sms", "soc"]
    assert sorted(house.log.marks) == [("t3", "it"), ("t3", "physical")]
    house.go(4.9)
    assert house.said() == []
    house.go(0.2)
    assert house.said() == ["ann mail", "ann sms", "ben mail", "ben sms", "pia mail", "pia sms", "pol mail", "pol sms"]
    reached = house.pager.reached("i1")
    assert {(each.person, each.kind, each.status) for each in reached if each.team == "it"} >= {
        ("ann", "sms", "sent"),
        ("", "chat", "sent"),
    }
    assert [entry[2] for entry in house.log.entries if "Paged" in entry[2]] == ["Paged it and physical at severity 1: Door forced."]


def test_nobody_answers_so_deputy_and_manager_are_called_last(house):
    house.page(severity=3)
    house.go()
    assert house.said() == ["ann mail", "soc"]
    house.go(31)
    house.go(61)
    assert house.said() == ["ann mail", "dep mail", "max mail"]
    (page,) = house.pager.unanswered()
    assert page.tracks[0].status is Status.GIVEN_UP
    assert any("Nobody of it answered" in text for *_, text in house.log.entries)
    house.pager.acknowledge(page.uid, "ann", "page")
    assert house.pager.unanswered() == []


def test_an_acknowledgement_stops_its_own_team_only_and_a_manager_stops_both(house):
    uid = house.page()
    house.go()
    house.said()
    house.pager.acknowledge(uid, "ann", "phone")
    assert ("t4", "it") in house.log.marks
    assert ("ann", "page.acknowledge", uid) in house.trail.entries
    house.go(6)
    assert house.said() == ["pia mail", "pia sms", "pol mail", "pol sms"]
    with pytest.raises(Conflict, match="taken already by ann"):
        house.pager.acknowledge(uid, "ben", "page")
    with pytest.raises(Forbidden):
        house.pager.acknowledge(uid, "stranger", "page")
    view = house.pager.acknowledge(uid, "max", "page")
    assert [(track.team, track.by) for track in view.tracks] == [("it", "ann"), ("physical", "max")]
    by = {(each.team, each.acknowledged_by, each.how) for each in house.pager.reached("i1")}
    assert by == {("it", "ann", "phone"), ("physical", "max", "page")}


def test_an_acknowledgement_without_a_deed_expires_and_one_with_does_not(house):
    uid = house.page()
    house.go()
    house.pager.acknowledge(uid, "ann", "link")
    house.pager.acknowledge(uid, "pia", "link")
    with house.records.begin() as connection:
        house.pager.engaged(connection, "i1", "physical", "pia")
    house.said()
    house.go(16)
    assert house.said() == ["ann mail", "ann sms", "ben mail", "ben sms"]
    assert any("No deed followed the acknowledgement by ann" in text for *_, text in house.log.entries)


def test_a_machine_stops_nothing(house):
    uid = house.page(severity=2)
    house.go()
    house.pager.acknowledge(uid, "robot", "machine")
    assert house.pager.get(uid).tracks[0].status is Status.CALLING
    assert house.log.marks == [("t3", "it")]


def test_a_link_shows_before_it_acts_and_acts_once(house):
    house.page(severity=2)
    house.go()
    body = next(body for name, _, body in house.lines.taken if name == "ann mail")
    token = body.rsplit("/", 1)[1]
    assert "https://ww.example.org/ack/" in body
    assert token == house.token("ann")
    for _ in range(3):
        shown = house.pager.show(token)
        assert (shown.person, shown.team, shown.usable) == ("ann", "it", True)
    assert house.pager.acknowledge_by_token(token).tracks[0].by == "ann"
    with pytest.raises(Conflict, match="used already"):
        house.pager.acknowledge_by_token(token)
    assert not house.pager.show(token).usable
    with pytest.raises(NotFound):
        house.pager.show(token[:-1] + ("A" if token[-1] != "A" else "B"))
    with house.records.read() as connection:
        kept = connection.execute(select(tables.page_attempt.c.token_digest)).scalars().all()
    assert token not in kept


def test_a_link_grows_old(house):
    house.page(severity=4, teams=["it"])
    house.go()
    house.go(4 * 60 + 1)
    token = house.token("ann")
    house.clock.advance(timedelta(hours=24))
    with pytest.raises(Conflict, match="too old"):
        house.pager.acknowledge_by_token(token)


def test_two_at_once_acknowledge_once(house):
    house.page(severity=2)
    house.go()
    token, outcomes = house.token("ann"), []

    def click():
        try:
            outcomes.append(house.pager.acknowledge_by_token(token).tracks[0].by)
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ann", "refused", "refused", "refused"]


def test_a_failing_contact_is_tried_three_times_and_the_next_one_at_once(house):
    for each in house.contacts.contacts("ann"):
        house.contacts.remove(each.uid, by="adm")
    house.contacts.add("ann", "mail", "broken", "ann@fail", by="adm")
    house.contacts.add("ann", "push", "push", "ann-ok", by="adm")
    house.page(severity=2)
    house.go()
    assert house.said() == ["push", "soc"]
    house.go(0.3)
    house.go(1.1)
    (broken,) = [each for each in house.pager.reached("i1") if each.channel == "broken"]
    assert (broken.status, broken.tries, broken.detail) == ("failed", 3, "the service answered 500")


def test_when_nobody_can_be_reached_the_next_is_called_without_waiting(house):
    for name in ("ann", "ben"):
        for each in house.contacts.contacts(name):
            house.contacts.remove(each.uid, by="adm")
    house.lines.desks = list
    house.page(severity=2)
    house.go()
    assert house.said() == ["dep mail", "max mail"]
    details = {(each.status, each.detail) for each in house.pager.reached("i1") if each.status == "nobody"}
    assert ("nobody", "has no contact that may be used now") in details
    assert ("nobody", "the settings name no shared channel for it") in details


def test_a_contact_that_hangs_holds_up_nobody_else(house):
    for each in house.contacts.contacts("ann"):
        house.contacts.remove(each.uid, by="adm")
    house.contacts.add("ann", "mail", "hanging", "ann@hang", by="adm")
    house.page(severity=2)
    house.page(severity=2, key="second", incident="i2", teams=["physical"])
    for _ in range(6):
        house.pager.step(house.clock.now())
        time.sleep(0.05)
    assert house.said() == ["control", "pia mail", "soc"]
    assert not house.pager.drain(0.1)
    house.lines.gate.set()
    assert house.pager.drain(10)


def test_maintenance_mutes_and_ends_and_never_mutes_what_is_about_lives(house):
    window = house.windows.plan("harbour/main", T0, T0 + timedelta(hours=2), "CHG-7", by="ann")
    with pytest.raises(Forbidden):
        house.windows.approve(window.uid, by="ann")
    house.page(severity=2, places=["harbour/main/door"], key="before")
    house.windows.approve(window.uid, by="max")
    with pytest.raises(Conflict):
        house.windows.approve(window.uid, by="pia")
    house.page(severity=2, places=["harbour/main/door"], key="muted", incident="i2")
    house.page(severity=2, places=["harbour/main/door"], key="lives", incident="i3", life_safety=True)
    house.go()
    titles = sorted(title for name, title, _ in house.lines.taken if name == "ann mail")
    assert len(titles) == 2
    assert titles[1].startswith("REAL sev 2 LIFE SAFETY") or titles[0].startswith("REAL sev 2 LIFE SAFETY")
    assert house.pager.reached("i2") == []
    house.windows.end(window.uid, by="max")
    house.go()
    assert [each.status for each in house.pager.reached("i2")] == ["sent", "sent"]
    with pytest.raises(InputError, match="ticket"):
        house.windows.plan("x", T0, T0 + MINUTE, "", by="ann")


def test_a_window_ends_by_itself(house):
    window = house.windows.plan("harbour", T0, T0 + timedelta(hours=2), "CHG-7", by="ann")
    house.windows.approve(window.uid, by="max")
    house.page(severity=3, places=["harbour"])
    house.go(119)
    assert house.said() == []
    house.go(1)
    assert house.said() == ["ann mail", "soc"]
    with pytest.raises(Conflict):
        house.windows.end(window.uid, by="max")


def test_quiet_hours_hold_back_light_pages_only(house):
    for each in house.contacts.contacts("ann"):
        house.contacts.remove(each.uid, by="adm")
    house.contacts.add("ann", "mail", "quiet", "ann@ok", by="adm", quiet=QuietHours("UTC", clock_time(11), clock_time(13)))
    house.page(severity=3)
    house.go()
    assert house.said() == ["soc"]
    house.page(severity=2, key="grave")
    house.go()
    assert house.said() == ["quiet", "soc"]


def test_an_exercise_says_so_and_names_and_secrets_stay_in_the_house(house):
    house.page(severity=2, title="Mara Voss used password=hunter2", withhold=["Mara Voss"], exercise=True)
    house.go()
    for _, title, body in house.lines.taken:
        assert title.startswith("EXERCISE sev 2, Harbour")
        assert "Voss" not in title + body
        assert "hunter2" not in title + body
    assert any("[ww:" in title for name, title, _ in house.lines.taken if name == "ann mail")


def test_closing_an_incident_stops_calling(house):
    house.page()
    house.go()
    house.said()
    with house.records.begin() as connection:
        assert house.pager.stop(connection, "i1", by="ann", reason="closed") == 2
    house.go(60)
    assert house.said() == []
    with pytest.raises(Conflict):
        house.pager.acknowledge(house.pager.pages("i1")[0].uid, "ann", "page")


def test_an_attempt_that_died_while_sending_is_sent_again_and_says_so(house):
    uid = house.page(severity=2)
    house.pager._calling.move_due(T0)
    with house.records.begin() as connection:
        table = tables.page_attempt
        mine = (table.c.page == uid) & (table.c.person == "ann")
        connection.execute(update(table).where(mine).values(status="sending", tries=1, lease_until=T0 + timedelta(seconds=90)))
    house.go(1)
    assert house.said() == ["soc"]
    house.go(1)
    assert house.said() == ["ann mail"]
    (again,) = [each for each in house.pager.reached("i1") if each.person == "ann"]
    assert (again.status, again.perhaps_twice, again.tries) == ("sent", True, 2)


def test_several_workers_send_each_attempt_once(house):
    for number in range(10):
        house.page(severity=2, key=str(number), incident=f"i{number}")
    pagers = [house.make() for _ in range(4)]

    def work(pager):
        for _ in range(40):
            pager.step(T0)
            pager.drain(10)

    threads = [threading.Thread(target=work, args=(pager,)) for pager in pagers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert house.said() == ["ann mail"] * 10 + ["soc"] * 10


def test_contacts_keep_addresses_sealed_and_in_order(house):
    with house.records.read() as connection:
        sealed = connection.execute(select(tables.contact.c.sealed)).scalars().all()
    assert all("ok" not in each or "@" not in each for each in sealed)
    mail, sms = house.contacts.contacts("ann")
    house.contacts.order("ann", [sms.uid, mail.uid], by="ann")
    house.page(severity=2)
    house.go()
    assert house.said() == ["ann sms", "soc"]
    house.contacts.enable(sms.uid, by="ann", enabled=False)
    house.page(severity=2, key="two")
    house.go()
    assert house.said() == ["ann mail", "soc"]
    for wrong in (
        ("stranger", "mail", "x", "a@b"),
        ("ann", "pigeon", "x", "a"),
        ("ann", "mail", "", "a"),
        ("ann", "mail", "x", "a\nb"),
        ("ann", "mail", "x", "wrong"),
    ):
        with pytest.raises(InputError):
            house.contacts.add(*wrong, by="adm")
    with pytest.raises(InputError):
        house.contacts.order("ann", [sms.uid], by="ann")
    with pytest.raises(NotFound):
        house.contacts.remove("none", by="ann")


def test_every_channel_beats_and_its_health_is_shown(house):
    for each in house.contacts.contacts("ann"):
        house.contacts.remove(each.uid, by="adm")
    house.contacts.add("ann", "mail", "broken", "ann@fail", by="adm")
    assert not any(each.good for each in house.pager.channels())
    assert house.pager.heartbeat(T0) == 2 + 10 + 1
    assert house.pager.heartbeat(T0 + MINUTE) == 0
    bad = [(each.label, each.delivery, each.detail) for each in house.pager.channels() if not each.good]
    assert bad == [("broken", "failed", "the service answered 500")]
    house.clock.advance(timedelta(days=1, seconds=1))
    assert house.pager.heartbeat(house.clock.now()) == 3  # the two desks, and the one that failed
    assert all(title.startswith("TEST") for _, title, _ in house.lines.taken)
    assert house.pager.heartbeat(house.clock.now(), only="desk:soc") == 1


def test_a_long_queue_to_one_hides_nobody_else(house):
    for number in range(70):
        house.page(severity=2, key=str(number), incident=f"i{number}", teams=["it"])
    house.page(severity=2, key="last", incident="last", teams=["physical"])
    house.pager._calling.move_due(T0)
    assert house.pager.step(T0) == 4
    assert house.pager.drain(10)
    assert house.said() == ["ann mail", "control", "pia mail", "soc"]


def test_wrong_pages_are_refused(house):
    for wrong in ({"severity": 5}, {"teams": [], "severity": 3}, {"teams": ["police"], "severity": 3}):
        with pytest.raises(InputError):
            house.page(**wrong)


CHILD = """
import importlib.util, sys
from datetime import timedelta
spec = importlib.util.spec_from_file_location("paging_child", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["paging_child"] = module
spec.loader.exec_module(module)
module.child(sys.argv[2], sys.argv[3])
"""


class Counting(Lines):
    """Appends every message to a file, so that a parent counts what left the house."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def desk(self, name):
        return self.open("ok", "chat", name)

    def open(self, address, kind, name):
        path = self.path

        class Written(Line):
            def send(self, title, body, *, to=()):
                with Path(path).open("a") as out:
                    out.write(f"{name}\n")
                return Sent(Delivery.SENT)

        return Written(name, kind, address, [], self.gate)


def child(url, path):
    house = House(open_records(url), contacts=False)
    house.lines = Counting(path)
    house.contacts._channels = house.lines
    house.pager = house.make()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        house.pager.step(datetime.now(UTC))
        time.sleep(0.002)


@pytest.mark.slow
def test_kills_lose_no_page_and_repeat_only_what_was_under_way(records, records_url, tmp_path):
    house = House(records)
    house.clock.at = datetime.now(UTC)
    out = tmp_path / "sent"
    out.touch()
    kills = 3
    for number in range(kills):
        for each in range(5):
            house.page(severity=2, key=f"{number}-{each}", incident=f"i{number}-{each}")
        process = subprocess.Popen([sys.executable, "-c", CHILD, __file__, records_url, str(out)], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.02 + 0.08 * number)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    house.lines = Counting(str(out))
    house.contacts._channels = house.lines
    house.pager = house.make()
    house.clock.at = datetime.now(UTC)
    house.go()
    house.go(1.6)  # past every lease
    reached = [each for number in range(kills) for one in range(5) for each in house.pager.reached(f"i{number}-{one}")]
    assert len(reached) == kills * 5 * 2
    assert {each.status for each in reached} == {"sent"}
    sent = out.read_text().splitlines()
    assert {*sent} == {"ann mail", "soc"}
    again = sum(each.perhaps_twice for each in reached)
    assert kills * 10 <= len(sent) <= kills * 10 + again
