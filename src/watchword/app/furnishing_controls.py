"""The demo site's controls: its control book, the checks that its people made in the last months, some words, and one exception."""

from datetime import timedelta
from typing import Final

from watchword.app.control_facts import CHECKS
from watchword.app.controlling import check_record, install
from watchword.app.watchword import Watchword
from watchword.govern.decision_service import Decisions
from watchword.ingest.intake import Incoming
from watchword.kit.clock import to_millisecond
from watchword.kit.ids import random_uid
from watchword.measure.compliance import Result, Way
from watchword.model import AssetKind
from watchword.model.decision import Decision, Direction, Expectation, Method

BOOK: Final = """# What the control tests of the demo site must know of it and no site file says.
roles:
  harbour/main/2/servers: [it administrator, night maintenance]
  mill/hall/0/servers: [it administrator, maintenance contractor]
  harbour/main/0/control: [guard]
  harbour/lab/0/store: [scientist]
  mill/hall/1/records: [process engineer]
racks: [harbour/doors/D-24, mill/doors/M-13]
power: [asset:ups-h, asset:ups-m]
skills: {guard: [first aid, evidence handling]}
"""
WORN: Final = "harbour/doors/D-04"
FORGOTTEN: Final = ("harbour/doors/D-22", "mill/doors/M-09", "mill/doors/M-19")
"""Doors whose locks nobody has tried for too long."""
Made = tuple[str, str, float, bool, str, str]
"""Kind, target, days ago, whether all was well, by whom, note."""
SITES: Final[tuple[Made, ...]] = (
    ("access-review", "harbour", 34, True, "operator", "list of live badges compared with the people file"),
    ("access-review", "mill", 118, True, "operator", "the quarter before last"),
    ("log-review", "harbour", 3, True, "operator", ""),
    ("log-review", "mill", 6, True, "operator", ""),
    ("footage", "harbour", 12, True, "operator", "oldest footage 31 days"),
    ("footage", "mill", 12, False, "operator", "recorder full: oldest footage 19 days"),
    ("footage-review", "harbour", 9, True, "operator", ""),
    ("footage-review", "mill", 20, True, "operator", ""),
    ("visitor-review", "harbour", 11, True, "operator", ""),
    ("visitor-review", "mill", 26, True, "operator", ""),
    ("visitor-purge", "harbour", 14, True, "operator", "visits older than 90 days"),
    ("visitor-purge", "mill", 14, True, "operator", "visits older than 90 days"),
    ("walk-test", "asset:panel-h", 41, True, "operator", "every detector walked"),
    ("walk-test", "asset:panel-m", 66, True, "operator", ""),
    ("fire-test", "asset:panel-h", 120, True, "operator", "reached Otto Brandt and the fire service"),
    ("fire-test", "asset:panel-m", 300, True, "operator", "reached the shift lead"),
    ("ups-test", "asset:ups-h", 25, True, "analyst", ""),
    ("ups-test", "asset:ups-m", 104, True, "analyst", "overdue"),
    ("runtime-test", "asset:ups-h", 200, True, "analyst", "42 minutes at full load"),
    ("runtime-test", "asset:ups-m", 200, True, "analyst", "35 minutes"),
    ("plan-review", "house", 75, True, "manager", "with both team leads"),
)
"""What the demo's people wrote down."""


def furnish_controls(watchword: Watchword) -> None:
    """Keep the demo's book, checks, words and exception once."""
    if CHECKS in watchword.mappings.sources():
        return
    install(watchword)
    controls = watchword.governance.controls
    controls.configure(BOOK, "demo-controls.yaml", by="manager")
    now = watchword.clock.now()
    rows = [
        check_record(kind, target, at=now - timedelta(days=days), by=by, note=note, passed=passed)
        for kind, target, days, passed, by, note in (*SITES, *_equipment(watchword))
    ]
    watchword.intake.accept(CHECKS, [Incoming(body) for _, body in rows])
    said = "No vestibule is built at either site; the server rooms have single doors."
    controls.attest("pe-3.8", "", Result.NOT_APPLICABLE, said, by="manager", lasts=timedelta(days=365))
    said = "Nothing is tagged here yet; the inventory of the year is done by hand."
    controls.attest("pe-20", "", Result.NOT_APPLICABLE, said, by="manager", lasts=timedelta(days=365))
    said = "Seven changes of post this quarter: lists of doors and of groups compared by hand, two late by a day."
    controls.attest("ps-5", "", Result.PASS, said, by="manager", lasts=timedelta(days=90), way=Way.SAMPLED)
    _exception(watchword)


def _equipment(watchword: Watchword) -> list[Made]:
    """Return tamper tests, backups and restores of panels and controllers: most in time, the mill's late."""
    made: list[Made] = []
    for number, asset in enumerate(sorted(watchword.registry.directory().assets.assets.values(), key=lambda each: each.uid)):
        if asset.kind not in {AssetKind.PANEL, AssetKind.CONTROLLER}:
            continue
        late = asset.place.startswith("mill") and asset.kind is AssetKind.CONTROLLER
        made.append(("tamper-test", asset.uid, 130 if late else 20 + number % 40, True, "operator", ""))
        made.append(("backup", asset.uid, 1 + number % 5, True, "analyst", "nightly job"))
        if not late:
            made.append(("restore-test", asset.uid, 60 + number % 60, True, "analyst", "onto a spare"))
    doors = watchword.registry.directory().site.doors
    tried = sorted(uid for uid, door in doors.items() if door.readers and uid not in FORGOTTEN)
    days = {"harbour": 12, "mill": 40}
    made += [
        ("lock-test", uid, days[uid.partition("/")[0]], uid != WORN, "operator", "bolt held" if uid != WORN else "worn") for uid in tried
    ]
    return made


def _exception(watchword: Watchword) -> None:
    """Decide the one exception: the dock door's worn contact, until its part comes."""
    now = to_millisecond(watchword.clock.now() - timedelta(days=9))
    bodies = watchword.governance.committees.list()
    decision = Decision(
        uid=random_uid(),
        number=0,
        body=bodies[0].uid if bodies else "demo",
        question="May the dock door stay in use with its worn contact?",
        choice="The dock is watched by camera during deliveries; a guard tries the door at 20:00 each day until the contact is new.",
        because="The contact cries “forced” when the wind moves the door; the part is ordered for next month.",
        version_hash="0" * 64,
        method=Method.DECIDER,
        decided=now,
        in_force=now,
        review_on=(now + timedelta(days=21)).date(),
        expects=Expectation("compliance.fail", Direction.DOWN, 0.005, (now + timedelta(days=60)).date()),
        expires=(now + timedelta(days=30)).date(),
        kind="exception",
        subject=f"control:pe-3@{WORN}",
    )
    decisions: Decisions = watchword.governance.decisions
    with watchword.records.begin() as connection:
        decisions.put(connection, decision, by="manager")
