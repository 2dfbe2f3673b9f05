"""An incident in VERIS, the vocabulary in which incidents are shared and counted (veriscommunity.net, schema 1.3.7)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from watchword.model import AssetKind, Finding, Team
from watchword.model.incident import Closure, Incident, Moment, MomentEntry
from watchword.resolve.directory import Directory
from watchword.respond.incident_state import Key, at

VERSION: Final = "1.3.7"
CONFIRMED = {
    Closure.TRUE: "Confirmed",
    Closure.BENIGN: "False positive",
    Closure.FALSE: "False positive",
    Closure.UNDECIDED: "Suspected",
    None: "Suspected",
}
IMPACT = {1: "Catastrophic", 2: "Damaging", 3: "Painful", 4: "Distracting"}
"""Severity → overall rating."""
ASSETS = {
    AssetKind.WORKSTATION: "U - Desktop or laptop",
    AssetKind.SERVER: "S - Unknown",
    AssetKind.CONSOLE: "U - Desktop",
    AssetKind.SWITCH: "N - Router or switch",
    AssetKind.CAMERA: "N - Camera",
    AssetKind.SENSOR: "N - Other",
    AssetKind.PANEL: "N - Other",
    AssetKind.CONTROLLER: "N - Access reader",
    AssetKind.OTHER: "Unknown",
}
ACTIONS: Mapping[str, tuple[str, str]] = {
    "T1078": ("hacking", "Use of stolen creds"),
    "T1110": ("hacking", "Brute force"),
    "T1133": ("hacking", "Unknown"),
    "T1021": ("hacking", "Unknown"),
    "T1046": ("malware", "Scan network"),
    "T1018": ("malware", "Scan network"),
    "T0846": ("malware", "Scan network"),
    "T1071": ("malware", "C2"),
    "T1041": ("malware", "Export data"),
    "T1040": ("malware", "Packet sniffer"),
    "T1098": ("misuse", "Privilege abuse"),
    "T1136": ("misuse", "Privilege abuse"),
    "T1052": ("misuse", "Data mishandling"),
    "T1091": ("misuse", "Unapproved hardware"),
    "T1200": ("physical", "Connection"),
    "T1684": ("physical", "Bypassed controls"),
    "T1199": ("physical", "Bypassed controls"),
    "T1685": ("physical", "Disabled controls"),
    "T0815": ("physical", "Disabled controls"),
    "T0829": ("physical", "Disabled controls"),
    "T0832": ("physical", "Tampering"),
    "T0831": ("physical", "Tampering"),
    "T0878": ("physical", "Disabled controls"),
    "T1692": ("physical", "Tampering"),
    "T1693": ("physical", "Tampering"),
    "T1557": ("physical", "Wiretapping"),
}
"""ATT&CK technique → (VERIS action, variety); the nearest, where there is none exact."""
VECTORS = {"hacking": "Unknown", "malware": "Unknown", "misuse": "Unknown", "physical": "Victim grounds"}
TAMPERING = frozenset({"T1200", "T1601", "T1693", "T0832", "T0836"})
"""Techniques that change hardware or its settings."""
UNITS: Sequence[tuple[str, timedelta]] = (
    ("Days", timedelta(days=1)),
    ("Hours", timedelta(hours=1)),
    ("Minutes", timedelta(minutes=1)),
    ("Seconds", timedelta(seconds=1)),
)


def veris_of(
    incident: Incident, moments: Mapping[Key, MomentEntry], findings: Iterable[Finding], directory: Directory, organisation: str = ""
) -> dict[str, Any]:
    """Return an incident as a VERIS record, ready for JSON. It names no person, address or credential.

    What nobody has said (the actor, what data were disclosed) is ``Unknown``, never guessed. An exercise is marked in ``plus``.
    """
    findings = list(findings)
    techniques = sorted({each.upper().removeprefix("ATTACK.").partition(".")[0] for finding in findings for each in finding.attack})
    disclosed = "Potentially" if {"T1041", "T1052"} & set(techniques) else "Unknown"
    attribute: dict[str, Any] = {"confidentiality": {"data_disclosure": disclosed, "data": [{"variety": "Unknown"}]}}
    if TAMPERING & set(techniques):
        attribute["integrity"] = {"variety": ["Hardware tampering"]}
    if incident.declared_severity and {"T0815", "T0829", "T1489", "T1685"} & set(techniques):
        attribute["availability"] = {"variety": ["Interruption"]}
    return {
        "schema_version": VERSION,
        "incident_id": incident.uid,
        "source_id": "watchword",
        "reference": f"Watchword incident {incident.number}",
        "summary": incident.summary or incident.title,
        "security_incident": CONFIRMED[incident.closure],
        "confidence": "High" if incident.closure is Closure.TRUE else "Medium" if findings else "Low",
        "timeline": _timeline(incident, moments),
        "victim": {
            "victim_id": organisation or "Unknown",
            "country": ["Unknown"],
            "employee_count": "Unknown",
            "industry": "000000",
            "locations_affected": len({place.partition("/")[0] for place in incident.places}) or 1,
        },
        "actor": {"unknown": {"notes": "Not said in the incident."}},
        "action": _actions(techniques),
        "asset": {"assets": _assets(findings, directory), "cloud": ["Unknown"]},
        "attribute": attribute,
        "discovery_method": {"internal": {"variety": _discovery(incident)}},
        "targeted": "Unknown",
        "impact": {"overall_rating": IMPACT[incident.closing_severity or incident.severity]},
        "plus": {
            "attack_techniques": techniques,
            "exercise": incident.exercise,
            "severity_declared": incident.declared_severity,
            "severity_closed": incident.closing_severity,
            "teams": [team.value for team in incident.teams],
        },
    }


def _timeline(incident: Incident, moments: Mapping[Key, MomentEntry]) -> dict[str, Any]:
    onset = at(moments, Moment.ONSET)
    raised = at(moments, Moment.RAISED) or incident.opened_at
    began = (onset or raised).astimezone(UTC)
    timeline: dict[str, Any] = {"incident": {"year": began.year, "month": began.month, "day": began.day, "time": f"{began:%I:%M:%S %p}"}}
    timeline["discovery"] = _span(onset, raised)
    timeline["containment"] = _span(raised, at(moments, Moment.CONTAINED))
    return timeline


def _span(since: datetime | None, until: datetime | None) -> dict[str, Any]:
    if since is None or until is None or until < since:
        return {"unit": "Unknown"}
    value = until - since
    for unit, size in UNITS:
        if value >= size:
            return {"unit": unit, "value": round(value / size, 1)}
    return {"unit": "Seconds", "value": 0}


def _actions(techniques: Iterable[str]) -> dict[str, Any]:
    varieties: dict[str, dict[str, None]] = {}
    for technique in techniques:
        if technique in ACTIONS:
            action, variety = ACTIONS[technique]
            varieties.setdefault(action, {})[variety] = None
    if not varieties:
        return {"unknown": {"notes": "No technique is known."}}
    return {action: {"variety": list(found), "vector": [VECTORS[action]]} for action, found in sorted(varieties.items())}


def _assets(findings: Iterable[Finding], directory: Directory) -> list[dict[str, Any]]:
    seen: dict[str, set[str]] = {}
    for finding in findings:
        for uid in finding.assets:
            asset = directory.asset(uid)
            seen.setdefault(ASSETS[asset.kind] if asset is not None else "Unknown", set()).add(uid)
    if not seen:
        return [{"variety": "Unknown"}]
    return [{"variety": variety, "amount": len(uids)} for variety, uids in sorted(seen.items())]


def _discovery(incident: Incident) -> list[str]:
    if incident.opened_by != "triage":
        return ["Reported by employee"]
    both = {Team.IT: "Log review", Team.PHYSICAL: "Security alarm"}
    return [both[team] for team in incident.teams if team in both] or ["Infrastructure monitoring"]
