"""OSCAL export: an assessment plan (which tests, how often) and assessment results, one observation for each piece of evidence."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from watchword.govern.control_evidence import ControlState, Evidence
from watchword.govern.control_test import ControlTest
from watchword.kit.ids import uid_of
from watchword.measure.compliance import Result, freshness

OSCAL_VERSION: Final = "1.1.3"
OUR_NS: Final = "https://watchword.example/ns/oscal"
"""Namespace of the props that OSCAL has no place for: freshness, quality, coverage, expiry of the test's frequency."""
METHODS: Final = {"telemetry": "TEST", "sampled": "TEST", "attested": "INTERVIEW"}


def uuid_of(*parts: str) -> str:
    """Return a UUID (version 4 in form) made of parts: the same thing exports under the same name."""
    return str(UUID(bytes=bytes.fromhex(uid_of("oscal", *parts)), version=4))


def _metadata(title: str, now: datetime) -> dict[str, Any]:
    return {
        "title": title,
        "last-modified": _moment(now),
        "version": now.astimezone(UTC).strftime("%Y%m%d.%H%M"),
        "oscal-version": OSCAL_VERSION,
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _prop(name: str, value: str) -> dict[str, str]:
    return {"name": name, "ns": OUR_NS, "value": value}


def _reviewed(controls: Iterable[str]) -> dict[str, Any]:
    return {"control-selections": [{"include-controls": [{"control-id": each} for each in sorted(set(controls))]}]}


def plan(tests: Sequence[ControlTest], house: str, now: datetime) -> dict[str, Any]:
    """Return the assessment plan: one task for each test, timed by its TTL."""
    return {
        "assessment-plan": {
            "uuid": uuid_of("plan", house),
            "metadata": _metadata(f"Control tests of {house}", now),
            "import-ssp": {"href": f"#{uuid_of('ssp', house)}"},
            "reviewed-controls": _reviewed(test.control for test in tests),
            "tasks": [_task(test) for test in tests],
            "back-matter": {
                "resources": [{"uuid": uuid_of("ssp", house), "title": f"What {house} is: its site and people files in Watchword"}]
            },
        }
    }


def _task(test: ControlTest) -> dict[str, Any]:
    period, unit = _period(test.ttl)
    return {
        "uuid": uuid_of("task", test.name),
        "type": "action",
        "title": f"{test.control}: {test.title}",
        "description": test.passes,
        "props": [
            _prop("control", test.control),
            _prop("test-version", str(test.version)),
            _prop("time-to-live", f"PT{int(test.ttl.total_seconds())}S"),
        ],
        "timing": {"at-frequency": {"period": period, "unit": unit}},
    }


def _period(ttl: timedelta) -> tuple[int, str]:
    """Return a TTL as OSCAL says frequencies: whole days, hours or minutes."""
    minutes = max(1, int(ttl / timedelta(minutes=1)))
    if minutes % 1440 == 0:
        return minutes // 1440, "days"
    return (minutes // 60, "hours") if minutes % 60 == 0 else (minutes, "minutes")


def results(states: Sequence[ControlState], inputs: Mapping[str, Sequence[tuple[str, str]]], house: str, now: datetime) -> dict[str, Any]:
    """Return the assessment results.

    Args:
        states: How the controls stand.
        inputs: What was read, by uid of the evidence: shown as relevant evidence.
        house: Its name.
        now: When it is exported.
    """
    told = [state for state in states if state.evidence]
    observations = [_observation(each, inputs.get(each.uid, ()), now) for state in told for each in state.evidence]
    start = min((each.first for state in told for each in state.evidence), default=now)
    result: dict[str, Any] = {
        "uuid": uuid_of("result", house, _moment(now)),
        "title": f"Controls of {house}",
        "description": "Computed from evidence; pass, fail and unknown are always given together.",
        "start": _moment(start),
        "end": _moment(now),
        "props": [_prop("controls-tested", str(len(told)))],
        "reviewed-controls": _reviewed(state.control for state in states),
    }
    if observations:
        result["observations"] = observations
        result["findings"] = [_finding(state) for state in told if state.shares.n]
    return {
        "assessment-results": {
            "uuid": uuid_of("results", house, _moment(now)),
            "metadata": _metadata(f"Control evidence of {house}", now),
            "import-ap": {"href": f"#{uuid_of('plan', house)}"},
            "results": [result],
            "back-matter": {"resources": [{"uuid": uuid_of("plan", house), "title": f"Assessment plan of {house}"}]},
        }
    }


def _observation(each: Evidence, read: Sequence[tuple[str, str]], now: datetime) -> dict[str, Any]:
    fresh = freshness(now - each.collected, each.ttl)
    found: dict[str, Any] = {
        "uuid": uuid_of("observation", each.uid, each.asset),
        "title": f"{each.control} on {each.asset or 'the whole house'}",
        "description": each.because or each.result.value,
        "methods": [METHODS[each.way.value]],
        "types": ["control-objective"],
        "props": [
            _prop("result", each.result.value),
            _prop("quality", f"{each.quality:g}"),
            _prop("freshness", f"{fresh:.3f}"),
            _prop("asset", each.asset or "house"),
            _prop("evidence", each.uid),
            _prop("read", str(each.read)),
            _prop("digest", each.digest or each.hashed()),
        ],
        "collected": _moment(each.collected),
        "expires": _moment(each.expires),
    }
    if read:
        found["relevant-evidence"] = [{"description": f"{kind} {uid}"} for kind, uid in read]
    return found


def _finding(state: ControlState) -> dict[str, Any]:
    shares = state.shares
    good = state.word == "pass"
    reasons = {"pass": "pass", "fail": "fail", "unknown": "other"}
    return {
        "uuid": uuid_of("finding", state.control),
        "title": f"{state.control}: {state.title}",
        "description": state.passes,
        "target": {
            "type": "objective-id",
            "target-id": f"{state.control}_obj",
            "status": {"state": "satisfied" if good else "not-satisfied", "reason": reasons[state.word]},
        },
        "props": [
            _prop("pass", _share(shares.passed)),
            _prop("fail", _share(shares.failed)),
            _prop("unknown", _share(shares.unknown)),
            _prop("coverage", f"{shares.known:.3f}"),
        ],
        "related-observations": [{"observation-uuid": uuid_of("observation", each.uid, each.asset)} for each in state.evidence],
    }


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def telling(states: Iterable[ControlState]) -> int:
    """Return how many observations say pass or fail."""
    return sum(each.result in {Result.PASS, Result.FAIL} for state in states for each in state.evidence)
