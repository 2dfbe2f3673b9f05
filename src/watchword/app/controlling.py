"""Controlling: runs every control test on the house as it is, and takes checks that people and tools made in at the front door."""

from datetime import datetime
from typing import TYPE_CHECKING

import orjson
import structlog

from watchword.app.control_facts import CHECKS, facts_of
from watchword.app.mapping_book import shipped_mappings
from watchword.govern.control_checks import CHECKS_BY_NAME
from watchword.govern.control_facts import CHECKS as KINDS
from watchword.govern.control_test import evaluate
from watchword.ingest.intake import Incoming
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import InputError, WatchwordError
from watchword.kit.ids import random_uid
from watchword.measure.compliance import Way

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword


log = structlog.get_logger()


def look(watchword: "Watchword", now: datetime) -> int:
    """Run every test on the present facts and keep what they find; return how many results changed.

    A test that fails by a fault of its own is logged and holds up no other.

    Raises:
        WatchwordError: some tests could not be run; the others were.
    """
    facts = facts_of(watchword, now)
    controls = watchword.governance.controls
    changed, faults = 0, []
    for test in controls.tests.values():
        try:
            changed += controls.keep(test, evaluate(test, facts, CHECKS_BY_NAME), facts)
        except Exception as error:
            log.exception("control_test_failed", test=test.name)
            faults.append(f"{test.name}: {error}")
    controls.sweep()
    if faults:
        raise WatchwordError("; ".join(faults))
    return changed


def record_check(
    watchword: "Watchword",
    kind: str,
    target: str,
    *,
    by: str,
    note: str = "",
    passed: bool = True,
    at: datetime | None = None,
    way: Way = Way.SAMPLED,
) -> str:
    """Hand a check that somebody made in at the front door, so that it is kept as bytes like everything else; return its uid.

    Args:
        watchword: The house.
        kind: One of `govern.control_facts.CHECKS`.
        target: Uid of the place, door, asset, person or incident; empty: the whole house.
        by: Who made it.
        note: What was seen; of a skill: its name.
        passed: Whether all was well.
        at: When; None: now.
        way: Sampled by people, or telemetry where a tool did it.

    Raises:
        InputError: there is no such kind, or it lies in the future.
    """
    now = watchword.clock.now()
    moment = to_millisecond(at or now)
    if kind not in KINDS:
        raise InputError(f"there is no check {kind!r}; one of: {', '.join(sorted(KINDS))}", "kind")
    if moment > now:
        raise InputError("a check lies in the past", "at")
    install(watchword)
    uid, body = check_record(kind, target, at=moment, by=by, note=note, passed=passed, way=way)
    watchword.intake.accept(CHECKS, [Incoming(body)])
    watchword.audit.write(by, "control.check", target or "house", note[:1000], {"kind": kind, "passed": passed, "record": uid})
    return uid


def check_record(
    kind: str, target: str, *, at: datetime, by: str, note: str = "", passed: bool = True, way: Way = Way.SAMPLED
) -> tuple[str, bytes]:
    """Return a check as the bytes that come in at the front door, with their uid."""
    uid = random_uid()
    said = {
        "uid": uid, "time": to_millisecond(at).isoformat(), "kind": kind, "target": target or "house",
        "passed": "true" if passed else "false", "by": by, "note": note[:2000], "way": way.value,
    }  # fmt: skip
    return uid, orjson.dumps(said)


def install(watchword: "Watchword") -> None:
    """Make the source of checks, unless it stands."""
    if CHECKS not in watchword.mappings.sources():
        watchword.mappings.put(shipped_mappings()[CHECKS], f"{CHECKS}.yaml", source=CHECKS)
