"""OCSF numbers: the core classes that Watchword reuses and its own extension for doors, alarms, cameras and visitors.

The extension's uid, category and classes are explained in docs/reference/event-schema.md; the classes with their attributes are data,
in ``content/ocsf/``. Numbers are written here once.
"""

from enum import IntEnum
from typing import Final

OCSF_VERSION: Final = "1.8.0"
EXTENSION_NAME: Final = "watchword"
EXTENSION_UID: Final = 77
CATEGORY_UID: Final = 31
PHYSICAL_BASE: Final = EXTENSION_UID * 100_000 + CATEGORY_UID * 1_000


class EventClass(IntEnum):
    """The ``class_uid`` of every class that Watchword's own sources, mappings and detections name."""

    BASE_EVENT = 0
    FILE_ACTIVITY = 1001
    PROCESS_ACTIVITY = 1007
    PERIPHERAL_ACTIVITY = 1010
    DETECTION_FINDING = 2004
    ACCOUNT_CHANGE = 3001
    AUTHENTICATION = 3002
    AUTHORIZE_SESSION = 3003
    ENTITY_MANAGEMENT = 3004
    USER_ACCESS = 3005
    GROUP_MANAGEMENT = 3006
    NETWORK_ACTIVITY = 4001
    DNS_ACTIVITY = 4003
    DHCP_ACTIVITY = 4004
    TUNNEL_ACTIVITY = 4014
    DEVICE_INVENTORY = 5001
    DEVICE_CONFIG_CHANGE = 5019
    API_ACTIVITY = 6003
    PHYSICAL_ACCESS = PHYSICAL_BASE + 1
    ALARM_SIGNAL = PHYSICAL_BASE + 2
    ALARM_DISPOSITION = PHYSICAL_BASE + 3
    PATROL = PHYSICAL_BASE + 4
    POST_STAFFING = PHYSICAL_BASE + 5
    RESPONSE = PHYSICAL_BASE + 6
    INCIDENT_REPORT = PHYSICAL_BASE + 7
    CREDENTIAL = PHYSICAL_BASE + 20
    ACCESS_ENTITLEMENT = PHYSICAL_BASE + 21
    VISITOR = PHYSICAL_BASE + 22
    VIDEO_ANALYTIC = PHYSICAL_BASE + 23
    DEVICE_HEALTH = PHYSICAL_BASE + 24
    BUILDING_CONTROL = PHYSICAL_BASE + 25
    OCCUPANCY = PHYSICAL_BASE + 26


UNKNOWN_ACTIVITY: Final = 0
OTHER_ACTIVITY: Final = 99


class Access(IntEnum):
    """Activities of ``ww_physical_access_activity``; a decision (Granted) and a passage (Taken) are two events."""

    GRANTED = 1
    DENIED = 2
    TAKEN = 3
    NOT_TAKEN = 4
    FORCED = 5
    HELD_OPEN = 6
    REQUEST_TO_EXIT = 7
    DURESS = 8
    ANTI_PASSBACK = 9
    TAILGATE = 10
    MODE_CHANGED = 11
    TAMPER = 12


class Video(IntEnum):
    """Activities of ``ww_video_analytic_activity``."""

    PERSON = 1
    VEHICLE = 2
    FACE_MATCHED = 3
    PLATE_READ = 4
    LINE_CROSSED = 5
    LOITERING = 6
    OBJECT_LEFT = 7
    OBJECT_REMOVED = 8
    COUNTED = 9
    FALL = 10
    FIRE_SMOKE = 11


class Health(IntEnum):
    """Activities of ``ww_physical_device_health``."""

    ONLINE = 1
    OFFLINE = 2
    VIDEO_LOST = 3
    SCENE_CHANGED = 4
    TAMPERED = 5
    RECORDING_STOPPED = 6
    RECORDING_RESUMED = 7
    STORAGE_FAILED = 8
    CLOCK_DRIFTED = 9
    FEED_GAP = 10
    POWER_LOST = 11
    POWER_RESTORED = 12
    BATTERY_LOW = 13


class Visit(IntEnum):
    """Activities of ``ww_visitor_activity``."""

    PRE_REGISTERED = 1
    WATCH_LIST_HIT = 2
    CHECKED_IN = 3
    BADGE_ISSUED = 4
    HOST_ACKNOWLEDGED = 5
    CHECKED_OUT = 6
    OVERSTAYED = 7
    CANCELLED = 8


class Occupancy(IntEnum):
    """Activities of ``ww_occupancy_activity``; Mustered is one person who reported at a muster point."""

    COUNTED = 1
    ENTERED = 2
    LEFT = 3
    CAPACITY_REACHED = 4
    MUSTER_STARTED = 5
    MUSTERED = 6
    MUSTER_ENDED = 7


class BuildingControl(IntEnum):
    """Activities of ``ww_building_control_activity``."""

    COMMAND = 1
    OVERRIDE = 2
    SET_POINT_CHANGED = 3
    ALARM = 4
    RESTORED = 5
    RELEASED = 6
    SCHEDULE_CHANGED = 7


class Authentication(IntEnum):
    """Activities of OCSF 3002 ``authentication``."""

    LOGON = 1
    LOGOFF = 2


class Status(IntEnum):
    """OCSF ``status_id``."""

    UNKNOWN = 0
    SUCCESS = 1
    FAILURE = 2
    OTHER = 99


class Logon(IntEnum):
    """OCSF ``logon_type_id``: Windows' own numbers for the ones that Watchword reads."""

    INTERACTIVE = 2
    NETWORK = 3
    BATCH = 4
    SERVICE = 5
    UNLOCK = 7
    REMOTE_INTERACTIVE = 10
    CACHED_INTERACTIVE = 11


class Severity(IntEnum):
    """OCSF ``severity_id``."""

    UNKNOWN = 0
    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5
    FATAL = 6


def type_uid_of(class_uid: int, activity_id: int) -> int:
    """Return OCSF's ``type_uid``: class times 100 plus activity; always below 2**31 for our classes."""
    return class_uid * 100 + activity_id


def category_uid_of(class_uid: int) -> int:
    """Return OCSF's ``category_uid``: thousands of the class number (for an extension, within its own block of 100,000)."""
    return class_uid % 100_000 // 1_000


def is_physical(class_uid: int) -> bool:
    """Tell whether the class belongs to the physical side: one of the extension's classes."""
    return PHYSICAL_BASE < class_uid < PHYSICAL_BASE + 1_000
