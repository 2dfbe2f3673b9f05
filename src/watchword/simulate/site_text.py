"""The organisation written down: its site file and people file, as ``watchword site load`` and ``watchword people load`` read them."""

import csv
import io
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import yaml

from watchword.simulate.premises import DOMAIN, TRAVEL_MINUTES, SitePlan
from watchword.simulate.probing import FEEDS, batteries

if TYPE_CHECKING:
    from watchword.simulate.organisation import Host, Organisation

CHECKED_BEFORE = timedelta(days=30)
"""How long before the organisation's day the doors' egress was last tried."""
_HOURS = {
    "harbour": {
        "office-harbour": {"days": "mon-fri", "hours": "07:00-19:00"},
        "dock-harbour": {"days": "mon-fri", "hours": "05:30-18:30"},
        "cleaning-harbour": {"days": "mon-fri", "hours": "18:30-22:30"},
        "guards-harbour": {"days": "mon-sun", "hours": "00:00-24:00"},
        "change-window": {"days": "tue,thu", "hours": "21:00-24:00"},
        "canteen-hours": {"days": "mon-fri", "hours": "07:00-18:00"},
        "armed-harbour": {"days": "mon-sun", "hours": "23:30-05:30"},
    },
    "mill": {
        "office-mill": {"days": "mon-fri", "hours": "07:00-19:00"},
        "shifts-mill": {"days": "mon-fri", "hours": "05:30-22:30"},
        "cleaning-mill": {"days": "mon-fri", "hours": "18:30-22:30"},
        "guards-mill": {"days": "mon-sun", "hours": "00:00-24:00"},
        "armed-mill": {"days": "mon-sun", "hours": "23:30-05:30"},
    },
}


def _buildings(site: SitePlan) -> dict[str, Any]:
    """Return the place tree of a site as the file writes it."""
    tree: dict[str, Any] = {}
    for zone in site.zones:
        _, building, floor, name = zone.uid.split("/")
        floors = tree.setdefault(building, {"name": site.buildings[building], "floors": {}})["floors"]
        zones = floors.setdefault(floor, {"name": site.floors[floor], "zones": {}})["zones"]
        zones[name] = {"name": zone.name, "kind": zone.kind} | ({} if zone.network else {"network": False})
    return tree


def _doors(site: SitePlan, checked: date) -> dict[str, Any]:
    """Return the doors of a site as the file writes them."""

    def below(zone: str) -> str:
        return zone.partition("/")[2]

    doors: dict[str, Any] = {}
    for door in site.doors:
        entry: dict[str, Any] = {"name": door.label, "from": below(door.outer), "to": below(door.inner), "kind": door.kind}
        entry["readers"] = {direction: door.reader(direction) for direction in door.readers.split()}
        entry |= {key: True for key in ("egress", "fail_safe", "passage_sensor") if getattr(door, key)}
        entry["length_m"] = door.length_m
        if door.readers:  # every lock has a lever or a bar inside, and the yearly walk found them sound
            entry |= {"egress_hardware": "free_mechanical", "egress_checked": checked}
        if door.schedule:
            entry["schedule"] = door.schedule if site.name == "harbour" else f"{door.schedule}-{site.name}"
        doors[door.name] = entry
    return doors


def _asset(host: "Host", plan: SitePlan) -> dict[str, Any]:
    """Return one asset as the file writes it; places and doors below its own site."""
    site = host.site
    addresses = [host.ip, host.mac]
    if host.system or host.kind in {"workstation", "server"}:
        addresses.append(f"{host.name}.{DOMAIN}")
    entry: dict[str, Any] = {"kind": host.kind, "place": host.place.partition("/")[2], "addresses": addresses}
    if host.owner:
        entry["owner"] = host.owner
    if host.sees:
        entry["sees"] = [uid.removeprefix(f"{site}/doors/") for uid in host.sees]
    if host.upstream or host.name in FEEDS:
        entry["upstream"] = [*host.upstream, *([FEEDS[host.name]] if host.name in FEEDS else [])]
    if host.shared:
        entry["shared"] = True
    if host.kind == "panel":  # one panel for burglary and fire speaks for the whole site
        entry["protects"] = list(plan.buildings)
    return entry


def _batteries(site: SitePlan) -> dict[str, Any]:
    """Return the batteries that feed a site's core switch: nobody's computer, so they stand in the site file alone."""
    own = {name: {"kind": "sensor", "place": zone, "addresses": [ip]} for name, zone, ip in batteries()}
    return {name: own[name] for switch, name in FEEDS.items() if switch.startswith(f"sw-{site.name[0]}-")}


def _uptime(site: SitePlan) -> dict[str, Any]:
    """Return what is expected to work at a site."""
    driven: dict[str, list[str]] = {}
    for door in site.doors:
        if door.controller:
            driven.setdefault(door.controller, []).append(door.name)
    return {
        "controllers": driven,
        "tests": {"lock": "400d", "walk": "100d"},
        "armed": {f"panel-{site.name[0]}": f"armed-{site.name}"},
        "cover": [{"place": place, "least": least, "weight": weight} for place, least, weight in _COVER[site.name]],
        "objectives": [{"of": of, "share": share, "window": "30d"} for of, share in _PROMISED[site.name]],
    }


_COVER = {
    "harbour": (
        ("main/2/servers", 1, 5), ("main/0/lobby", 1, 3), ("lab/0/airlock", 2, 4), ("lab/0/store", 1, 5), ("grounds/0/yard", 1, 2),
        ("main/0/hall", 3, 2), ("main/0/dock", 1, 3), ("main/1/corridor", 2, 1), ("main/2/corridor", 2, 1),
    ),
    "mill": (
        ("hall/0/servers", 1, 5), ("hall/0/lobby", 1, 3), ("hall/0/floor", 2, 4), ("hall/0/dock", 1, 3), ("grounds/0/yard", 1, 2),
        ("hall/1/corridor", 1, 1),
    ),
}  # fmt: skip
"""Zones, how many of their cameras must be up, and how much each counts."""
_PROMISED = {
    "harbour": (
        ("srv-h-01", 0.999), ("srv-h-03", 0.995), ("srv-h-05", 0.995), ("srv-h-07", 0.995), ("sw-h-core", 0.9995),
        ("main/2/servers", 0.995), ("lab/0/airlock", 0.99),
    ),
    "mill": (("srv-m-01", 0.999), ("hall/0/servers", 0.995), ("hall/0/floor", 0.99), ("sw-m-core", 0.9995)),
}  # fmt: skip
"""What is promised of services, equipment and zones, over 30 days."""


def site_yaml(org: "Organisation") -> str:
    """Return the site file: one YAML document for each site."""
    documents = []
    for site in org.sites:
        hours = dict(_HOURS[site.name])
        if site.name != "harbour":
            hours[f"canteen-hours-{site.name}"] = {"days": "mon-fri", "hours": "07:00-18:00"}
        document: dict[str, Any] = {
            "site": site.name,
            "name": site.title,
            "zone": site.zone,
            "location": [site.latitude, site.longitude],
            "buildings": _buildings(site),
            "doors": _doors(site, org.today - CHECKED_BEFORE),
            "assets": {host.name: _asset(host, site) for host in org.hosts if host.site == site.name} | _batteries(site),
            "calendars": hours,
        }
        document["uptime"] = _uptime(site)
        if site is org.sites[0]:
            document["travel"] = [{"sites": [other.name for other in org.sites], "least": f"{TRAVEL_MINUTES}m"}]
        documents.append(document)
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=140)


def people_csv(org: "Organisation") -> str:
    """Return the people file: a line for each employment. Badges and accounts are lists separated by ``;``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["employee", "name", "kind", "role", "site", "since", "until", "remote", "shift", "badges", "accounts"])
    for member in org.members:
        spans = [(member.since, member.until)]
        if member.before is not None:
            spans.insert(0, member.before)
        for since, until in spans:
            writer.writerow(
                [
                    member.number,
                    member.name,
                    member.kind,
                    member.role,
                    member.site,
                    since.isoformat(),
                    until.isoformat() if until else "",
                    "yes" if member.remote else "no",
                    member.shift,
                    member.badge,
                    f"{member.account};{member.mail}" if member.account else "",
                ]
            )
    return out.getvalue()
