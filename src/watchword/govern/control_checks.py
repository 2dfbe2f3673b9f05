"""The checks that control tests are made of, by name."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from watchword.govern import control_checks_devices as devices
from watchword.govern import control_checks_doors as doors
from watchword.govern import control_checks_people as people
from watchword.govern import control_checks_response as response
from watchword.govern.control_test import Check, ControlTest, read_tests

CHECKS_BY_NAME: Final[Mapping[str, Check]] = {
    each.__name__: each
    for each in (
        doors.explained_openings, doors.system_rooms, doors.roles_follow, doors.escorted, doors.vestibules, doors.wiring, doors.racks,
        devices.heard, devices.all_sources, devices.clocks, devices.checked, devices.armed, devices.no_trouble, devices.cameras_up,
        devices.covered, devices.powered, devices.egress, devices.environment, devices.tracked,
        people.grants_held, people.leavers, people.transfers, people.accounts, people.visits, people.visits_automatic,
        people.visitor_fields, people.skills, people.posts,
        response.alarms_reach, response.drilled, response.handled, response.exercised, response.canary,
    )
}  # fmt: skip
SHIPPED: Final = "content/controls/tests.yaml"


@cache
def shipped_tests() -> tuple[ControlTest, ...]:
    """Return the tests that come with Watchword."""
    return read_tests((files("watchword") / SHIPPED).read_text(encoding="utf-8"), SHIPPED, CHECKS_BY_NAME)
