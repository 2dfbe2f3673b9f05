"""Parameters on the ground: which room follows which parameter of a policy in force, without a restart, and the log of each change."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from watchword.detect.loader import LEVELS
from watchword.govern.parameter import Parameter, Value, say_value
from watchword.govern.policy_service import Policies
from watchword.kit.duration import say_duration
from watchword.kit.errors import WatchwordError
from watchword.measure.alignment import LIMIT
from watchword.respond.triage import TriageSettings

PAGE_SEVERITY: Final = "severity-ladder.1.page_severity"
APPROVAL_LASTS: Final = "severity-ladder.3.approval_lasts"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a parameter lands: what follows it, and how."""

    parameter: str
    """``STATEMENT.KEY``."""
    lands: str
    """``RULE.SETTING`` for detection, ``ROOM.THING`` elsewhere."""
    process: str
    """Which process acts on it."""
    words: str
    """For people: what changes with it."""
    rule: str = ""
    """Id of the detection rule; empty: no rule."""
    setting: str = ""
    measure: str = ""
    """Name of the measure that follows it; empty: none."""

    @property
    def is_rule(self) -> bool:
        """Tell whether a detection follows it."""
        return bool(self.rule)


def _rule(parameter: str, rule: str, setting: str, words: str) -> Landing:
    return Landing(parameter, f"{rule}.{setting}", "work", words, rule, setting)


LANDINGS: Final = (
    _rule("leaver-access.1.badge_off_within", "ww_007", "deadline", "From when on a leaver's badge that opens a door calls somebody."),
    _rule("leaver-access.1.badge_off_within", "ww_007", "refused_grace", "From when on a leaver's badge that is refused is noted."),
    _rule("clock-tolerance.2.entry_window", "ww_001", "entry_window", "For how long a read badge vouches that its holder came in."),
    _rule("lockout-duress.1.denials_before_lock", "ww_020", "denials", "After how many refusals of one holder somebody looks."),
    _rule("unlock-schedules.2.unlock_at_most", "ww_031", "unlocked_holds", "For how long an unlock command explains an opening."),
    _rule("unlock-schedules.2.unlock_at_most", "ww_024", "unlocked_holds", "The same, where a camera was lost."),
    Landing(APPROVAL_LASTS, "respond.approval_lasts", "respond", "How long a yes to an action may be used, at most."),
    Landing(PAGE_SEVERITY, "respond.page_severity", "respond", "From which severity on a finding opens an incident at once."),
    Landing(
        "evidence-retention.1.event_log_kept_for", "ingest.event_log_kept_for", "measure", "For how long days of the event log are kept."
    ),
    Landing(
        "leaver-access.1.account_off_within",
        "measure.leaver_limit",
        "measure",
        "What counts as late among the rights of leavers.",
        measure="two_clock_gap.late",
    ),
)
"""Every parameter that something follows by itself. The others bind people, and the tests of the controls that they name."""


def landings_of(parameter: str) -> tuple[Landing, ...]:
    """Return what follows a parameter."""
    return tuple(each for each in LANDINGS if each.parameter == parameter)


def _as_setting(value: Value) -> object:
    """Return a value as a rule file writes it."""
    if isinstance(value, timedelta):
        return say_duration(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def with_parameters(overrides: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, Parameter]) -> dict[str, dict[str, Any]]:
    """Return what is set otherwise in rules: the settings file's word, and over it what a body of both trades decided."""
    found: dict[str, dict[str, Any]] = {rule: deepcopy(dict(change)) for rule, change in overrides.items()}
    for landing in LANDINGS:
        parameter = parameters.get(landing.parameter)
        if parameter is None or not landing.is_rule:
            continue
        change = found.setdefault(landing.rule, {})
        settings = dict(change.get("settings", {}))
        decided = _as_setting(parameter.value)
        if landing.setting in settings and settings[landing.setting] != decided:
            log.warning("a decision goes before the settings file", rule=landing.rule, setting=landing.setting, decided=decided)
        change["settings"] = settings | {landing.setting: decided}
    return found


class Followed:
    """The parameters in force as one process follows them: asked often, read anew only when a version came into force."""

    def __init__(self, policies: Policies, process: str) -> None:
        self._policies, self._process = policies, process
        self._version = -1
        self._parameters: Mapping[str, Parameter] = {}

    def version(self) -> int:
        """Return a number that grows whenever something came into force."""
        return self._policies.version()

    def parameters(self) -> Mapping[str, Parameter]:
        """Return the parameters in force."""
        version = self._policies.version()
        if version != self._version:
            self._version, self._parameters = version, self._policies.parameters()
        return self._parameters

    def value(self, name: str) -> Value | None:
        """Return a parameter's value; None: no policy in force sets it."""
        found = self.parameters().get(name)
        return found.value if found is not None else None

    def duration(self, name: str, default: timedelta) -> timedelta:
        """Return a parameter that is a duration, or the default where no policy in force sets it."""
        found = self.value(name)
        return found if isinstance(found, timedelta) else default

    def tell(self, only: Iterable[str] = ()) -> int:
        """Log what this process acts on from now on, in rows, in the audit log and in its own log; return how much is new.

        Args:
            only: Landings that the caller is sure to follow; empty: all of this process.
        """
        wanted = set(only)
        parameters, told = self.parameters(), 0
        for landing in LANDINGS:
            if landing.process != self._process or (wanted and landing.lands not in wanted):
                continue
            parameter = parameters.get(landing.parameter)
            value = parameter.value if parameter is not None else None
            if self._policies.log_applied(landing.lands, value, parameter, process=self._process, name=landing.parameter):
                told += 1
                said = say_value(value) if value is not None else "as shipped"
                log.info("parameter_applied", parameter=landing.parameter, lands=landing.lands, value=said)
        return told


def page_severity(followed: Followed) -> int:
    """Return the OCSF severity from which on a finding opens an incident at once: that of the policy in force, else the usual one."""
    word = followed.value(PAGE_SEVERITY)
    return int(LEVELS[word]) if isinstance(word, str) and word in LEVELS else TriageSettings().page_severity


def approval_life(policies: Policies) -> timedelta | None:
    """Return the longest that a yes to an action may be used, by the policy in force; None: none says."""
    found = policies.parameters().get(APPROVAL_LASTS)
    return found.value if found is not None and isinstance(found.value, timedelta) else None


def leaver_limit(policies: Policies, moment: datetime) -> timedelta:
    """Return how long a leaver's rights may live by the policy in force at a moment: the longer of both kinds; 24 hours without one."""
    parameters = policies.parameters(moment)
    names = ("leaver-access.1.badge_off_within", "leaver-access.1.account_off_within")
    found = [each.value for name in names if (each := parameters.get(name)) is not None and isinstance(each.value, timedelta)]
    return max(found, default=LIMIT)


def patiently(tell: Callable[[], int]) -> None:
    """Log what is applied; a records database that does not answer holds up nothing, as the next change tells it again."""
    try:
        tell()
    except WatchwordError as error:
        log.warning("parameters_not_logged", reason=str(error))
