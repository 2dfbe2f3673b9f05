"""The pager: pages are made, sent, escalated until a person takes them, and every channel is tested."""

from collections.abc import Callable, Mapping
from datetime import datetime

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.records import Records
from watchword.respond.calling_service import Calling
from watchword.respond.contact_service import Contacts
from watchword.respond.escalation import Policy
from watchword.respond.heartbeat_service import ChannelHealth, Heartbeats
from watchword.respond.on_call_service import OnCall
from watchword.respond.page_service import Pages
from watchword.respond.policy_file import shipped_policies
from watchword.respond.ports import Auditor, IncidentLog
from watchword.respond.quiet_service import QuietWindows
from watchword.respond.reach_service import Channels, Roster
from watchword.respond.sealed import derived_key
from watchword.respond.sending_service import Sending


class Pager(Pages):
    """Everything about pages. Several processes may call `step`: what one has claimed, no other sends."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        channels: Channels,
        on_call: OnCall,
        log: IncidentLog,
        auditor: Auditor,
        *,
        roster: Roster,
        contacts: Contacts,
        site_key: bytes,
        address: str,
        policies: Callable[[], Mapping[int, Policy]] | None = None,
        replies: bool = False,
    ) -> None:
        """Put the parts together.

        Args:
            records: where rows are kept.
            clock: tells the time.
            channels: opens channels.
            on_call: who is on call.
            log: the incident's timeline.
            auditor: the audit log.
            roster: who may be called.
            contacts: how they are called.
            site_key: what tokens are derived from.
            address: how people reach these pages, before ``/ack/``.
            policies: severity → policy; the shipped ones by default.
            replies: whether answers to mails are read.
        """
        shipped = shipped_policies()
        super().__init__(records, clock, roster, log, auditor, policies or (lambda: shipped))
        windows = QuietWindows(records, clock, auditor)
        self._calling = Calling(records, roster, on_call, contacts, channels, windows, log, derived_key(site_key, "page token"))
        self._sending = Sending(records, clock, channels, contacts, self._calling, log, address, replies=replies)
        self._heartbeats = Heartbeats(records, clock, channels, contacts)

    def step(self, now: datetime) -> int:
        """Escalate what is due and start sending it; return how much was done (0: nothing is due). Does not wait for any channel."""
        moment = to_millisecond(now)
        return self._calling.move_due(moment) + self._sending.send_due(moment)

    def drain(self, seconds: float) -> bool:
        """Wait until no message is under way, at most so long: before the process ends."""
        return self._sending.drain(seconds)

    def heartbeat(self, now: datetime, *, only: str = "") -> int:
        """Test every channel that is due, or one by its name; return how many were tested."""
        return self._heartbeats.beat(to_millisecond(now), only=only)

    def channels(self) -> list[ChannelHealth]:
        """Return how every channel fares."""
        return self._heartbeats.health()
