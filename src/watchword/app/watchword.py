"""The running house: every service of one data folder, made once and handed to the faces."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from types import TracebackType
from typing import Self

from watchword.app.accounts import Accounts
from watchword.app.audit import Audit
from watchword.app.front_door import FrontDoor
from watchword.app.governance import Governance, open_governance
from watchword.app.house_measures import house_calculators
from watchword.app.mapping_book import MappingBook
from watchword.app.measures import Measures, open_measures
from watchword.app.occupancy import Heads, Occupancy
from watchword.app.parameters import approval_life
from watchword.app.response import DEEDS, Response, open_response
from watchword.app.settings import Settings
from watchword.app.tokens import Tokens
from watchword.app.uptime_house import open_uptime
from watchword.detect.coverage import lost_at
from watchword.detect.gaps import Gaps
from watchword.detect.insight import Insight
from watchword.detect.service import Findings
from watchword.ingest.intake import Incoming
from watchword.ingest.ledger import Ledger
from watchword.ingest.sealing import Sealer
from watchword.kit.clock import Clock, SystemClock
from watchword.kit.secrets import key_from_file
from watchword.resolve.service import Registry
from watchword.stores.archive import FileArchive
from watchword.stores.columns import SegmentColumns
from watchword.stores.eventlog import ClickHouseEventLog
from watchword.stores.located import LocatedEventLog
from watchword.stores.owner import OwnedStore
from watchword.stores.records import SqlRecords, open_records
from watchword.stores.spool import SqliteSpool


@dataclass(slots=True)
class Watchword:
    """The services of one data folder. Open it with `open_watchword`, close it when done."""

    settings: Settings
    clock: Clock
    site_key: bytes
    records: SqlRecords
    spool: SqliteSpool
    events: LocatedEventLog
    ledger: Ledger
    mappings: MappingBook
    registry: Registry
    findings: Findings
    gaps: Gaps
    insight: Insight
    accounts: Accounts
    tokens: Tokens
    audit: Audit
    intake: FrontDoor
    sealer: Sealer
    response: Response
    measures: Measures
    governance: Governance
    resources: contextlib.ExitStack

    def close(self) -> None:
        """Close every engine; a store that was started for this process is stopped."""
        self.resources.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


def open_watchword(settings: Settings, clock: Clock | None = None, *, durable: bool = True) -> Watchword:
    """Open the services of a data folder, bringing its schema up to date.

    The event log is looked for, or started, when it is first asked: commands that need none do not wait for it. A house that is not
    `durable` is one that is played anew after a crash: its spool waits for no disk.

    Raises:
        Unavailable: the records database does not answer.
    """
    clock = clock or SystemClock()
    data = settings.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        records = open_records(settings.records_url or f"sqlite:///{data / 'records.sqlite3'}")
        stack.callback(records.close)
        records.migrate()
        spool = SqliteSpool(data / "spool.sqlite3", max_bytes=settings.spool_bytes, reserve_bytes=settings.spool_reserve, durable=durable)
        stack.callback(spool.close)
        columns = SegmentColumns()
        events = _event_log(settings, columns, stack)
        site_key = key_from_file(data / "keys" / "site.key")
        ledger = Ledger(records)
        mappings = MappingBook(ledger, clock, site_key)
        registry = Registry(records, site_key, clock)
        audit = Audit(records, clock)
        findings, gaps = Findings(records, clock), Gaps(records)
        accounts = Accounts(records, clock, audit, session_life=settings.sessions_life, session_idle=settings.sessions_idle)
        intake = FrontDoor(spool, clock, mappings.sources, ids=mappings.ids_of, max_record=settings.ingest_record, tally=ledger.add_tally)
        heads = Heads()
        response = open_response(
            settings,
            records,
            clock,
            site_key=site_key,
            audit=audit,
            accounts=accounts,
            findings=findings,
            registry=registry,
            heads=heads,
            tell=lambda deed: _tell(intake, deed),
            raw=events.records,
        )
        stack.callback(response.close)
        uptime, objectives = open_uptime(
            settings,
            records,
            clock,
            audit,
            events=events,
            findings=findings,
            directory=registry.directory,
            quiet=response.quiet.windows,
        )
        measures = open_measures(
            records,
            clock,
            audit,
            team_of=response.roster.team_of,
            uptime=uptime,
            objectives=objectives,
            persons=settings.measure_persons,
        )
        watchword = Watchword(
            settings=settings,
            clock=clock,
            site_key=site_key,
            records=records,
            spool=spool,
            events=events,
            ledger=ledger,
            mappings=mappings,
            registry=registry,
            findings=findings,
            gaps=gaps,
            insight=Insight(
                events,
                findings,
                registry.directory,
                clock,
                tuple(ip_network(each) for each in settings.detect_egress),
                lost=lambda: lost_at(gaps.list(), ledger.sources()),
            ),
            accounts=accounts,
            tokens=accounts.tokens,
            audit=audit,
            intake=intake,
            sealer=Sealer(spool, FileArchive(data / "archive", columns), ledger, events, clock),
            response=response,
            measures=measures,
            governance=open_governance(records, clock, audit, response.roster, site_key, measures),
            resources=stack.pop_all(),
        )
        heads.occupancy = Occupancy(watchword)
        response.approvals.longest = lambda: approval_life(watchword.governance.policies)
        measures.calculators += house_calculators(watchword)
        return watchword


def _tell(intake: FrontDoor, deed: bytes) -> None:
    """Hand a deed of ours in at the front door, so that it is watched like anybody's."""
    intake.accept(DEEDS, [Incoming(deed)])


def _event_log(settings: Settings, columns: SegmentColumns, stack: contextlib.ExitStack) -> LocatedEventLog:
    store: list[OwnedStore] = []

    def locate() -> ClickHouseEventLog:
        if settings.events_url:
            log = ClickHouseEventLog(settings.events_url, columns=columns)
        else:
            while store:
                store.pop().stop()
            own = OwnedStore(settings.data, memory_bytes=settings.events_memory).__enter__()
            store.append(own)
            log = ClickHouseEventLog(own.url, own.token, columns)
        log.prepare()
        return log

    def leave() -> None:
        while store:
            store.pop().stop()

    stack.callback(leave)
    events = LocatedEventLog(locate)
    stack.callback(events.close)
    return events


@contextlib.contextmanager
def opened(settings: Settings, clock: Clock | None = None) -> Iterator[Watchword]:
    """Open a Watchword for the length of a ``with`` block."""
    with open_watchword(settings, clock) as watchword:
        yield watchword
