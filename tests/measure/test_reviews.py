"""Re-reviews and the detectors' signs on both engines: drawn once, given once, rated, and forgotten where persons are not measured."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.measure.calculator import running
from watchword.measure.closure_log import Closure, ClosureLog, Deed
from watchword.measure.closure_log_service import ClosureBook, tier
from watchword.measure.definitions import definition
from watchword.measure.gaming import Sign
from watchword.measure.gaming_house import HouseSign
from watchword.measure.gaming_service import Gaming
from watchword.measure.incident_facts_service import IncidentBookFacts
from watchword.measure.metric_service import Metrics
from watchword.measure.review_service import SECRET, ReviewCalculator, Reviews, put_study
from watchword.model.metric import Flag
from watchword.stores.records import SqlRecords

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
"""A Wednesday."""


class Book(ClosureBook):
    """A log of forty closures by two people in the week before."""

    def read(self, now: datetime, back: timedelta = timedelta()) -> ClosureLog:
        del now, back
        at = datetime(2026, 2, 23, 8, tzinfo=UTC)
        closures = [
            Closure(at + timedelta(hours=each), "ann" if each % 2 else "ben", "incident", f"{each:032x}", 3, 3, "true")
            for each in range(120)
        ]
        return ClosureLog((), tuple(closures), {"ann": "it", "ben": "physical"})


class Written:
    """An audit log that remembers."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []

    def write(self, actor: str, action: str, *_: object, **__: object) -> None:
        self.entries.append((actor, action))


def _none(_: datetime) -> Iterator[Deed]:
    return iter(())


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def reviews(records: SqlRecords, written: Written) -> Reviews:
    book = Book(records, _none, lambda _: "it")
    with records.begin() as connection:
        put_study(connection, SECRET, {"secret": "of the test"}, NOW)
    return Reviews(records, ManualClock(NOW), written, book)


def test_a_week_is_drawn_once_and_each_is_reviewed_once(reviews: Reviews, written: Written) -> None:
    assert reviews.draw(NOW) == 6
    assert reviews.draw(NOW + timedelta(days=1)) == 0
    ann, ben, dora = (reviews.waiting(each) for each in ("ann", "ben", "dora"))
    assert len(ann) + len(ben) == len(dora) == 6
    mine = next(each for each in dora if each.uid not in {one.uid for one in ann})
    with pytest.raises(Forbidden, match="leave it to a colleague"):
        reviews.give(mine.uid, "true", 3, "", "ann")
    with pytest.raises(InputError, match="no verdict"):
        reviews.give(mine.uid, "perhaps", 3, "", "dora")
    done = reviews.give(mine.uid, "true", 3, "As said.", "dora")
    assert not done.differs
    assert reviews.give(ben[-1].uid, "true", 2, "", "ben" if ben[-1].uid != mine.uid else "dora").differs
    with pytest.raises(Conflict):
        reviews.give(mine.uid, "true", 3, "", "dora")
    with pytest.raises(NotFound):
        reviews.give("0" * 32, "true", 3, "", "dora")
    assert [action for _, action in written.entries] == ["review.give"] * 2
    assert reviews.rates_by_severity()[3].reviewed == 2
    with pytest.raises(Forbidden, match=r"measure\.persons"):
        reviews.rates_by_closer("dora", allowed=False)
    assert set(reviews.rates_by_closer("dora", allowed=True)) <= {"ann", "ben"}
    assert written.entries[-1] == ("dora", "person_measures.read")


def test_disagreement_is_unknown_until_somebody_looked_and_knows_how_much_is_owed(reviews: Reviews) -> None:
    later = NOW + timedelta(minutes=1)
    window = running(definition("review.disagreement"), later)
    reviews.draw(NOW)
    (before,) = ReviewCalculator(reviews).compute(window, later)
    assert before.metric.value is None
    assert before.metric.grade.value == "D"
    for each in reviews.waiting("dora")[:3]:
        reviews.give(each.uid, "benign", 3, "", "dora")
    (after,) = ReviewCalculator(reviews).compute(window, later)
    assert (after.metric.value, after.metric.n, after.metric.coverage) == (1.0, 3, 0.5)
    assert after.metric.hi == 1
    assert after.metric.lo is not None
    assert after.metric.lo < 0.6
    assert len(after.uids) == 3


def test_the_log_of_an_empty_house_is_empty(records: SqlRecords) -> None:
    book = ClosureBook(records, _none, lambda _: "")
    assert book.first() is None
    assert book.read(NOW).closures == ()
    assert [tier(each) for each in range(7)] == [4, 4, 4, 3, 2, 1, 1]


def _gaming(records: SqlRecords, written: Written, *, persons: bool) -> Gaming:
    clock = ManualClock(NOW)
    metrics = Metrics(records, clock, written)
    return Gaming(records, clock, written, metrics, Book(records, _none, str), IncidentBookFacts(records, str), persons=persons)


def test_signs_of_persons_are_kept_only_while_that_is_allowed(records: SqlRecords, written: Written) -> None:
    sign = Sign(Flag.DOWNGRADE, 0, 0.5, 0.1, 30, 0.0001, "Of 30 closures by ann, 15 were marked down (50%); of peers' 10%.")
    found = [HouseSign(Flag.DOWNGRADE, "it", "ann", sign, NOW - timedelta(weeks=4), NOW)]
    allowed = _gaming(records, written, persons=True)
    allowed.keep_persons(found, NOW)
    allowed.keep_persons(found, NOW)
    assert [(each.person, each.p) for each in allowed.people("mia")] == [("ann", 0.0001)]
    assert written.entries == [("mia", "person_measures.read")]
    forbidden = _gaming(records, written, persons=False)
    forbidden.keep_persons(found, NOW)
    with pytest.raises(Forbidden, match=r"measure\.persons"):
        forbidden.people("mia")
    assert allowed.people("mia") == []


def test_the_detectors_look_at_an_empty_house_and_ask_nothing(records: SqlRecords, written: Written) -> None:
    gaming = _gaming(records, written, persons=False)
    assert gaming.look(NOW) == 0
    assert gaming.prompts() == []
    with pytest.raises(NotFound):
        gaming.answer("0" * 32, "nothing", "mia")
