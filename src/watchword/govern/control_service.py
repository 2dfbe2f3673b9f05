"""Controls kept: evidence as spans of results, people's word, the book of the house; and how every control stands, always computed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, exists, func, insert, or_, select, update

from watchword.govern import control_tables as tables
from watchword.govern.control_book import Book, read_book
from watchword.govern.control_checks import shipped_tests
from watchword.govern.control_evidence import LOOKER, ControlState, Evidence, Exemption
from watchword.govern.control_facts import Facts
from watchword.govern.control_test import ControlTest, Outcome, Ref
from watchword.govern.exemption_service import Exemptions
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import InputError, NotFound
from watchword.kit.ids import uid_of
from watchword.kit.records import Records
from watchword.measure.compliance import LEAST_FRESH, Held, Result, Span, Way, freshness, of_control, reliability
from watchword.respond.ports import Auditor

LONGEST_WORD: Final = timedelta(days=400)
"""For so long at most somebody's word counts."""
LONGEST: Final = 4_000
CHUNK: Final = 300
TELLING: Final = frozenset({Result.PASS, Result.FAIL})


class Controls:
    """Keeps what is evidenced of controls. Changes by people are audited in their transaction."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._ledger = Ledger(records)
        self.exemptions = Exemptions(records, clock, auditor)

    @cached_property
    def tests(self) -> Mapping[str, ControlTest]:
        """The tests, by name."""
        return {test.name: test for test in shipped_tests()}

    # what the tests find

    def keep(self, test: ControlTest, outcomes: Sequence[Outcome], facts: Facts) -> int:
        """Keep what one look found; return how many results changed.

        The same result again prolongs its evidence. Not being able to tell replaces neither a fail nor a pass that still counts for
        something: the pass fades, the fail stays.
        """
        now, changed = to_millisecond(facts.now), 0
        with self._records.begin() as connection:
            standing = self._current(connection, test.name)
            for outcome in outcomes:
                before = standing.pop(outcome.asset, None)
                if before is not None and outcome.result is Result.INSUFFICIENT and _stays(before, now):
                    continue
                made = self._made(test, outcome, facts, now, before)
                self._keep_inputs(connection, made.inputs, outcome.refs)
                changed += self._write(connection, made, before)
            self._retire(connection, [each.uid for each in standing.values()])
            if changed:
                self._ledger.append_change(connection, "control", test.control, {"changed": changed}, now)
        return changed

    def _made(self, test: ControlTest, outcome: Outcome, facts: Facts, now: datetime, before: Evidence | None) -> Evidence:
        same = before is not None and before.result is outcome.result and before.version == test.version and before.way is outcome.way
        first = before.first if same and before is not None else now
        uid = uid_of("evidence", test.name, str(test.version), outcome.asset, first.isoformat(), outcome.result, outcome.way)
        inputs = uid_of("inputs", *(part for ref in sorted(outcome.refs) for part in ref))
        made = Evidence(
            uid, test.control, test.name, test.version, outcome.asset[:200], outcome.result, outcome.way, outcome.way.quality, 1.0,
            first, now, now + test.ttl, to_millisecond(facts.since), now, LOOKER, outcome.because[:LONGEST], inputs,
            outcome.read or len(outcome.refs),
        )  # fmt: skip
        return replace(made, digest=made.hashed())

    def _write(self, connection: Connection, made: Evidence, before: Evidence | None) -> bool:
        table = tables.evidence
        if before is not None and before.uid == made.uid:
            connection.execute(update(table).where(table.c.uid == made.uid).values(**_values(made)))
            return False
        if before is not None:
            self._retire(connection, [before.uid])
        connection.execute(delete(table).where(table.c.uid == made.uid))
        connection.execute(insert(table).values(**_values(made)))
        return True

    @staticmethod
    def _retire(connection: Connection, uids: Sequence[str]) -> None:
        table = tables.evidence
        for start in range(0, len(uids), CHUNK):
            connection.execute(update(table).where(table.c.uid.in_(uids[start : start + CHUNK])).values(current=False))

    @staticmethod
    def _keep_inputs(connection: Connection, inputs: str, refs: Collection[Ref]) -> None:
        table = tables.evidence_input
        if refs and connection.execute(select(table.c.uid).where(table.c.inputs == inputs).limit(1)).first() is None:
            rows = [{"inputs": inputs, "kind": kind[:16], "uid": uid[:200]} for kind, uid in dict.fromkeys(refs) if uid]
            connection.execute(insert(table), rows)

    @staticmethod
    def _current(connection: Connection, test: str) -> dict[str, Evidence]:
        table = tables.evidence
        rows = connection.execute(select(table).where(table.c.test == test, table.c.current))
        return {row.asset: evidence_of(row) for row in rows}

    def sweep(self) -> int:
        """Let go of inputs that no evidence names any more; return how many."""
        table, used = tables.evidence_input, tables.evidence
        with self._records.begin() as connection:
            unused = ~exists().where(used.c.inputs == table.c.inputs)
            return connection.execute(delete(table).where(unused)).rowcount

    # people's word

    def attest(
        self,
        control: str,
        asset: str,
        result: Result,
        statement: str,
        *,
        by: str,
        lasts: timedelta,
        way: Way = Way.ATTESTED,
    ) -> Evidence:
        """Keep somebody's word on a control, or on one thing or place of it; it counts where no machine tells, at its lower quality.

        Raises:
            InputError: it says nothing, lasts too long, or poses as telemetry.
            NotFound: no test knows the control.
        """
        test = next((each for each in self.tests.values() if each.control == control), None)
        if test is None:
            raise NotFound(f"no test knows the control {control!r} (watchword controls list shows those that are)")
        if len(statement.strip()) < 10 or len(statement) > LONGEST:
            raise InputError(f"Say in a sentence what was seen, 10 to {LONGEST} characters", "statement")
        if way is Way.TELEMETRY or result is Result.INSUFFICIENT:
            raise InputError("A word is attested or sampled, and says pass, fail or not applicable", "result")
        if not timedelta(hours=1) <= lasts <= LONGEST_WORD:
            raise InputError(f"It may count for an hour up to {LONGEST_WORD.days} days", "lasts")
        now = to_millisecond(self._clock.now())
        uid = uid_of("word", control, asset, by, now.isoformat(), result)
        made = Evidence(
            uid, control, "", 1, asset[:200], result, way, way.quality, 1.0, now, now, to_millisecond(now + lasts), now, now, by[:200],
            statement.strip(), uid_of("inputs"), 0,
        )  # fmt: skip
        made = replace(made, digest=made.hashed())
        table = tables.evidence
        with self._records.begin() as connection:
            same = (table.c.test == "", table.c.control == control, table.c.asset == made.asset, table.c.current)
            connection.execute(update(table).where(*same).values(current=False))
            connection.execute(insert(table).values(**_values(made)))
            detail = {"control": control, "asset": asset, "result": result.value, "way": way.value, "until": made.expires.isoformat()}
            self._auditor.write(by, "control.attest", uid, statement.strip(), detail, connection=connection)
            self._ledger.append_change(connection, "control", control, {"attested": result.value}, now)
        return made

    # how things stand

    def results(self, now: datetime | None = None) -> list[ControlState]:
        """Return how every tested control stands, in the order of the tests."""
        moment = now or self._clock.now()
        rows = self._rows(tables.evidence.c.current)
        exemptions = self.exemptions.all()
        return [self._state(control, rows, exemptions, moment) for control in dict.fromkeys(t.control for t in self.tests.values())]

    def control(self, control: str, now: datetime | None = None) -> ControlState:
        """Return how one control stands.

        Raises:
            NotFound: no test knows it.
        """
        if not any(test.control == control for test in self.tests.values()):
            raise NotFound(f"no test knows the control {control!r} (watchword controls list shows those that are)")
        rows = self._rows(tables.evidence.c.current, tables.evidence.c.control == control)
        return self._state(control, rows, self.exemptions.all(), now or self._clock.now())

    def held(self, now: datetime | None = None) -> list[list[Held]]:
        """Return, by control, the evidence that counts, as K5 reads it."""
        return [[each.held() for each in state.evidence] for state in self.results(now)]

    def _state(self, control: str, rows: Iterable[Evidence], exemptions: Iterable[Exemption], now: datetime) -> ControlState:
        tests = [test for test in self.tests.values() if test.control == control]
        chosen = choose([row for row in rows if row.control == control])
        telling = [each for each in chosen if each.result in TELLING]
        fresh = sum(each.expires > now for each in telling) / len(telling) if telling else None
        return ControlState(
            control=control,
            title=tests[0].title,
            domain=tests[0].domain,
            passes=" ".join(test.passes for test in tests),
            shares=of_control([each.held() for each in chosen], now),
            fresh=fresh,
            newest=max((each.collected for each in telling), default=None),
            evidence=tuple(chosen),
            exemptions=tuple(each for each in exemptions if each.control == control),
            tests=tuple(test.name for test in tests),
            csf=tests[0].csf,
            iso27001=tests[0].iso27001,
        )

    def evidence(self, uid: str) -> Evidence:
        """Return one piece of evidence.

        Raises:
            NotFound: there is none.
        """
        found = self._rows(tables.evidence.c.uid == uid)
        if not found:
            raise NotFound("there is no such evidence of a control")
        return found[0]

    def inputs(self, uid: str) -> list[Ref]:
        """Return what was read for a piece of evidence: (kind, uid) of events, findings, incidents, files, sources, tests."""
        table = tables.evidence_input
        query = select(table.c.kind, table.c.uid).where(table.c.inputs == self.evidence(uid).inputs).order_by(table.c.kind, table.c.uid)
        with self._records.read() as connection:
            return [(row.kind, row.uid) for row in connection.execute(query)]

    def all_inputs(self) -> dict[str, list[Ref]]:
        """Return, by uid of current evidence, what was read for it: one statement for an export."""
        table, names = tables.evidence_input, tables.evidence
        query = (
            select(names.c.uid, table.c.kind, table.c.uid.label("read"))
            .join(table, table.c.inputs == names.c.inputs)
            .where(names.c.current)
        )
        found: dict[str, list[Ref]] = {}
        with self._records.read() as connection:
            for row in connection.execute(query.order_by(names.c.uid, table.c.kind, table.c.uid)):
                found.setdefault(row.uid, []).append((row.kind, row.read))
        return found

    def history(self, control: str, asset: str | None = None, limit: int = 200) -> list[Evidence]:
        """Return a control's evidence, newest first, of one thing or of all."""
        table = tables.evidence
        query = select(table).where(table.c.control == control).order_by(table.c.first.desc(), table.c.uid).limit(limit)
        if asset is not None:
            query = query.where(table.c.asset == asset)
        with self._records.read() as connection:
            return [evidence_of(row) for row in connection.execute(query)]

    def spans(self, since: datetime, until: datetime, control: str = "") -> dict[str, list[Span]]:
        """Return, by control, for how long which result stood on each thing; people's word only where no machine told."""
        table = tables.evidence
        wanted = [table.c.first < until, or_(table.c.current, table.c.expires > since, table.c.collected > since)]
        rows = self._rows(*wanted, *([table.c.control == control] if control else []))
        found: dict[str, list[Span]] = {}
        now = min(until, self._clock.now())
        for name in dict.fromkeys(row.control for row in rows):
            mine = [row for row in rows if row.control == name]
            told = [row for row in mine if row.test and row.result in TELLING] or mine
            lines: dict[tuple[str, str], list[Evidence]] = {}
            for row in told:
                lines.setdefault((row.test, row.asset), []).append(row)
            found[name] = [span for line in lines.values() for span in _line(line, now)]
        return found

    def reliability(self, control: str, since: datetime, until: datetime) -> float | None:
        """Return the share of time in which a control was evidenced working (`rel_k` of K4).

        Time before the first look is left out; later time about which nothing is known counts as not working. None: nobody ever looked.
        """
        spans = self.spans(since, until, control).get(control, [])
        first = min((span.since for span in spans), default=until)
        return reliability(spans, max(since, first), until)

    def _rows(self, *conditions: Any) -> list[Evidence]:
        table = tables.evidence
        query = select(table).where(*conditions).order_by(table.c.control, table.c.asset, table.c.first)
        with self._records.read() as connection:
            return [evidence_of(row) for row in connection.execute(query)]

    # the book

    def book(self) -> Book:
        """Return the newest control book; an empty one when none was kept."""
        version, text = self.book_text()
        return read_book(text, version=version) if version else Book()

    def book_text(self) -> tuple[int, str]:
        """Return version and text of the newest book; 0 and '' when none was kept."""
        table = tables.book
        with self._records.read() as connection:
            row = connection.execute(select(table.c.version, table.c.text).order_by(table.c.version.desc()).limit(1)).first()
        return (row.version, row.text) if row is not None else (0, "")

    def configure(self, text: str, name: str, *, by: str) -> int:
        """Keep a control book and return its version: the one it has already when nothing changed.

        Raises:
            ContentError: with every fault.
        """
        read_book(text, name)
        table = tables.book
        version, before = self.book_text()
        if version and before == text:
            return version
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            newest = int(connection.execute(select(func.coalesce(func.max(table.c.version), 0))).scalar_one()) + 1
            digest = sha256(text.encode()).hexdigest()
            connection.execute(insert(table).values(version=newest, text=text, digest=digest, by=by[:200], at=now))
            self._auditor.write(by, "control.configure", str(newest), "", {"file": name, "digest": digest}, connection=connection)
        return newest


def _stays(before: Evidence, now: datetime) -> bool:
    return before.result is Result.FAIL or (before.result is Result.PASS and freshness(now - before.collected, before.ttl) >= LEAST_FRESH)


def choose(rows: Sequence[Evidence]) -> list[Evidence]:
    """Return the evidence that counts for each thing: what a machine tells, else somebody's word on it or on what holds it."""
    words = sorted((row for row in rows if not row.test), key=lambda row: row.first, reverse=True)
    found: list[Evidence] = []
    used: set[str] = set()
    for row in rows:
        if not row.test:
            continue
        word = next((each for each in words if each.asset in {"", row.asset} or row.asset.startswith(f"{each.asset}/")), None)
        if word is not None:
            used.add(word.uid)
        if row.result in TELLING or word is None:
            found.append(row)
        else:
            found.append(replace(word, asset=row.asset))
    return found + [word for word in words if word.uid not in used]


def _line(rows: Sequence[Evidence], now: datetime) -> list[Span]:
    """Return spans of one thing in order of time, none reaching into the next."""
    ranked = sorted(rows, key=lambda row: row.first)
    spans = [row.span(now) for row in ranked]
    ends = [*(span.since for span in spans[1:]), now]
    return [replace(span, until=min(span.until, end)) for span, end in zip(spans, ends, strict=True)]


def evidence_of(row: Row[Any]) -> Evidence:
    """Return a row as evidence."""
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to a row's names
    return Evidence(**{**values, "result": Result(row.result), "way": Way(row.way)})


def _values(made: Evidence) -> dict[str, Any]:
    return {name: getattr(made, name) for name in Evidence.__dataclass_fields__} | {"result": made.result.value, "way": made.way.value}
