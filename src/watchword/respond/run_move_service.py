"""One transition of a run in one transaction: rows in, interpreter, rows out, and what it asks of approvals, timeline and pages."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, Row, select, text

from watchword.ingest.ledger import CHANGE_LOCK, Ledger
from watchword.kit.errors import NotFound
from watchword.kit.records import Records
from watchword.model.action import Action
from watchword.respond import run_rows_service as rows
from watchword.respond.approval import ApprovalRule, stricter
from watchword.respond.cacao import decode
from watchword.respond.interpreter import advance
from watchword.respond.plan import MACHINE_TIMEOUT, Plan, PlanStep
from watchword.respond.plan_making import plan_of
from watchword.respond.ports import Auditor, IncidentLog, Pages
from watchword.respond.run_state import Advance, AskApproval, Input, Perform, RunState, RunStatus, Told
from watchword.respond.run_tables import run_pin

LONGEST_TEXT = 2_000
"""Characters of one timeline entry; the whole stands with the step."""
KEPT_BOOKS = 128
"""Runs whose plans are kept in memory."""


class Asks(Protocol):
    """Where people are asked to agree."""

    wake: Callable[[Connection, str, str], None]

    def ask(self, connection: Connection, action: Action, rule: ApprovalRule, *, run: str, path: str, asked_by: str) -> str:
        """Ask within the transaction; the same request for the same run, path and action."""
        ...

    def read(self, connection: Connection, uid: str) -> Any:
        """Return a request with its state and digest, read within the transaction."""
        ...


class Rules(Protocol):
    """The action catalogue, as far as runs need it."""

    @property
    def verbs(self) -> Mapping[str, Any]:
        """Return the verbs, each with its approval `rule`."""
        ...


class Renders(Protocol):
    """The gateway, as far as transitions need it."""

    def render(self, action: Action) -> Action:
        """Return the action with what only the site file knows filled in."""
        ...


class Counter:
    """Answers the interpreter's questions about actions from gateway and catalogue."""

    def __init__(self, gateway: Renders, catalogue: Rules) -> None:
        self._gateway, self._catalogue = gateway, catalogue

    def whole(self, action: Action) -> Action:
        """Return the action as it will be sent."""
        return self._gateway.render(action)

    def rule(self, action: Action, step: PlanStep) -> ApprovalRule:
        """Return the stricter of the verb's rule and the step's."""
        verb = self._catalogue.verbs.get(action.verb)
        own = step.approval or ApprovalRule(exclude_requester=False)
        if verb is None:  # the gateway refuses it; nobody needs to be asked first
            return own
        rule: ApprovalRule = verb.rule
        return rule if step.approval is None else stricter(rule, own)


class Moves:
    """Makes transitions. Everything that changes a run goes through `move`, under the lock of the run's row."""

    def __init__(
        self,
        records: Records,
        approvals: Asks,
        log: IncidentLog,
        *,
        gateway: Renders,
        catalogue: Rules,
        auditor: Auditor,
        pager: Pages | None,
        severity_of: Callable[[Connection, str], int],
    ) -> None:
        self.records, self.approvals, self.log = records, approvals, log
        self.auditor, self.pager, self.severity_of = auditor, pager, severity_of
        self._desk = Counter(gateway, catalogue)
        self.ledger = Ledger(records)
        self._books: OrderedDict[str, Mapping[str, Plan]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction that will move runs. On PostgreSQL it takes the lock of the news first, as all that write on incidents do.

        One order of locks for everybody (news, run, incident) is what keeps two of them from waiting for each other.
        """
        with self.records.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHANGE_LOCK})
            yield connection

    def books(self, connection: Connection, run: str) -> Mapping[str, Plan]:
        """Return the plans of the playbooks that a run has pinned."""
        with self._lock:
            if (found := self._books.get(run)) is not None:
                self._books.move_to_end(run)
                return found
        pins = connection.execute(select(run_pin).where(run_pin.c.run == run)).all()
        made = plans_of({pin.book: (pin.text, pin.latest) for pin in pins})
        with self._lock:
            self._books[run] = made
            while len(self._books) > KEPT_BOOKS:
                self._books.popitem(last=False)
        return made

    def load(self, connection: Connection, run: str) -> tuple[RunState, Row[Any]]:
        """Return a run's open state and row, locked until the transaction ends.

        Raises:
            NotFound: there is no such run.
        """
        loaded = rows.load(connection, run)
        if loaded is None:
            raise NotFound(f"there is no run {run!r}")
        return loaded

    def move(self, connection: Connection, state: RunState, version: int, given: Input, now: datetime) -> tuple[RunState, int]:
        """Make one transition within the transaction that loaded the state; return the new state and the row's new version."""
        books = self.books(connection, state.uid)
        made = advance(books, state, given, now, self._desk)
        if made.state == state and not made.effects:
            return state, version
        timeouts = {one.path: self._timeout(books, made, one.path) for one in made.effects if isinstance(one, Perform)}
        rows.save(connection, made, version, now, timeouts)
        for effect in made.effects:
            if isinstance(effect, AskApproval):
                self._ask(connection, made.state, effect, now)
            elif isinstance(effect, Told):
                self._tell(connection, made.state, effect, now)
        summary = {"status": made.state.status.value, "incident": state.incident, "playbook": books[state.book].name}
        self.ledger.append_change(connection, "run", state.uid, summary, now)
        return made.state, version + 1

    def _timeout(self, books: Mapping[str, Plan], made: Advance, path: str) -> timedelta:
        step = made.state.steps[path]
        return books[step.book].steps[step.step].timeout or MACHINE_TIMEOUT

    def _ask(self, connection: Connection, state: RunState, effect: AskApproval, now: datetime) -> None:
        assert isinstance(effect.rule, ApprovalRule)  # noqa: S101 - the desk makes it
        action = effect.action
        uid = self.approvals.ask(connection, action, effect.rule, run=state.uid, path=effect.path, asked_by=action.requested_by)
        words = {"title": action.reason, "words": f"{action.verb} {action.target}"}
        rows.keep_wait(connection, state.uid, effect.path, "approval", uid, words, now)

    def _tell(self, connection: Connection, state: RunState, told: Told, now: datetime) -> None:
        refs = {"run": state.uid} | ({"path": told.path} if told.path else {})
        if state.incident:
            self.log.append(
                connection,
                state.incident,
                told.kind,
                told.text[:LONGEST_TEXT],
                occurred_at=now,
                recorded_by=told.by or "system",
                team=told.team,
                refs=refs,
            )
        if told.page and self.pager is not None:
            ended = state.status is not RunStatus.RUNNING
            self.pager.page(
                connection,
                incident=state.incident,
                severity=self.severity_of(connection, state.incident),
                teams=(told.team,) if told.page == "team" and told.team else ("it", "physical"),
                title=told.text[:200],
                place="",
                what_to_do="Open the run, see which step failed, and do by hand what it did not."
                if ended
                else "Open the step and do it now.",
                exercise=state.exercise,
                key=f"run:{state.uid}:{told.path}:{told.kind}:{state.reached}",
            )


def plans_of(texts: Mapping[str, tuple[str, bool]]) -> dict[str, Plan]:
    """Return the plans of pinned texts, by key ``id@modified``; the flag says which version a call without version means."""
    latest = {key.partition("@")[0]: key for key, (_, flag) in texts.items() if flag}
    return {key: plan_of(decode(body), key, set(texts), latest) for key, (body, _) in texts.items()}
