"""The two sites as drawn by their builders: zones, and doors as edges between them. Invented, like everything in the demo."""

from dataclasses import dataclass
from typing import Final

DOMAIN: Final = "kestrelvale.example"
"""Mail and host domain of the invented organisation, Kestrel & Vale."""
NT_DOMAIN: Final = "KESTREL"


@dataclass(frozen=True, slots=True)
class ZonePlan:
    """One zone: `uid` is its full path."""

    uid: str
    name: str
    kind: str
    network: bool = True


@dataclass(frozen=True, slots=True)
class DoorPlan:
    """One door: `name` is its number on the plan; `readers` holds the directions that are read."""

    name: str
    label: str
    outer: str
    inner: str
    readers: str = "in"
    """``in``, ``in out``, or empty."""
    kind: str = "door"
    egress: bool = False
    fail_safe: bool = False
    passage_sensor: bool = False
    length_m: float = 10.0
    schedule: str = ""
    controller: str = ""

    @property
    def site(self) -> str:
        """The site's name: first part of the inner zone's path."""
        return self.inner.partition("/")[0]

    @property
    def uid(self) -> str:
        """The door's uid, ``site/doors/name``."""
        return f"{self.site}/doors/{self.name}"

    def reader(self, direction: str) -> str:
        """Return the uid of its reader for a direction, empty where there is none."""
        return f"R-{self.name}-{direction}" if direction in self.readers.split() else ""


@dataclass(frozen=True, slots=True)
class SitePlan:
    """One site."""

    name: str
    title: str
    city: str
    country: str
    zone: str
    latitude: float
    longitude: float
    buildings: dict[str, str]
    floors: dict[str, str]
    zones: tuple[ZonePlan, ...]
    doors: tuple[DoorPlan, ...]
    network: str
    """First two numbers of its private addresses."""
    egress: str
    """The public address of its offices."""


def _zones(site: str, rows: str) -> tuple[ZonePlan, ...]:
    """Read zones from a table: path below the site, kind, name; a trailing ``!`` on the kind means no network there."""
    plans = []
    for row in rows.strip().splitlines():
        path, kind, name = row.split(maxsplit=2)
        plans.append(ZonePlan(f"{site}/{path}", name, kind.rstrip("!"), network=not kind.endswith("!")))
    return tuple(plans)


def _doors(site: str, rows: str) -> tuple[DoorPlan, ...]:
    """Read doors from a table: number, controller, readers, metres, from, to, flags, label.

    Flags: t turnstile, g gate, e escape route, f fail-safe, p passage sensor, s unlocked by schedule; ``-`` none.
    """
    plans = []
    for row in rows.strip().splitlines():
        name, controller, readers, metres, outer, inner, flags, label = row.split(maxsplit=7)
        kind = "turnstile" if "t" in flags else "gate" if "g" in flags else "door"
        plans.append(
            DoorPlan(
                name=name,
                label=label,
                outer=f"{site}/{outer}",
                inner=f"{site}/{inner}",
                readers={"i": "in", "io": "in out", "-": ""}[readers],
                kind=kind,
                egress="e" in flags,
                fail_safe="f" in flags,
                passage_sensor="p" in flags,
                length_m=float(metres),
                schedule="canteen-hours" if "s" in flags else "",
                controller=controller,
            )
        )
    return tuple(plans)


HARBOUR: Final = SitePlan(
    name="harbour",
    title="Harbour Works",
    city="Hamburg",
    country="DE",
    zone="Europe/Berlin",
    latitude=53.5413,
    longitude=9.9841,
    buildings={"grounds": "Grounds", "main": "Main building", "lab": "Laboratory"},
    floors={"0": "Ground floor", "1": "First floor", "2": "Second floor"},
    zones=_zones(
        "harbour",
        """
        grounds/0/yard     external      Yard
        main/0/lobby       public        Lobby
        main/0/hall        transitional  Ground corridor
        main/0/canteen     office        Canteen
        main/0/dock        restricted    Loading dock
        main/0/workshop    restricted    IT workshop
        main/0/closet      restricted    Network closet G
        main/0/control     critical      Control room
        main/1/corridor    transitional  First-floor corridor
        main/1/north       office        North office
        main/1/south       office        South office
        main/1/meet-a      office        Meeting room Alster
        main/1/meet-b      office        Meeting room Bille
        main/1/closet      restricted    Network closet 1
        main/2/corridor    transitional  Second-floor corridor
        main/2/east        office        East office
        main/2/finance     restricted    Finance
        main/2/reading     restricted!   Classified reading room
        main/2/closet      restricted    Network closet 2
        main/2/servers     critical      Server room 1
        lab/0/airlock      transitional  Laboratory entrance
        lab/0/wet          restricted    Wet laboratory
        lab/0/store        restricted    Chemicals store
        lab/0/closet       restricted    Network closet L
        lab/1/corridor     transitional  Laboratory corridor
        lab/1/office       office        Laboratory offices
        lab/1/clean        restricted!   Clean room
        lab/1/meet-c       office        Meeting room Elbe
        """,
    ),
    doors=_doors(
        "harbour",
        """
        D-01 HC-1 io 12 outside          main/0/lobby     tfp  Main turnstile 1
        D-02 HC-1 io 12 outside          main/0/lobby     tfp  Main turnstile 2
        D-03 HC-4 io 25 outside          grounds/0/yard   g    Vehicle gate
        D-04 HC-4 i  20 grounds/0/yard   main/0/dock      -    Dock door
        D-05 HC-3 io 15 outside          lab/0/airlock    f    Laboratory entrance
        D-06 HC-1 i  15 main/0/lobby     main/0/hall      f    Lobby to corridor
        D-07 HC-1 i  15 main/0/hall      main/0/canteen   fs   Canteen door
        D-08 HC-4 io 25 main/0/hall      main/0/dock      -    Corridor to dock
        D-09 HC-1 i  20 main/0/hall      main/0/workshop  -    IT workshop door
        D-10 HC-1 i  18 main/0/hall      main/0/closet    -    Closet G door
        D-11 HC-1 io 20 main/0/hall      main/0/control   -    Control room door
        D-12 HC-2 i  24 main/0/hall      main/1/corridor  ef   Stair A to first floor
        D-13 HC-2 i  28 main/0/hall      main/1/corridor  ef   Stair B to first floor
        D-14 HC-2 i  18 main/1/corridor  main/1/north     f    North office door
        D-15 HC-2 i  22 main/1/corridor  main/1/south     f    South office door
        D-16 HC-2 i  16 main/1/corridor  main/1/meet-a    f    Alster door
        D-17 HC-2 i  16 main/1/corridor  main/1/meet-b    f    Bille door
        D-18 HC-2 i  14 main/1/corridor  main/1/closet    -    Closet 1 door
        D-19 HC-2 i  24 main/1/corridor  main/2/corridor  ef   Stair to second floor
        D-20 HC-2 i  18 main/2/corridor  main/2/east      f    East office door
        D-21 HC-2 io 20 main/2/corridor  main/2/finance   -    Finance door
        D-22 HC-2 io 22 main/2/corridor  main/2/reading   p    Reading room door
        D-23 HC-2 i  14 main/2/corridor  main/2/closet    -    Closet 2 door
        D-24 HC-2 io 20 main/2/corridor  main/2/servers   p    Server room 1 door
        D-25 HC-2 io 26 main/2/corridor  main/2/servers   e    Server room 1 rear door
        D-26 HC-3 io 18 lab/0/airlock    lab/0/wet        p    Wet laboratory door
        D-27 HC-3 i  18 lab/0/airlock    lab/0/store      -    Chemicals store door
        D-28 HC-3 i  14 lab/0/airlock    lab/0/closet     -    Closet L door
        D-29 HC-3 i  24 lab/0/airlock    lab/1/corridor   ef   Laboratory stair
        D-30 HC-3 i  16 lab/1/corridor   lab/1/office     f    Laboratory offices door
        D-31 HC-3 io 20 lab/1/corridor   lab/1/clean      p    Clean room door
        D-32 HC-3 i  16 lab/1/corridor   lab/1/meet-c     f    Elbe door
        D-33 HC-3 io 90 main/0/hall      lab/0/airlock    f    Bridge to laboratory
        D-34 HC-1 i  18 outside          main/0/hall      e    Staff side entrance
        D-35 HC-1 -  20 outside          main/0/hall      e    Emergency exit north
        D-36 HC-3 -  20 outside          lab/0/airlock    e    Emergency exit laboratory
        """,
    ),
    network="10.10",
    egress="192.0.2.10",
)

MILL: Final = SitePlan(
    name="mill",
    title="Mill",
    city="Porto",
    country="PT",
    zone="Europe/Lisbon",
    latitude=41.1496,
    longitude=-8.6109,
    buildings={"grounds": "Grounds", "hall": "Mill hall"},
    floors={"0": "Ground floor", "1": "Gallery"},
    zones=_zones(
        "mill",
        """
        grounds/0/yard     external      Yard
        hall/0/lobby       public        Lobby
        hall/0/floor       office        Production floor
        hall/0/canteen     office        Canteen
        hall/0/store       restricted    Warehouse
        hall/0/dock        restricted    Loading dock
        hall/0/quality     restricted    Quality laboratory
        hall/0/control     critical      Line control room
        hall/0/servers     critical      Server room 2
        hall/0/closet      restricted    Network closet M
        hall/1/corridor    transitional  Gallery corridor
        hall/1/offices     office        Gallery offices
        hall/1/meet-d      office        Meeting room Douro
        hall/1/training    office        Training room
        hall/1/records     restricted!   Records room
        hall/1/closet      restricted    Network closet N
        """,
    ),
    doors=_doors(
        "mill",
        """
        M-01 MC-1 io 12 outside          hall/0/lobby     tfp  Mill turnstile 1
        M-02 MC-1 io 12 outside          hall/0/lobby     tfp  Mill turnstile 2
        M-03 MC-3 io 25 outside          grounds/0/yard   g    Mill gate
        M-04 MC-3 i  20 grounds/0/yard   hall/0/dock      -    Mill dock door
        M-05 MC-2 i  20 outside          hall/0/floor     ef   Production side entrance
        M-06 MC-1 i  18 hall/0/lobby     hall/0/floor     f    Lobby to production
        M-07 MC-1 i  18 hall/0/lobby     hall/0/canteen   fs   Mill canteen door
        M-08 MC-2 i  30 hall/0/floor     hall/0/store     -    Warehouse door
        M-09 MC-3 io 30 hall/0/store     hall/0/dock      -    Warehouse to dock
        M-10 MC-2 io 24 hall/0/floor     hall/0/quality   p    Quality laboratory door
        M-11 MC-2 io 20 hall/0/floor     hall/0/control   -    Line control door
        M-12 MC-2 i  14 hall/0/floor     hall/0/closet    -    Closet M door
        M-13 MC-1 io 22 hall/0/lobby     hall/0/servers   p    Server room 2 door
        M-14 MC-1 i  24 hall/0/lobby     hall/1/corridor  ef   Gallery stair A
        M-15 MC-2 i  30 hall/0/floor     hall/1/corridor  ef   Gallery stair B
        M-16 MC-1 i  18 hall/1/corridor  hall/1/offices   f    Gallery offices door
        M-17 MC-1 i  16 hall/1/corridor  hall/1/meet-d    f    Douro door
        M-18 MC-1 i  18 hall/1/corridor  hall/1/training  f    Training room door
        M-19 MC-1 io 20 hall/1/corridor  hall/1/records   -    Records room door
        M-20 MC-1 i  14 hall/1/corridor  hall/1/closet    -    Closet N door
        M-21 MC-2 -  25 outside          hall/0/floor     e    Emergency exit production
        M-22 MC-1 -  25 outside          hall/1/corridor  e    Emergency exit gallery
        M-23 MC-2 i  30 hall/0/canteen   hall/0/floor     f    Canteen to production
        """,
    ),
    network="10.20",
    egress="192.0.2.20",
)

SITES: Final = (HARBOUR, MILL)
TRAVEL_MINUTES: Final = 215
"""Best case between the sites: door to door with a private flight."""
