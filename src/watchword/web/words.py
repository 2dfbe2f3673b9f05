"""Words for people: times with their zone, ages, counts, severities, classes of events."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from watchword.model.ocsf import Access, Authentication, BuildingControl, EventClass, Health, Video, Visit, is_physical

SEVERITY_WORDS: Final = {0: "unknown", 1: "info", 2: "low", 3: "medium", 4: "high", 5: "critical", 6: "fatal"}
CLASS_WORDS: Final[dict[int, str]] = {
    EventClass.BASE_EVENT: "Unmapped record",
    EventClass.FILE_ACTIVITY: "File",
    EventClass.PROCESS_ACTIVITY: "Process",
    EventClass.PERIPHERAL_ACTIVITY: "Peripheral",
    EventClass.DETECTION_FINDING: "Product's finding",
    EventClass.ACCOUNT_CHANGE: "Account change",
    EventClass.AUTHENTICATION: "Log-on",
    EventClass.AUTHORIZE_SESSION: "Privileged session",
    EventClass.ENTITY_MANAGEMENT: "Entity management",
    EventClass.USER_ACCESS: "User access",
    EventClass.GROUP_MANAGEMENT: "Group change",
    EventClass.NETWORK_ACTIVITY: "Network",
    EventClass.DNS_ACTIVITY: "DNS",
    EventClass.DHCP_ACTIVITY: "DHCP",
    EventClass.TUNNEL_ACTIVITY: "VPN",
    EventClass.DEVICE_INVENTORY: "Inventory",
    EventClass.DEVICE_CONFIG_CHANGE: "Configuration",
    EventClass.API_ACTIVITY: "API",
    EventClass.PHYSICAL_ACCESS: "Door",
    EventClass.ALARM_SIGNAL: "Alarm",
    EventClass.ALARM_DISPOSITION: "Alarm handling",
    EventClass.PATROL: "Patrol",
    EventClass.POST_STAFFING: "Post",
    EventClass.RESPONSE: "Response",
    EventClass.INCIDENT_REPORT: "Report",
    EventClass.CREDENTIAL: "Credential",
    EventClass.ACCESS_ENTITLEMENT: "Access right",
    EventClass.VISITOR: "Visitor",
    EventClass.VIDEO_ANALYTIC: "Camera",
    EventClass.DEVICE_HEALTH: "Device",
    EventClass.BUILDING_CONTROL: "Building",
    EventClass.OCCUPANCY: "Occupancy",
}
ACTIVITIES: Final = {
    EventClass.PHYSICAL_ACCESS: Access,
    EventClass.AUTHENTICATION: Authentication,
    EventClass.VIDEO_ANALYTIC: Video,
    EventClass.DEVICE_HEALTH: Health,
    EventClass.VISITOR: Visit,
    EventClass.BUILDING_CONTROL: BuildingControl,
}


def severity_word(severity: int) -> str:
    """Return the word of an OCSF ``severity_id``."""
    return SEVERITY_WORDS.get(severity, "unknown")


def class_word(class_uid: int) -> str:
    """Return how a person calls a class of events."""
    return CLASS_WORDS.get(class_uid, f"class {class_uid}")


def activity_word(class_uid: int, activity_id: int) -> str:
    """Return class and activity in words: 'Door: held open'."""
    kinds = ACTIVITIES.get(class_uid)  # type: ignore[call-overload]
    name = next((each.name for each in kinds if each == activity_id), "") if kinds else ""
    return f"{class_word(class_uid)}: {name.replace('_', ' ').lower()}" if name else class_word(class_uid)


def domain_of(class_uid: int) -> str:
    """Return ``physical`` or ``it``: the side of the house that a class of events belongs to."""
    return "physical" if is_physical(class_uid) else "it"


def age_words(age: timedelta) -> str:
    """Return a duration as its two largest units at most: '40 s', '12 min', '3 h 5 min', '2 d 4 h'."""
    seconds = int(age.total_seconds())
    if seconds < 0:
        return f"in {age_words(-age)}" if seconds < -1 else "now"
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 and days < 10 else f"{days} d"


def number_words(number: float) -> str:
    """Return a count with thin spaces between thousands."""
    return f"{number:,.0f}".replace(",", "\u202f")


def plural(number: int, noun: str, nouns: str = "") -> str:
    """Return number and noun: '1 event', '2 events'."""
    return f"{number_words(number)} {noun if number == 1 else nouns or noun + 's'}"


def confidence_words(confidence: float) -> str:
    """Return a confidence in words and number: 'likely, .8'."""
    word = "certain" if confidence >= 0.95 else "likely" if confidence >= 0.7 else "possible" if confidence >= 0.4 else "faint"
    digits = f"{confidence:.2f}".rstrip("0").rstrip(".")
    return f"{word}, {digits if digits in {'0', '1'} else digits.lstrip('0')}"


def zone_word(zone: ZoneInfo) -> str:
    """Return the city of a time zone: 'Berlin'; 'UTC' for UTC."""
    return zone.key.rpartition("/")[2].replace("_", " ")


@dataclass(frozen=True, slots=True)
class Times:
    """Writes moments in one zone, as of one present moment."""

    now: datetime
    zone: ZoneInfo

    def clock(self, moment: datetime, zone: ZoneInfo | None = None) -> str:
        """Return time of day, with the date before it unless it is today's: '08:41:07', '23 Nov 23:59:01', '3 Feb 2025 10:00:00'."""
        zone = zone or self.zone
        local, today = moment.astimezone(zone), self.now.astimezone(zone).date()
        if local.date() == today:
            return f"{local:%H:%M:%S}"
        day = f"{local.day} {local:%b}" if local.year == today.year else f"{local.day} {local:%b %Y}"
        return f"{day} {local:%H:%M:%S}"

    def mark(self, moment: datetime | None, zone: ZoneInfo | None = None, *, named: bool = True) -> Markup:
        """Return the ``<time>`` element: local words, the zone's name, UTC for machines, offset and UTC in the title."""
        if moment is None:
            return Markup('<span class="quiet">never</span>')
        zone = zone or self.zone
        local = moment.astimezone(zone)
        utc = moment.astimezone(UTC)
        title = f"{local:%a} {local.day} {local:%b %Y %H:%M:%S} {local.tzname()} (UTC{local:%z}) = {utc:%Y-%m-%d %H:%M:%S} UTC"
        name = Markup(' <span class="zone">{}</span>').format(zone_word(zone)) if named else ""
        return Markup('<time datetime="{}" title="{}">{}{}</time>').format(
            utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"), title, self.clock(moment, zone), name
        )

    def age(self, moment: datetime | None) -> Markup:
        """Return how long ago, in words."""
        if moment is None:
            return Markup('<span class="age">never</span>')
        return Markup('<span class="age">{}</span>').format(age_words(self.now - moment))
