"""Measures of steering over what bodies did: open questions wait, unknown is unknown, everything leads back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert

from watchword.govern import committee_tables as tables
from watchword.govern.steering_calculator_service import SteeringCalculator
from watchword.govern.steering_service import Gathering, Paramount, Steering
from watchword.learn.learning_tables import decision_effect
from watchword.measure.steering import Due, Question, Review
from watchword.model.metric import Window
from watchword.stores.records import open_records

T0 = datetime(2026, 3, 2, tzinfo=UTC)
WINDOW = Window(T0, T0 + timedelta(days=28))
NOW = WINDOW.until


def at(days):
    return T0 + timedelta(days=days)


class Facts:
    """What bodies did, as the test says."""

    def __init__(self, **more):
        nothing = {"questions": (), "reviews": (), "gatherings": (), "chairs": {}, "paramount": (), "actions": (), "items": ()}
        self.steering = Steering(**(nothing | {"earliest": T0} | more))

    def read(self):
        return self.steering


@pytest.fixture
def records(tmp_path):
    opened = open_records(f"sqlite:///{tmp_path}/records.sqlite3")
    opened.migrate()
    yield opened
    opened.close()


def values(records, **more):
    calculator = SteeringCalculator(records, Facts(**more))
    return {(each.metric.name, each.metric.subject): each for each in calculator.compute(WINDOW, NOW)}


def test_nothing_to_count_is_unknown(records):
    found = values(records)
    assert {name for name, _ in found} == set(SteeringCalculator.names)
    assert [name for (name, _), each in found.items() if each.metric.value is not None] == []
    assert all(each.metric.grade.value == "D" and each.metric.because.endswith(".") for each in found.values())
    assert list(SteeringCalculator(records, Facts(earliest=None)).compute(WINDOW, NOW)) == []


def test_what_bodies_did_is_counted(records):
    with records.begin() as connection:
        row = {
            "body": "b",
            "number": 1,
            "starts": at(3),
            "ends": at(3),
            "state": "closed",
            "roles": {},
            "dropped": [],
            "agenda_dropped": [],
        }
        connection.execute(insert(tables.meeting).values(uid="m", **row))
        for person, domain in (("ana", "it"), ("ivo", "it"), ("otto", "physical"), ("mara", "other")):
            connection.execute(insert(tables.presence).values(meeting="m", person=person, domain=domain, state="present", at=at(3)))
        for number, effect in enumerate(("as expected", "contrary", "too early")):
            connection.execute(
                insert(decision_effect).values(
                    decision=f"d{number}",
                    effect=effect,
                    because="",
                    points_before=8,
                    points_after=8,
                    method="xmr",
                    metrics=[],
                    judged_at=at(9),
                )
            )
    found = values(
        records,
        questions=(Question("p1", at(1), at(5)), Question("p2", at(1))),
        reviews=(Review("d1", date(2026, 3, 9), date(2026, 3, 8)), Review("d2", date(2026, 3, 9))),
        gatherings=(Gathering("m", "meeting", at(3), met=True), Gathering("p2", "proposal", at(6), met=False)),
        chairs={"b": {"ana": 2, "otto": 0}, "empty": {}},
        paramount=(Paramount("p1", at(5), 2),),
        actions=(Due("a1", at(4), at(6)), Due("a2", at(5))),
    )
    figures = {key: each.metric.value for key, each in found.items()}
    assert figures["decision_latency", ""] == 4.0
    assert figures["reviews_kept", ""] == 0.5
    assert figures["quorum", ""] == 0.5
    assert figures["chair_spread", "b"] == figures["chair_spread", ""] == 2.0
    assert figures["objections.left_open", ""] == 0.0
    assert figures["decisions.without_effect", ""] == 0.5
    assert figures["actions.overdue", ""] == 2.0
    assert figures["meeting_equity", ""] == pytest.approx(0.9)
    assert found["quorum", ""].uids == (("meeting", "m"), ("proposal", "p2"))
    assert ("decision", "d1") in found["reviews_kept", ""].uids
    past = Window(WINDOW.since - timedelta(days=28), WINDOW.since + timedelta(days=1))
    names = {each.metric.name for each in SteeringCalculator(records, Facts(chairs={"b": {"ana": 2}})).compute(past, NOW)}
    assert "chair_spread" not in names, "turns are known as they stand now"
