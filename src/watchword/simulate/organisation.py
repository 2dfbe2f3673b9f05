"""The invented organisation Kestrel & Vale: its people, hosts, cameras and panels at two sites, as a directory would list them."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from random import Random
from typing import Final

from watchword.simulate.names import account_of, distinct_names
from watchword.simulate.paths import Doorways
from watchword.simulate.premises import DOMAIN, SITES, SitePlan

_OPENING_DAY: Final = date(2026, 1, 5)


@dataclass(frozen=True, slots=True)
class Member:
    """One person with what they carry."""

    number: str
    """Employee number; the person's uid is ``person:<number>``."""
    name: str
    kind: str
    role: str
    site: str
    home: str
    """Uid of the zone in which they work."""
    badge: str
    account: str
    since: date
    until: date | None = None
    remote: bool = False
    shift: str = ""
    host: str = ""
    """Name of their workstation."""
    before: tuple[date, date] | None = None
    """An earlier employment of someone who left and came back: first day, and the day from which it no longer held."""

    @property
    def uid(self) -> str:
        """The person's uid in Watchword."""
        return f"person:{self.number}"

    @property
    def mail(self) -> str:
        """The name they sign in with."""
        return f"{self.account}@{DOMAIN}" if self.account else ""


@dataclass(frozen=True, slots=True)
class Host:
    """A workstation, server, console, switch, camera, panel or controller."""

    name: str
    kind: str
    place: str
    ip: str
    mac: str
    owner: str = ""
    """Employee number."""
    system: str = ""
    """``windows`` or ``linux`` where it logs on people."""
    sees: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    shared: bool = False

    @property
    def uid(self) -> str:
        """The asset's uid in Watchword."""
        return f"asset:{self.name}"

    @property
    def site(self) -> str:
        """The site's name."""
        return self.place.partition("/")[0]


@dataclass(frozen=True)
class Organisation:
    """Everybody and everything. Made by `organisation`."""

    seed: int
    today: date
    members: tuple[Member, ...]
    hosts: tuple[Host, ...]
    sites: tuple[SitePlan, ...] = SITES
    doorways: Doorways = field(default_factory=lambda: Doorways(SITES))

    @cached_property
    def member(self) -> dict[str, Member]:
        """Members by employee number."""
        return {member.number: member for member in self.members}

    @cached_property
    def host(self) -> dict[str, Host]:
        """Hosts by name."""
        return {host.name: host for host in self.hosts}

    @cached_property
    def site(self) -> dict[str, SitePlan]:
        """Sites by name."""
        return {site.name: site for site in self.sites}

    def hosts_in(self, zone: str, kind: str = "", system: str = "") -> list[Host]:
        """Return the hosts of a zone (any zone when empty), of a kind and system when given."""
        return [
            host
            for host in self.hosts
            if zone in {"", host.place} and (not kind or host.kind == kind) and (not system or host.system == system)
        ]

    def switch_of(self, zone: str) -> Host:
        """Return the access switch that serves a zone: the one in a closet of its floor, else of its site."""
        switches = [host for host in self.hosts if host.kind == "switch" and "-acc-" in host.name]
        floor, site = zone.rpartition("/")[0], zone.partition("/")[0]
        return next(
            (switch for switch in switches if switch.place.rpartition("/")[0] == floor),
            next(switch for switch in switches if switch.site == site),
        )

    def site_yaml(self) -> str:
        """Return the site file: places, doors, assets, calendars and travel times of both sites."""
        from watchword.simulate.site_text import site_yaml  # noqa: PLC0415 - site_text draws what is defined here

        return site_yaml(self)

    def people_csv(self) -> str:
        """Return the people file, one line for each person."""
        from watchword.simulate.site_text import people_csv  # noqa: PLC0415 - site_text draws what is defined here

        return people_csv(self)


def organisation(seed: int, today: date = _OPENING_DAY) -> Organisation:
    """Make the organisation of a seed, as it stands on a day: leavers left in the weeks before, a returner came back."""
    rng = Random(f"organisation|{seed}")
    members = _staff(rng, today)
    hosts = _equipment(rng)
    members, workstations = _desks(members, rng)
    return Organisation(seed=seed, today=today, members=tuple(members), hosts=(*hosts, *workstations))


# kind, role, home zone, how many, calendar
_POSTS: Final = (
    ("employee", "engineer", "harbour/main/1/north", 26, "office-harbour"),
    ("employee", "sales", "harbour/main/1/south", 22, "office-harbour"),
    ("employee", "planner", "harbour/main/2/east", 18, "office-harbour"),
    ("employee", "accountant", "harbour/main/2/finance", 10, "office-harbour"),
    ("employee", "scientist", "harbour/lab/1/office", 18, "office-harbour"),
    ("employee", "it administrator", "harbour/main/0/workshop", 8, "office-harbour"),
    ("employee", "receptionist", "harbour/main/0/lobby", 2, "office-harbour"),
    ("employee", "dock hand", "harbour/main/0/dock", 4, "dock-harbour"),
    ("employee", "process engineer", "mill/hall/1/offices", 20, "office-mill"),
    ("employee", "machine operator", "mill/hall/0/floor", 22, "shifts-mill"),
    ("employee", "quality inspector", "mill/hall/0/quality", 6, "office-mill"),
    ("employee", "it administrator", "mill/hall/1/offices", 3, "office-mill"),
    ("employee", "warehouse hand", "mill/hall/0/store", 5, "shifts-mill"),
    ("contractor", "network contractor", "harbour/main/0/workshop", 3, "office-harbour"),
    ("contractor", "maintenance contractor", "mill/hall/0/floor", 4, "office-mill"),
    ("contractor", "night maintenance", "harbour/main/2/servers", 2, "change-window"),
    ("cleaner", "cleaner", "harbour/main/0/hall", 5, "cleaning-harbour"),
    ("cleaner", "cleaner", "mill/hall/0/lobby", 3, "cleaning-mill"),
    ("guard", "guard", "harbour/main/0/control", 7, "guards-harbour"),
    ("guard", "guard", "mill/hall/0/control", 4, "guards-mill"),
    ("visitor", "regular visitor", "harbour/main/1/meet-a", 4, ""),
    ("visitor", "regular visitor", "mill/hall/1/meet-d", 2, ""),
)
_LEAVERS: Final = (("harbour/main/1/north", "engineer"), ("harbour/main/1/south", "sales"), ("harbour/main/2/east", "planner")) * 2
_WITH_DESK: Final = {
    "engineer", "sales", "planner", "accountant", "scientist", "it administrator", "receptionist", "process engineer",
    "quality inspector", "network contractor",
}  # fmt: skip


def _staff(rng: Random, today: date) -> list[Member]:
    """Return everybody: those in post, the leavers, and one who left and has come back."""
    total = sum(count for *_, count, _ in _POSTS) + len(_LEAVERS) + 1
    names = iter(distinct_names(total, rng))
    cards = iter(rng.sample(range(100_000, 999_999), total))
    taken: set[str] = set()
    members: list[Member] = []

    def hire(
        kind: str,
        role: str,
        home: str,
        shift: str,
        since: date,
        until: date | None = None,
        *,
        remote: bool = False,
        before: tuple[date, date] | None = None,
    ) -> None:
        given, family = next(names)
        card = next(cards)
        account = account_of(given, family, taken) if kind in {"employee", "contractor"} else ""
        if role in {"dock hand", "warehouse hand", "machine operator"}:
            account = ""
        members.append(
            Member(
                number=f"{1001 + len(members)}",
                name=f"{given} {family}",
                kind=kind,
                role=role,
                site=home.partition("/")[0],
                home=home,
                badge=f"{card:08d}",
                account=account,
                since=since,
                until=until,
                remote=remote,
                shift=shift,
                before=before,
            )
        )

    for kind, role, home, count, shift in _POSTS:
        for _ in range(count):
            since = today - timedelta(days=rng.randrange(120, 3600))
            remote = role in {"engineer", "sales", "planner", "process engineer"} and rng.random() < 0.15
            hire(kind, role, home, shift, since, remote=remote)
    for home, role in _LEAVERS:
        since = today - timedelta(days=rng.randrange(400, 3000))
        hire("employee", role, home, "office-harbour", since, today - timedelta(days=rng.randrange(4, 60)))
    # The returner got back the badge and account of before: someone who once left, lawfully in again.
    gone = today - timedelta(days=200)
    hire(
        "employee", "planner", "harbour/main/2/east", "office-harbour", today - timedelta(days=9), before=(gone - timedelta(days=900), gone)
    )
    return members


def _mac(rng: Random) -> str:
    """Return a locally administered MAC address."""
    return "02:" + ":".join(f"{rng.randrange(256):02x}" for _ in range(5))


_DESK_NETS: Final = {"harbour": ("10.10.21", "10.10.22"), "mill": ("10.20.21", "10.20.22")}


def _desks(members: list[Member], rng: Random) -> tuple[list[Member], list[Host]]:
    """Give everyone with a desk a workstation there, and return the people again with its name."""
    seated, hosts, numbers = [], [], dict.fromkeys(_DESK_NETS, 0)
    for member in members:
        if member.role not in _WITH_DESK or (member.until is not None):
            seated.append(member)
            continue
        number = numbers[member.site] = numbers[member.site] + 1
        name = f"ws-{member.site[0]}-{number:03d}"
        net = _DESK_NETS[member.site][number // 200]
        hosts.append(Host(name, "workstation", member.home, f"{net}.{number % 200 + 20}", _mac(rng), owner=member.number, system="windows"))
        seated.append(Member(**{name_: getattr(member, name_) for name_ in Member.__dataclass_fields__ if name_ != "host"}, host=name))
    return seated, hosts


_CLOSETS: Final = (
    ("harbour/main/0/closet", "sw-h-acc-g"), ("harbour/main/1/closet", "sw-h-acc-1"), ("harbour/main/2/closet", "sw-h-acc-2"),
    ("harbour/lab/0/closet", "sw-h-acc-l"), ("mill/hall/0/closet", "sw-m-acc-m"), ("mill/hall/1/closet", "sw-m-acc-n"),
)  # fmt: skip
# zone, doors in view
_CAMERAS: Final = (
    ("harbour/main/0/lobby", "D-01 D-02"), ("harbour/grounds/0/yard", "D-03"), ("harbour/grounds/0/yard", "D-04"),
    ("harbour/lab/0/airlock", "D-05"), ("harbour/main/0/hall", "D-06 D-07"), ("harbour/main/0/hall", "D-34 D-35"),
    ("harbour/main/0/hall", "D-10 D-11"), ("harbour/main/0/hall", "D-12 D-13"), ("harbour/main/0/dock", "D-08"),
    ("harbour/main/1/corridor", "D-14 D-15"), ("harbour/main/1/corridor", "D-16 D-17"), ("harbour/main/1/corridor", "D-18 D-19"),
    ("harbour/main/2/corridor", "D-20 D-21"), ("harbour/main/2/corridor", "D-22 D-23"), ("harbour/main/2/corridor", "D-24 D-25"),
    ("harbour/main/2/servers", ""), ("harbour/lab/0/airlock", "D-26 D-27 D-28"), ("harbour/lab/0/airlock", "D-33 D-36"),
    ("harbour/lab/1/corridor", "D-30 D-31"), ("harbour/lab/0/store", ""),
    ("mill/hall/0/lobby", "M-01 M-02"), ("mill/grounds/0/yard", "M-03"), ("mill/hall/0/dock", "M-04 M-09"),
    ("mill/hall/0/floor", "M-05 M-21"), ("mill/hall/0/floor", "M-08 M-10"), ("mill/hall/0/floor", "M-11 M-12"),
    ("mill/hall/0/lobby", "M-13"), ("mill/hall/0/servers", ""), ("mill/hall/1/corridor", "M-16 M-17"),
    ("mill/hall/1/corridor", "M-19 M-20"),
)  # fmt: skip
_SERVERS: Final = (("harbour/main/2/servers", "10.10.50", 30), ("mill/hall/0/servers", "10.20.50", 14))
_CONSOLES: Final = (
    ("harbour/main/0/control", 3, True), ("mill/hall/0/control", 2, True), ("harbour/main/2/servers", 1, True),
    ("mill/hall/0/servers", 1, True), ("harbour/main/0/canteen", 2, True), ("mill/hall/0/floor", 4, True),
    ("harbour/lab/0/wet", 3, True), ("harbour/main/0/dock", 1, True),
)  # fmt: skip


def _equipment(rng: Random) -> list[Host]:
    """Return everything that is nobody's own: switches, servers, consoles, cameras, panels, controllers, firewalls, printers."""
    hosts: list[Host] = []

    def add(name: str, kind: str, place: str, ip: str, **more: object) -> None:
        hosts.append(Host(name, kind, place, ip, _mac(rng), **more))  # type: ignore[arg-type]

    for site, net, room in (("h", "10.10", "harbour/main/2/servers"), ("m", "10.20", "mill/hall/0/servers")):
        add(f"sw-{site}-core", "switch", room, f"{net}.1.1")
        add(f"fw-{site}-1", "other", room, f"{net}.0.1", upstream=(f"sw-{site}-core",))
        add(f"panel-{site}", "panel", room.rpartition("/")[0] + "/closet", f"{net}.60.10", upstream=(f"sw-{site}-core",))
    for place, name in _CLOSETS:
        net = "10.10" if place.startswith("harbour") else "10.20"
        add(name, "switch", place, f"{net}.1.{len(hosts) + 10}", upstream=(f"{name[:4]}-core",))
    controllers = {"harbour": (4, "HC", "harbour/main/0/closet", "sw-h-acc-g"), "mill": (3, "MC", "mill/hall/0/closet", "sw-m-acc-m")}
    for site, (count, stem, place, switch) in controllers.items():
        for number in range(1, count + 1):
            add(
                f"{stem}-{number}", "controller", place, f"{'10.10' if site == 'harbour' else '10.20'}.60.{20 + number}", upstream=(switch,)
            )
    hosts += [*_cameras(rng), *_servers(rng)]
    for place, count, shared in _CONSOLES:
        net = "10.10.30" if place.startswith("harbour") else "10.20.30"
        for _ in range(count):
            number = len(hosts)
            add(f"con-{place[0]}-{number}", "console", place, f"{net}.{number % 250}", system="windows", shared=shared)
    for number in range(1, 15):
        where = SITES[number % 2]
        zone = [zone.uid for zone in where.zones if zone.kind == "office"][number % 4]
        add(f"prn-{number:02d}", "other", zone, f"{where.network}.40.{number + 10}")
    return hosts


def _cameras(rng: Random) -> list[Host]:
    """Return the cameras, each on the switch of its floor."""
    cameras = []
    floors = {place.rpartition("/")[0]: name for place, name in _CLOSETS}
    for number, (place, doors) in enumerate(_CAMERAS, 1):
        site = place.partition("/")[0]
        switch = floors.get(
            place.rpartition("/")[0],
            "sw-h-acc-l" if place.startswith("harbour/lab") else f"sw-{site[0]}-acc-{'g' if site == 'harbour' else 'm'}",
        )
        sees = tuple(f"{site}/doors/{door}" for door in doors.split())
        ip = f"{'10.10' if site == 'harbour' else '10.20'}.70.{number}"
        cameras.append(Host(f"cam-{number:02d}", "camera", place, ip, _mac(rng), sees=sees, upstream=(switch,)))
    return cameras


def _servers(rng: Random) -> list[Host]:
    """Return the servers of both server rooms, half of each system; the last one is the host by which administrators reach the rest."""
    servers = []
    for place, net, count in _SERVERS:
        for number in range(1, count + 1):
            last = number == count and place.startswith("mill")
            system = "linux" if number % 2 or last else "windows"
            name = "jump-1" if last else f"srv-{place[0]}-{number:02d}"
            upstream = (f"sw-{place[0]}-core",)
            servers.append(Host(name, "server", place, f"{net}.{number + 10}", _mac(rng), system=system, upstream=upstream, shared=last))
    return servers
