"""Measures in words: figures with their unit as people say it, intervals, subjects, grades, and whether a target is reached."""

from collections.abc import Mapping
from typing import Final

from watchword.measure.grade import FLAG_WORDS
from watchword.model.metric import Better, Flag, Grade, MeasureClass, Metric, MetricDefinition, Target

THIN: Final = "\N{NARROW NO-BREAK SPACE}"
UNKNOWN: Final = "?"
GRADE_WORDS: Final[Mapping[Grade, str]] = {Grade.A: "firm", Grade.B: "sound", Grade.C: "rough", Grade.D: "not credible"}
"""What each grade is called beside its letter."""
CLASS_WORDS: Final[Mapping[MeasureClass, str]] = {
    MeasureClass.IMPLEMENTATION: "implementation: is it done?",
    MeasureClass.EFFECTIVENESS: "effectiveness: does it work?",
    MeasureClass.EFFICIENCY: "efficiency: at what effort?",
    MeasureClass.IMPACT: "impact: what did it change for the house?",
}
SUBJECTS: Final[Mapping[str, str]] = {
    "": "the whole house",
    "it": "IT",
    "physical": "physical security",
    "joint": "incidents of both worlds",
    **{f"sev{number}": f"severity {number}" for number in (1, 2, 3, 4)},
}
REACHED: Final = "reached"
MISSED: Final = "missed"
CLOSE: Final = "too close to tell"
"""The target lies inside the interval: a claim either way would be noise."""
_NOT: Final = "Not credible:"
_FLAGGED: Final = "Not credible until that is cleared up."


def figure(value: float | None, unit: str) -> tuple[str, str]:
    """Return a value as number and unit, each as people write it; what is unknown is a question mark without unit, never 0."""
    if value is None:
        return UNKNOWN, ""
    if unit == "share":
        return _percent(100 * value), "%"
    if unit == "hours":
        return _hours(value)
    if unit == "minutes":
        return _hours(value / 60) if abs(value) >= 180 else (_short(value), "min")
    if unit.startswith("€ "):
        number, scale = _money(value)
        return f"€{THIN}{number}", f"{scale}{unit[1:]}".strip()
    return _short(value), "" if unit == "count" else unit


def say_value(value: float | None, unit: str) -> str:
    """Return a value in one phrase: '92 %', '3.2 h', '€ 1.2 M a year'."""
    number, word = figure(value, unit)
    return f"{number} {word}".strip() if value is not None else "unknown"


def say_interval(lo: float | None, hi: float | None, unit: str) -> str:
    """Return an interval in one phrase: '88 to 95 %'; empty without bounds, one value where both are the same."""
    if lo is None and hi is None:
        return ""
    if lo is None or hi is None:
        return f"at most {say_value(hi, unit)}" if lo is None else f"at least {say_value(lo, unit)}"
    (low, low_word), (high, high_word) = figure(lo, unit), figure(hi, unit)
    if (low, low_word) == (high, high_word):
        return say_value(lo, unit)
    return f"{low} to {high} {high_word}".strip() if low_word == high_word else f"{low} {low_word} to {high} {high_word}".strip()


def say_share(share: float) -> str:
    """Return a share in per cent; only what is whole is 100 %, only what is nothing is 0 %."""
    percent = 100 * share
    if 0 < percent < 1:
        return "below 1 %"
    return "above 99 %" if 99 < percent < 100 else f"{percent:.0f} %"


def subject_words(subject: str) -> str:
    """Return how a subject is called; a uid stays as it is."""
    return SUBJECTS.get(subject, subject)


def why_not(metric: Metric | None, because: str) -> str:
    """Return the one sentence for which a value is not credible, without what else was said of it."""
    if metric is None:
        return "It was not computed yet."
    if metric.flags:
        before, flagged, _ = because.partition(_FLAGGED)
        if flagged and before.strip():
            return before.strip()
        return f"{FLAG_WORDS[metric.flags[0]].capitalize()}."
    _, marked, reason = because.partition(_NOT)
    return f"{reason.strip()[:1].upper()}{reason.strip()[1:]}" if marked else because


def why_not_shared(metric: Metric | None, because: str) -> str:
    """Return the reason as strangers may read it: of flags only the kind, as their words may point at people."""
    if metric is not None and metric.flags:
        return f"{flag_words(metric.flags[0]).capitalize()}."
    return why_not(metric, because)


def flag_words(flag: Flag) -> str:
    """Return what a flag says, naming nobody."""
    return FLAG_WORDS[flag]


def standing(definition: MetricDefinition, metric: Metric, target: Target) -> str:
    """Return whether a target is reached, missed, or too close to tell: it lies inside the interval. Empty: the value is unknown."""
    if metric.value is None:
        return ""
    low = metric.value if metric.lo is None else metric.lo
    high = metric.value if metric.hi is None else metric.hi
    worst, best = (low, high) if definition.better is Better.UP else (-high, -low)
    wanted = target.value if definition.better is Better.UP else -target.value
    return REACHED if worst >= wanted else MISSED if best < wanted else CLOSE


def target_words(definition: MetricDefinition, target: Target) -> str:
    """Return a target in words: 'at least 95 %'."""
    return f"{'at least' if definition.better is Better.UP else 'at most'} {say_value(target.value, definition.unit)}"


def _short(value: float, digits: int | None = None) -> str:
    """Return a number with about three digits that count, thin spaces between thousands."""
    size = abs(value)
    digits = (0 if size >= 100 or value == round(value) else 1 if size >= 10 else 2) if digits is None else digits
    said = f"{value:,.{digits}f}"
    said = said.rstrip("0").rstrip(".") if "." in said else said
    return said.replace(",", THIN)


def _percent(value: float) -> str:
    """Return a share in per cent: a digit more near 0 and 100, and what is not whole is never written as whole."""
    near = min(abs(value), abs(100 - value))
    for digits in (0 if near >= 10 else 1, 2, 3):
        if near == 0 or round(near, digits) > 0:
            return _short(value, digits)
    return _short(value, 4)


def _hours(value: float) -> tuple[str, str]:
    size = abs(value)
    if size == 0:
        return "0", "h"
    if size < 1 / 60:
        return _short(value * 3600, 0), "s"
    if size < 1.5:
        return _short(value * 60, 0), "min"
    return (_short(value, 1), "h") if size < 48 else (_short(value / 24, 1), "days")


def _money(value: float) -> tuple[str, str]:
    for scale, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale:
            return _short(value / scale), word
    return _short(value, 0), ""
