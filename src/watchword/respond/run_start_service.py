"""What a run starts from: the snapshot of every playbook that it may reach, and all that stands against starting it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from watchword.kit.errors import NotFound
from watchword.model.playbook import Playbook
from watchword.respond.plan_making import calls_of, standing_of, unmapped
from watchword.respond.run_move_service import Rules, plans_of
from watchword.respond.run_tables import LONGEST_PATH
from watchword.respond.start_check import Refusal, nesting, refusals, wrong_variables

MOST_PINS = 64
"""Playbooks that one run may reach."""


class Kept(Protocol):
    """A version of a playbook as the library keeps it."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def modified(self) -> str:
        """Which version."""
        ...

    @property
    def text(self) -> str:
        """As it came."""
        ...

    @property
    def playbook(self) -> Playbook:
        """Decoded."""
        ...

    @property
    def sha256(self) -> str:
        """Of the text."""
        ...

    @property
    def faults(self) -> Sequence[Any]:
        """What the linter says, each with code, severity and text."""
        ...


class Shelf(Protocol):
    """The library, as far as runs need it."""

    def get(self, id: str, modified: str = "") -> Kept:  # noqa: A002 - the standard's word for it
        """Return a version, the newest when none is named; NotFound when there is none."""
        ...


class Pins:
    """Looks playbooks up in the library, once, when a run starts."""

    def __init__(self, library: Shelf, catalogue: Rules, signature_fault: Callable[[Any], str]) -> None:
        self.library, self._catalogue, self._signature_fault = library, catalogue, signature_fault

    def pin(self, playbook: str, modified: str) -> tuple[list[Kept], dict[str, str], list[Refusal]]:
        """Return every playbook that the run may reach, its own first; the newest by id; and which are missing."""
        first = self.library.get(playbook, modified)
        kept, todo, latest, missing = {f"{first.id}@{first.modified}": first}, [first], dict[str, str](), list[Refusal]()
        asked: set[tuple[str, str]] = set()
        while todo:
            one = todo.pop()
            for step, called, version in calls_of(one.playbook):
                if (called, version) in asked:
                    continue
                asked.add((called, version))
                try:
                    found = self.library.get(called, version)
                except NotFound as error:
                    missing.append(Refusal("missing_playbook", str(error), step, f"{one.id}@{one.modified}"))
                    continue
                book = f"{found.id}@{found.modified}"
                if not version:
                    latest[found.id] = book
                if book not in kept:
                    kept[book] = found
                    todo.append(found)
                if len(kept) > MOST_PINS:
                    return list(kept.values()), latest, [Refusal("too_many_playbooks", f"the run would reach more than {MOST_PINS}")]
        return list(kept.values()), latest, missing

    def against(
        self, kept: list[Kept], missing: list[Refusal], variables: Mapping[str, str | None], now: datetime, rule: str, override: str
    ) -> list[Refusal]:
        """Return everything that stands against starting, each playbook as if it ran alone."""
        found = list(missing)
        for one in kept:
            book = f"{one.id}@{one.modified}"
            found += [Refusal(fault.code, fault.text, "", book) for fault in one.faults if fault.severity == "error"]
            found += [Refusal(refusal.code, refusal.text, refusal.step, book) for refusal in unmapped(one.playbook)]
        standings = [standing_of(one.playbook, f"{one.id}@{one.modified}", self._signature_fault(one)) for one in kept]
        if any(refusal.code not in {"unmapped_command", "unmapped_agent"} for refusal in found):
            return found + refusals({}, standings, now=now, rule=rule, override=override, verbs=())
        plans = plans_of({f"{one.id}@{one.modified}": (one.text, True) for one in kept})
        root = f"{kept[0].id}@{kept[0].modified}"
        found += refusals(plans, standings, now=now, rule=rule, override=override, verbs=self._catalogue.verbs)
        found += wrong_variables(plans[root], variables)
        return found + nesting(plans, root, LONGEST_PATH)
