"""What bodies need done by time: invitations by real mail on loopback, agendas frozen, rounds ended, the demo's committee."""

import importlib.util
import threading
from datetime import UTC, date, datetime, timedelta
from email import message_from_string
from email.policy import default
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from icalendar import Calendar

from watchword.app.accounts import Passwords, Role
from watchword.app.committee_work import end_rounds, prepare_meetings, remind
from watchword.app.furnishing_committees import NAME, furnish_committees
from watchword.app.living import PEOPLE
from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword
from watchword.connectors.mail_server import MailServer
from watchword.govern.body import BodyRules, Member, Seat
from watchword.govern.consent import Stage
from watchword.govern.meeting import MeetingState
from watchword.kit.clock import ManualClock
from watchword.kit.errors import InputError, WatchwordError
from watchword.model.decision import Decision, Direction, Expectation, Method

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOTHING = Expectation("", Direction.NONE)


@pytest.fixture
def smtp():
    file = Path(__file__).parents[1] / "connectors" / "test_apprise_channel.py"
    spec = importlib.util.spec_from_file_location("mail_peer", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.Smtp()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def opened(folder, **settings):
    watchword = open_watchword(Settings(data=folder, **settings), ManualClock(NOW))
    watchword.accounts._passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    return watchword


def test_invitations_go_out_once_with_the_agenda(tmp_path, smtp):
    address = f"smtp://127.0.0.1:{smtp.server_address[1]}"
    with opened(tmp_path, committees_mail=address, committees_sender="watchword@example.org") as watchword:
        for name, role in (("ada", Role.IT_ANALYST), ("otto", Role.CONTROL_ROOM_OPERATOR)):
            watchword.accounts.create(name, role, "correct horse battery", actor="test")
        members = (Member("ada", Seat.IT, "ada@example.org"), Member("otto", Seat.PHYSICAL))
        rules = BodyRules(quorum=2, cadence="FREQ=WEEKLY;BYDAY=TH", first=date(2026, 3, 1), invite_days=5)
        house = watchword.governance
        body = house.committees.put("Board", rules, members, by="ada")
        prepare_meetings(watchword, NOW)
        first, second = house.meetings.list(body.uid, ahead=True)[:2]
        assert (first.state, second.state) == (MeetingState.FROZEN, MeetingState.PLANNED)
        ((to, text),) = smtp.mails  # Otto gave no address
        assert to == "ada@example.org"
        letter = message_from_string(text, policy=default)
        assert letter["subject"] == "Board, meeting 1"
        (event,) = Calendar.from_ical(letter.get_payload()[1].get_content()).walk("VEVENT")
        assert event.decoded("dtstart") == first.starts
        prepare_meetings(watchword, NOW)
        assert len(smtp.mails) == 1
        assert house.meetings.invitations(first.uid) == {"ada": (1, "")}
        decided = Decision(
            "d" * 32, 0, body.uid, "Is it safe?", "So.", "Because.", "0" * 64, Method.CONSENT, NOW, NOW, date(2026, 3, 20), NOTHING
        )
        with watchword.records.begin() as connection:
            house.decisions.put(connection, decided, "ada")
        for day, letters in ((2, 1), (20, 2), (21, 2)):
            remind(watchword, NOW.replace(day=day))
            assert len(smtp.mails) == letters
        assert "the review of decision 1 is due" in smtp.mails[-1][1]


def test_a_mail_server_that_is_away_is_tried_again(tmp_path):
    with opened(tmp_path, committees_mail="smtp://127.0.0.1:9", committees_sender="watchword@example.org") as watchword:
        watchword.accounts.create("ada", Role.IT_ANALYST, "correct horse battery", actor="test")
        rules = BodyRules(quorum=1, quorum_physical=0, cadence="FREQ=WEEKLY;BYDAY=TH", first=date(2026, 3, 1))
        body = watchword.governance.committees.put("Board", rules, [Member("ada", Seat.IT, "ada@example.org")], by="ada")
        with pytest.raises(WatchwordError, match="did not reach ada"):
            prepare_meetings(watchword, NOW)
        meeting = watchword.governance.meetings.list(body.uid, ahead=True)[0]
        assert "did not take it" in watchword.governance.meetings.invitations(meeting.uid)["ada"][1]
        assert meeting.invited is None


@pytest.mark.parametrize(
    ("address", "sender"), [("http://x", "a@b.c"), ("smtp://u:p@x", "a@b.c"), ("smtps://x", "nobody"), ("smtps://x:99999", "a@b.c")]
)
def test_a_wrong_address_is_named_without_its_password(address, sender):
    with pytest.raises(InputError) as caught:
        MailServer(address, sender)
    assert "u:p" not in str(caught.value)


def test_the_demos_committee(tmp_path):
    with opened(tmp_path) as watchword:
        for name, (role, full_name) in PEOPLE.items():
            watchword.accounts.create(name, role, "correct horse battery", actor="test", full_name=full_name)
        furnish_committees(watchword)
        furnish_committees(watchword)  # once is enough
        house = watchword.governance
        (body,) = house.committees.list()
        assert (body.name, body.converged) == (NAME, True)
        assert len(house.decisions.due(NOW.date())) == 1
        stages = {each.stage for each in house.proposals.list(under_way=True)}
        assert stages == {Stage.OBJECTION, Stage.QUESTION}
        held = [each for each in house.meetings.list(body.uid) if each.state is MeetingState.CLOSED]
        assert held
        assert all(house.minutes.versions(each.uid)[0].approved for each in held)
        actions = house.minutes.actions(body.uid)
        assert {bool(each.done) for each in actions} == {True, False}
        assert any(each.overdue(NOW.date()) for each in actions)
        assert {each.name for each in watchword.measures.metrics.definitions()} >= {
            each.expects.metric for each in house.decisions.list() if each.expects.metric
        }
        watchword.clock.advance(timedelta(days=6))  # type: ignore[attr-defined]
        end_rounds(watchword, watchword.clock.now())
        assert Stage.OBJECTION not in {each.stage for each in house.proposals.list(under_way=True) if each.number == 4}
        assert watchword.audit.verify() == []
