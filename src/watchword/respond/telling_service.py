"""Telling of deeds: the audit entry and timeline in the transaction of what happened, and the record that goes to the front door."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from watchword.model.action import Action
from watchword.resolve.directory import Directory
from watchword.respond.catalogue import Catalogue
from watchword.respond.deed_service import Deed, Deeds
from watchword.respond.ports import Auditor, IncidentLog

SYSTEM: Final = "system"

log = structlog.get_logger()


class Telling:
    """Says what was done, where it must be known."""

    def __init__(
        self,
        catalogue: Catalogue,
        deeds: Deeds,
        directory: Callable[[], Directory],
        auditor: Auditor,
        incidents: IncidentLog,
        tell: Callable[[bytes], None],
    ) -> None:
        self._catalogue, self._deeds, self._directory = catalogue, deeds, directory
        self._auditor, self._incidents, self._tell = auditor, incidents, tell

    def words(self, action: Action) -> str:
        """Return what an action does, for people."""
        verb = self._catalogue.verbs.get(action.verb)
        return f"{action.verb} {action.target}" if verb is None else verb.words(action, self._directory().label(action.target))

    def audit(self, connection: Connection, deed: Deed, word: str, detail: dict[str, Any]) -> None:
        """Write the audit entry of a deed, in the transaction of what happened."""
        sent = deed.sent
        said = {"verb": sent.verb, "digest": deed.digest, "exercise": sent.exercise, "run": sent.run, **detail}
        self._auditor.write(sent.requested_by or SYSTEM, word, sent.target, sent.reason, said, connection=connection)

    def note(self, connection: Connection, deed: Deed, text: str, at: datetime) -> None:
        """Write on the timeline of the deed's incident, if it has one."""
        sent = deed.sent
        if sent.incident:
            verb = self._catalogue.verbs.get(sent.verb)
            refs = {"action": deed.uid, "run": sent.run, "approval": deed.approval}
            self._incidents.append(
                connection, sent.incident, "action", text, occurred_at=at, recorded_by=sent.requested_by or SYSTEM,
                team=verb.domain if verb else "", refs={name: uid for name, uid in refs.items() if uid},
            )  # fmt: skip

    def speak(self, deed: Deed) -> None:
        """Hand a deed to the front door, so that our own actions are watched too; what fails is handed over again by `recover`."""
        try:
            self._tell(record_of(deed, self._catalogue))
        except Exception as error:  # noqa: BLE001 - a full spool or a closed door must not undo what was done at the device
            log.warning("action_not_told", action=deed.uid, fault=str(error))
            return
        self._deeds.mark_told(deed.uid)


def record_of(deed: Deed, catalogue: Catalogue) -> bytes:
    """Return a deed as the JSON line that source ``watchword-actions`` hands to the front door."""
    sent, outcome, verb = deed.sent, deed.outcome, catalogue.verbs.get(deed.sent.verb)
    said = {
        "uid": f"{deed.uid}-{deed.state}",
        "time": (outcome.at if outcome else deed.intended_at).isoformat(),
        "action": deed.uid,
        "verb": sent.verb,
        "domain": verb.domain if verb else "",
        "target": sent.target,
        "target_kind": verb.target if verb else "",
        "parameters": dict(sent.parameters),
        "status": deed.state,
        "code": outcome.code if outcome else "",
        "said": outcome.said if outcome else "",
        "verified": outcome.verified if outcome else None,
        "responder": outcome.responder if outcome else "",
        "requested_by": sent.requested_by or SYSTEM,
        "incident": sent.incident,
        "run": sent.run,
        "approval": deed.approval,
        "reverts": deed.reverts,
        "exercise": sent.exercise,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
