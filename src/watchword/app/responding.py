"""The responding process: findings become incidents, runs take their steps, people are called, temporary states end, all from rows."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection, insert, select, update

from watchword.app.mapping_book import shipped_mappings
from watchword.app.parameters import Followed, page_severity
from watchword.app.response import DEEDS
from watchword.app.runbook import FOLDER, due, writing
from watchword.app.settings import Settings
from watchword.app.starting import Starter
from watchword.app.supervisor import held
from watchword.app.tables import follower
from watchword.app.watchword import Watchword, open_watchword
from watchword.connectors.apprise_channel import warm
from watchword.connectors.reply_mailbox import look, mailbox_of
from watchword.ingest.ledger import Change
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import Full, Unavailable, WatchwordError
from watchword.kit.ids import uid_of
from watchword.model import Finding, Mode
from watchword.model.incident import Incident
from watchword.model.ocsf import Severity

NAP: Final = 0.4
"""Longest pause between two looks at what is due: a finding is paged within a second or two."""
FOLLOWER: Final = "respond"
NEWS: Final = 500
FIRST_LOOK: Final = timedelta(hours=24)
"""A house that never responded before looks back so far."""
PAGED: Final = timedelta(hours=24)
"""Older findings still become incidents, and call nobody out of bed."""
SLOW: Final = 30.0
"""Seconds between looks at what only the hours change: gaps in rotas, acknowledgements that nothing followed, heartbeats, the mailbox."""
GAP_AHEAD: Final = timedelta(days=7)
PATIENCE: Final = 2.0
STALLED, GAP = "run_stalled", "rota_gap"
"""Rules of our own house, in its findings."""

log = structlog.get_logger()
T = TypeVar("T")


def respond(settings: Settings, stopping: threading.Event) -> None:
    """Respond until `stopping` is set.

    Raises:
        Conflict: another process responds on this data folder.
    """
    with held(settings, "respond"), open_watchword(settings) as watchword:
        responder = Responding(watchword)
        _patiently(responder.start, stopping)
        log.info("responding")
        slow = 0.0
        while not stopping.is_set():
            done = _patiently(responder.step, stopping) or 0
            if time.monotonic() - slow >= SLOW:
                slow = time.monotonic()
                _patiently(responder.look_round, stopping)
            stopping.wait(0.02 if done else NAP)


class Responding:
    """One pass over everything that is due, as often as somebody calls it."""

    def __init__(self, watchword: Watchword) -> None:
        self._watchword = watchword
        self._response = watchword.response
        self.starter = Starter(self._response.library, self._response.runs, watchword.clock)
        self._followed = Followed(watchword.governance.policies, "respond")
        self._printing: Iterator[tuple[Path | None, str]] | None = None
        triager = self._response.incidents.triager
        triager.on_open.append(self._page_opened)
        triager.on_graver.append(self._page_graver)

    def start(self) -> None:
        """Keep the shipped playbooks and the source of our own deeds, and take up what was under way when the process before ended."""
        if DEEDS not in self._watchword.mappings.sources():
            self._watchword.mappings.put(shipped_mappings()[DEEDS], f"{DEEDS}.yaml", source=DEEDS)
        new = self._response.library.install_shipped()
        if new:
            log.info("playbooks_installed", count=new)
        warm()
        recovered = self._response.gateway.recover()
        if recovered:
            log.info("actions_recovered", count=recovered)

    def step(self) -> int:
        """Do what is due now and return how much was done."""
        response, now = self._response, self._watchword.clock.now()
        done = self._safely("alarms", self._alarms)
        done += self._safely("triage", self._triage)
        done += self._safely("approvals", lambda: response.approvals.expire(now))
        done += self._safely("runs", lambda: response.runs.step(now))
        done += self._safely("reverts", lambda: response.gateway.revert_due(now))
        done += self._safely("pages", lambda: response.pager.step(now))
        return done

    def look_round(self) -> None:
        """Look at what only the passing of hours changes."""
        now = self._watchword.clock.now()
        self._safely("parameters", self._follow)
        self._safely("recover", self._response.gateway.recover)
        self._safely("acknowledgements", lambda: self._expire(now))
        self._safely("heartbeats", lambda: self._response.pager.heartbeat(now))
        self._safely("own findings", lambda: self._own_findings(now))
        self._safely("paper", self._paper)
        if self._watchword.settings.paging_mailbox:
            self._safely("mailbox", self._read_mail)

    def _follow(self) -> int:
        """Take up the parameters in force: from which severity on a finding opens an incident."""
        triager = self._response.incidents.triager
        triager.settings = replace(triager.settings, page_severity=page_severity(self._followed))
        return self._followed.tell()

    # findings

    def _triage(self) -> int:
        """Sort new findings into incidents; the position is kept once that is committed, so that a crash repeats and doubles nothing."""
        watchword = self._watchword
        after = self._position()
        news = watchword.ledger.changes(after, NEWS)
        if not news:
            return 0
        findings = self._findings(news)
        if findings:
            self._sort(findings)
        with watchword.records.begin() as connection:
            connection.execute(update(follower).where(follower.c.name == FOLLOWER).values(position=news[-1].position))
        return len(findings)

    def _sort(self, findings: Sequence[Finding]) -> None:
        taken = self._response.incidents.triage(findings)
        directory = self._watchword.registry.directory()
        by_uid = {finding.uid: finding for finding in findings}
        for one in taken:
            held_now = [by_uid[uid] for uid in one.findings if uid in by_uid]
            if held_now:
                self.starter.start_for(one.incident, held_now, directory)

    def _findings(self, news: Sequence[Change]) -> list[Finding]:
        found = []
        for uid in dict.fromkeys(change.uid for change in news if change.kind == "finding"):
            kept = self._watchword.findings.get(uid)
            found.append(kept.finding)
        return found

    def _position(self) -> int:
        """Return how far the news was followed; a house that never responded begins with the findings of the last day."""
        with self._watchword.records.read() as connection:
            position = connection.execute(select(follower.c.position).where(follower.c.name == FOLLOWER)).scalar()
        if position is not None:
            return int(position)
        first = self._watchword.ledger.last_position()
        findings = self._watchword.findings.since(self._watchword.clock.now() - FIRST_LOOK)
        if findings:
            self._sort(findings)
        with self._watchword.records.begin() as connection:
            connection.execute(insert(follower).values(name=FOLLOWER, position=first))
        return first

    # people

    def _page_opened(self, connection: Connection, incident: Incident, findings: Sequence[Finding]) -> None:
        self._page(connection, incident, findings, f"open:{incident.uid}")

    def _page_graver(self, connection: Connection, incident: Incident, findings: Sequence[Finding]) -> None:
        self._page(connection, incident, findings, f"graver:{incident.uid}:{incident.severity}")

    def _page(self, connection: Connection, incident: Incident, findings: Sequence[Finding], key: str) -> None:
        now = self._watchword.clock.now()
        if not incident.exercise and all(finding.time < now - PAGED for finding in findings):
            return
        directory = self._watchword.registry.directory()
        places = [place for finding in findings for place in finding.places]
        names = {directory.label(person) for finding in findings for person in finding.persons}
        self._response.pager.page(
            connection,
            incident=incident.uid,
            severity=incident.severity,
            teams=[team.value for team in incident.teams],
            title=incident.title,
            place=directory.label(places[0]) if places else "",
            what_to_do=f"Take it, open incident {incident.number}, do the first step that is yours.",
            exercise=incident.exercise,
            key=key,
            places=tuple(dict.fromkeys(places)),
            withhold=tuple(sorted(names)),
            like="+".join(sorted({finding.rule for finding in findings})),
        )

    def _expire(self, now: datetime) -> int:
        count = 0
        for stale in self._response.incidents.stale_acknowledgements(now):
            with self._watchword.records.begin() as connection:
                count += self._response.incidents.expire(connection, stale)
        return count

    def _paper(self) -> int:
        """Once a night: print the runbooks anew, one at each look, as pages must not wait; and sweep what killed acquisitions left."""
        if self._printing is None:
            if not due(self._watchword):
                return 0
            self._response.evidence.sweep()
            self._printing = writing(self._watchword, self._watchword.settings.data / FOLDER)
        path, fault = next(self._printing, (None, ""))
        if fault:
            log.error("runbook_not_made", fault=fault)
        elif path is None:
            self._printing = None
        return int(path is not None)

    def _read_mail(self) -> int:
        pager = self._response.pager
        looked = look(mailbox_of(self._watchword.settings.paging_mailbox), lambda token: pager.acknowledge_by_token(token, "reply"))
        return looked.acknowledged

    # safety and our own state

    def _alarms(self) -> int:
        """End every lockdown of a building in which fire is reported."""
        return sum(self._response.gateway.alarm(fact.building) for fact in self._response.safety.alarms())

    def _own_findings(self, now: datetime) -> int:
        found = []
        for stalled in self._response.runs.stalled(now):
            because = f"The run {stalled.name} has owed a step since {stalled.since:%H:%M} UTC and makes none: {stalled.why}."
            found.append(_own(STALLED, stalled.run, stalled.since, "A playbook run stands still", because, Severity.HIGH))
        for gap in self._response.on_call.gaps(to_millisecond(now + GAP_AHEAD)):
            because = f"Nobody of the rota {gap.rota} is on call from {gap.since:%a %d %b %H:%M} to {gap.until:%a %d %b %H:%M} UTC."
            found.append(_own(GAP, f"{gap.rota}:{gap.since.isoformat()}", now, "A gap in the rota", because, Severity.MEDIUM))
        fresh = [finding for finding in found if not self._known(finding.uid)]
        if fresh:
            self._watchword.findings.put(fresh)
        return len(fresh)

    def _known(self, uid: str) -> bool:
        return self._watchword.findings.exists(uid)

    def _safely(self, what: str, deed: Callable[[], int]) -> int:
        """Do one part of the pass: what is wrong in it stops no other, and is tried again in the next."""
        try:
            return deed() or 0
        except (Unavailable, Full):
            raise
        except WatchwordError as error:
            log.error("part_failed", part=what, fault=str(error))  # noqa: TRY400 - the cause is in the message
        except Exception:
            log.exception("part_failed", part=what)
        return 0


def _own(rule: str, key: str, at: datetime, title: str, because: str, severity: int) -> Finding:
    moment = to_millisecond(at)
    return Finding(
        uid=uid_of("finding", rule, key),
        rule=rule,
        rule_version=1,
        title=title,
        severity=severity,
        confidence=1.0,
        time=moment,
        first_time=moment,
        last_time=moment,
        because=because,
        mode=Mode.PAGE,
    )


def _patiently(deed: Callable[[], T], stopping: threading.Event) -> T | None:
    """Do it, again and again while an engine does not answer: what is due is in rows, and is late, not lost."""
    while not stopping.is_set():
        try:
            return deed()
        except (Unavailable, Full) as error:
            log.warning("waiting", reason=str(error))
            stopping.wait(PATIENCE)
    return None


__all__ = ["Responding", "respond"]
