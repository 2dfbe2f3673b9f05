"""Starting playbooks: which playbooks answer which findings, and with what they are started."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from watchword.kit.clock import Clock
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.model import Finding
from watchword.resolve import Directory
from watchword.respond.extensions import ExtensionFault, Triggers, playbook_extension
from watchword.respond.library_service import Library
from watchword.respond.library_view import KeptPlaybook
from watchword.respond.run_service import Runs

FRESH: Final = timedelta(seconds=10)
"""So long one reading of the library serves everybody."""
AUTO: Final = "auto"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """A playbook that answers findings of certain rules."""

    kept: KeptPlaybook
    triggers: Triggers

    @property
    def auto(self) -> bool:
        """Tell whether it starts without being asked; steps that need people or approvals still wait for them."""
        return self.triggers.start == AUTO


class Starter:
    """Knows the newest version of every playbook with triggers, and starts those that start by themselves."""

    def __init__(self, library: Library, runs: Runs, clock: Clock) -> None:
        self._library, self._runs, self._clock = library, runs, clock
        self._guard = threading.Lock()
        self._answers: tuple[Answer, ...] = ()
        self._read_at: datetime | None = None

    def answers(self, rules: Iterable[str]) -> list[Answer]:
        """Return the playbooks that answer findings of these rules, those that start by themselves first."""
        wanted = set(rules)
        found = [one for one in self._all() if wanted & set(one.triggers.rules)]
        return sorted(found, key=lambda one: (not one.auto, one.kept.playbook.name))

    def start_for(self, incident: str, findings: Sequence[Finding], directory: Directory, *, exercise: bool = False) -> list[str]:
        """Start what starts by itself for an incident's findings, each playbook once per incident; return the runs."""
        started = []
        for answer in self.answers(finding.rule for finding in findings):
            if not answer.auto:
                continue
            cause = next(finding for finding in findings if finding.rule in answer.triggers.rules)
            values = variables_of(answer.kept, findings, incident, directory)
            try:
                key = f"{incident}:{answer.kept.id}"
                run = self._runs.start(answer.kept.id, incident, values, "system", exercise, rule=cause.rule, key=key)
            except (Conflict, InputError, NotFound) as error:
                log.warning("playbook_not_started", playbook=answer.kept.id, incident=incident, fault=str(error))
                continue
            started.append(run)
        return started

    def _all(self) -> tuple[Answer, ...]:
        with self._guard:
            now = self._clock.now()
            if self._read_at is None or not timedelta() <= now - self._read_at < FRESH:
                self._answers = tuple(self._read())
                self._read_at = now
            return self._answers

    def _read(self) -> Iterable[Answer]:
        for identifier in self._library.names():
            kept = self._library.get(identifier)
            try:
                extension = playbook_extension(kept.playbook)
            except ExtensionFault:
                continue  # the linter says it where people look; it answers nothing
            if extension.triggers is not None and extension.triggers.rules and not kept.playbook.revoked:
                yield Answer(kept, extension.triggers)


def variables_of(kept: KeptPlaybook, findings: Sequence[Finding], incident: str, directory: Directory) -> dict[str, str]:
    """Return values for the external variables of a playbook that findings can fill: whom and what they name first.

    ``__incident__``, ``__finding__``, ``__person__``, ``__asset__``, ``__credential__``, ``__account__``, ``__address__``,
    ``__place__`` (a zone), ``__door__``.
    """
    doors = {door.uid for door in directory.doors()}
    places = [place for finding in findings for place in finding.places]
    first_door = next((place for place in places if place in doors), "")
    zone = next((place for place in places if place not in doors), "")
    if not zone and first_door:
        found = directory.door(first_door)
        zone = found.to_zone if found is not None else ""
    credentials = [one for finding in findings for one in finding.credentials]
    known: Mapping[str, str] = {
        "__incident__": incident,
        "__finding__": findings[0].uid if findings else "",
        "__person__": next((one for finding in findings for one in finding.persons), ""),
        "__asset__": next((one for finding in findings for one in finding.assets), ""),
        "__address__": next((one for finding in findings for one in finding.addresses), ""),
        "__credential__": next((one for one in credentials if one.startswith("badge:")), ""),
        "__account__": next((one for one in credentials if one.startswith("account:")), ""),
        "__place__": zone,
        "__door__": first_door,
    }
    declared = kept.playbook.playbook_variables or {}
    return {name: value for name, value in known.items() if value and name in declared and declared[name].external}
