"""The response of a running house: incidents, playbooks, runs, approvals, the gateway to devices, and the ways of reaching people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection, select

from watchword.app.accounts import Accounts
from watchword.app.audit import Audit
from watchword.app.guard_desk import HousePager
from watchword.app.roster import AccountRoster
from watchword.app.settings import Settings
from watchword.connectors.apprise_channel import AppriseChannels, Gateways
from watchword.connectors.product import Clip, Parts
from watchword.connectors.responders import BrokenResponder, make_responders
from watchword.connectors.screen_channel import KIND, ScreenChannel, WithScreens
from watchword.connectors.simulated_devices import SimulatedDevices
from watchword.detect.service import Findings
from watchword.kit.clock import Clock
from watchword.kit.errors import Corrupt, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.kit.secrets import key_from_file
from watchword.model.incident import Moment
from watchword.resolve import Directory
from watchword.resolve.service import Registry
from watchword.respond.approval_service import Approvals
from watchword.respond.catalogue import shipped_catalogue
from watchword.respond.contact_service import Contacts
from watchword.respond.evidence_service import Evidence
from watchword.respond.evidence_view import About, EvidenceKind
from watchword.respond.gateway_service import Gateway
from watchword.respond.incident_service import Incidents
from watchword.respond.incident_tables import incident as incident_table
from watchword.respond.incident_tables import incident_team
from watchword.respond.library_service import Library
from watchword.respond.library_view import KeptPlaybook
from watchword.respond.on_call_service import OnCall
from watchword.respond.open_items_service import ALL
from watchword.respond.paging_service import Pager
from watchword.respond.policy_file import read_policies
from watchword.respond.ports import Heads, Responder
from watchword.respond.quiet_service import QuietWindows
from watchword.respond.raw_lines import Record
from watchword.respond.reach_service import DeskChannel
from watchword.respond.run_service import Runs
from watchword.respond.safety_service import SafetyService

DEEDS: Final = "watchword-actions"
"""The source as which our own actions come in at the front door, to be watched like anybody's."""
TWINS: Final = "twins.sqlite3"
SIMULATED: Final = "simulated.sqlite3"


class IncidentBook:
    """Implements `ports.IncidentLog` on the incidents, and tells whoever calls a team once that team has begun to work."""

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents
        self.engaged: Callable[[Connection, str, str, str], None] | None = None
        """Called with (connection, incident, team, person) when a team's first substantive deed is recorded."""

    def append(
        self,
        connection: Connection,
        incident: str,
        kind: str,
        text: str,
        *,
        occurred_at: datetime,
        recorded_by: str,
        team: str = "",
        refs: Mapping[str, str] | None = None,
    ) -> None:
        """Append a timeline entry; what belongs to no incident is in the audit log alone."""
        if not incident:
            return
        before = self._engaged(connection, incident, team)
        self._incidents.append(connection, incident, kind, text, occurred_at=occurred_at, recorded_by=recorded_by, team=team, refs=refs)
        if not before and self.engaged is not None and self._engaged(connection, incident, team):
            self.engaged(connection, incident, team, recorded_by)

    def mark(
        self, connection: Connection, incident: str, moment: str, at: datetime, *, source: str, team: str = "", evidence: str = ""
    ) -> None:
        """Record a canonical moment."""
        if not incident:
            return
        self._incidents.mark(connection, incident, moment, at, source=source, team=team, evidence=evidence)
        if self.engaged is not None and moment == Moment.ENGAGED and team:
            self.engaged(connection, incident, team, evidence)

    def _engaged(self, connection: Connection, incident: str, team: str) -> bool:
        """Tell whether a team's first deed is kept; True where there is no team to ask about."""
        if not team:
            return True
        mine = (incident_team.c.incident == incident) & (incident_team.c.team == team)
        return connection.execute(select(incident_team.c.engaged_at).where(mine)).scalar() is not None


@dataclass(slots=True)
class Response:
    """Everything that responds. Part of a `Watchword`."""

    incidents: Incidents
    library: Library
    approvals: Approvals
    gateway: Gateway
    runs: Runs
    pager: Pager
    on_call: OnCall
    contacts: Contacts
    quiet: QuietWindows
    safety: SafetyService
    roster: AccountRoster
    evidence: Evidence
    responders: tuple[Responder, ...] = ()
    """Those that are real, in order of preference."""
    broken_responders: tuple[BrokenResponder, ...] = ()

    def close(self) -> None:
        """Let go of what is under way: it is in rows, and taken up at the next start."""
        self.runs.close()


def open_response(
    settings: Settings,
    records: Records,
    clock: Clock,
    *,
    site_key: bytes,
    audit: Audit,
    accounts: Accounts,
    findings: Findings,
    registry: Registry,
    heads: Heads,
    tell: Callable[[bytes], None],
    raw: Record,
    responders: Sequence[Responder] = (),
) -> Response:
    """Put the parts together; nothing is started.

    Raises:
        InputError, ContentError: a paging channel or policy of the settings is wrong.
    """
    directory: Callable[[], Directory] = registry.directory
    incidents = Incidents(records, clock, findings, audit, directory=directory, open_items=ALL)
    book = IncidentBook(incidents)
    roster = AccountRoster(accounts, records)
    channels = _channels(settings, accounts, roster)
    on_call = OnCall(records, clock, roster, audit, site_key)
    contacts = Contacts(records, clock, channels, roster, audit, site_key)
    policies = None
    if settings.paging_policies is not None:
        kept = read_policies(settings.paging_policies.read_text("utf-8"), str(settings.paging_policies))
        policies = lambda: kept  # noqa: E731 - a constant that is asked for
    pager = Pager(
        records,
        clock,
        channels,
        on_call,
        book,
        audit,
        roster=roster,
        contacts=contacts,
        site_key=site_key,
        address=address_of(settings),
        policies=policies,
        replies=bool(settings.paging_mailbox),
    )
    book.engaged = pager.engaged
    safety = SafetyService(records, clock, directory)
    approvals = Approvals(records, clock, audit, book, pages=pager)
    catalogue = shipped_catalogue()
    evidence = open_evidence(settings, records, clock, audit, book, roster, raw)
    devices = settings.data / "run"
    keep = partial(keep_clip, evidence)
    named, broken = make_responders(
        settings.responder, Parts(clock, devices / "responders", keep_clip=keep, guards=HousePager(records, incidents, pager, directory))
    )
    real = [*responders, *named, *([SimulatedDevices(devices / SIMULATED, clock)] if settings.respond_simulated else [])]
    twins = [SimulatedDevices(devices / TWINS, clock, "twin")]
    gateway = Gateway(records, clock, catalogue, real, twins, safety, directory, heads, approvals, audit, book, tell, pages=pager)
    library = Library(records, clock, key_from_file(settings.data / "keys" / "playbooks.key"), auditor=audit)
    runs = Runs(
        records,
        clock,
        library,
        gateway,
        approvals,
        book,
        random_uid,
        catalogue=catalogue,
        auditor=audit,
        pager=pager,
        severity_of=severity_of,
        signature_fault=lambda kept: library.signature_fault(cast("KeptPlaybook", kept)),
    )
    windows = QuietWindows(records, clock, audit)
    parts = (incidents, library, approvals, gateway, runs, pager, on_call, contacts, windows, safety, roster, evidence)
    return Response(*parts, tuple(real), tuple(broken))


def open_evidence(
    settings: Settings, records: Records, clock: Clock, audit: Audit, book: IncidentBook, roster: AccountRoster, raw: Record
) -> Evidence:
    """Return the evidence of a data folder; it signs with a key of its own."""
    return Evidence(
        records,
        clock,
        settings.data / "evidence",
        audit,
        book,
        key_from_file(settings.data / "keys" / "evidence.key"),
        raw=raw,
        team_of=roster.team_of,
        largest=settings.evidence_largest,
        reserve=settings.spool_reserve,
    )


def keep_clip(evidence: Evidence, clip: Clip) -> str:
    """Take a clip that a responder fetched into evidence, once per action, and return its uid.

    Raises:
        Corrupt: the file is not what came over the wire.
    """
    name = f"{clip.camera.rpartition('/')[2]}-{clip.since:%Y%m%d-%H%M%S}{clip.path.suffix}"
    about = About(EvidenceKind.CLIP, name, source=f"{clip.source}, camera {clip.camera}"[:200], since=clip.since, until=clip.until)
    with clip.path.open("rb") as file:
        piece = evidence.keep(clip.action, file, about)
    if piece.sha256 != clip.sha256:
        raise Corrupt(f"the clip of {clip.camera} is not what came over the wire: fetch it again as a new action")
    return piece.uid


def severity_of(connection: Connection, incident: str) -> int:
    """Return an incident's severity (1 gravest), 2 where it is none of ours.

    Raises:
        NotFound: there is no such incident.
    """
    if not incident:
        return 2
    found = connection.execute(select(incident_table.c.severity).where(incident_table.c.uid == incident)).scalar()
    if found is None:
        raise NotFound(f"there is no incident {incident}")
    return int(found)


def address_of(settings: Settings) -> str:
    """Return the address under which people open these pages, for links in messages."""
    if settings.listen_url:
        return settings.listen_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.listen_host, settings.listen_host)  # noqa: S104 - compared, not bound
    return f"{'https' if settings.secure else 'http'}://{host}:{settings.listen_port}"


def simulated_devices(data: Path, clock: Clock) -> SimulatedDevices:
    """Return the demo's devices, as their keepers would touch them."""
    return SimulatedDevices(data / "run" / SIMULATED, clock)


def _channels(settings: Settings, accounts: Accounts, roster: AccountRoster) -> WithScreens:
    def present(team: str) -> list[str]:
        return [one.full_name or one.name for one in accounts.logged_in() if roster.team_of(one.name) == team]

    desks = [(DeskChannel(each.name, each.kind, each.team), each.url) for each in settings.paging_channels]
    screens = {desk.name: (desk, ScreenChannel(desk.name, desk.team, present)) for desk, _ in desks if desk.kind == KIND}
    others = [(desk, url) for desk, url in desks if desk.kind != KIND]
    gateways = Gateways(settings.paging_mail, settings.paging_sms)
    return WithScreens(AppriseChannels(others, gateways, bound=settings.paging_time.total_seconds()), screens)
