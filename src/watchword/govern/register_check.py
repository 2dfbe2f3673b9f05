"""What a scenario and a safeguard must be: each fault names its field and the remedy."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from watchword.govern.scenario import Safeguard, Scenario
from watchword.kit.errors import InputError
from watchword.measure.loss import FASTEST, Peril, in_order

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MOST_EUROS: Final = 1e11
MOST_NAMES, LONGEST_NAME, MOST_PARENTS, MOST_DAYS = 50, 300, 20, 1e6
SHARES: Final = ("coverage", "reliability")
COSTS: Final = ("build", "run", "people_days")


def check_scenario(scenario: Scenario, others: Iterable[Scenario] = ()) -> None:
    """Refuse a scenario that cannot be.

    Raises:
        InputError: naming the field and what to write there.
    """
    rate = scenario.shape / scenario.years if scenario.years > 0 else 0.0
    said = ((getattr(scenario, field), field) for field in ("title", "story", "threat", "owner"))
    _refuse(
        (not NAME.fullmatch(scenario.uid), "a scenario's name has small letters, digits and -, at most 63", "uid"),
        *((not _is_said(text), f"{field}: say it in at most 2,000 characters", field) for text, field in said),
        (not (0 < scenario.shape <= 1_000 and 0 < scenario.years <= 10_000), "the prior needs events > 0 in years > 0", "shape"),
        (rate > FASTEST, f"more than {FASTEST:.0f} events a year are an operating matter: measure them instead", "shape"),
        (not 0 < scenario.low < scenario.high, "the 90 % interval of a loss needs 0 < low < high", "low"),
        (scenario.high > MOST_EUROS, "the loss is beyond all measure; give it in euros", "high"),
        (not 0 <= scenario.appetite <= MOST_EUROS, "the appetite is an amount of euros, or 0 for none", "appetite"),
        (not 0 < scenario.appetite_share < 1, "how rare a year beyond the appetite must be is a share such as 0.05", "appetite_share"),
        (not 0 < scenario.weight <= 1_000, "the weight of the first estimate is a number of observed losses, such as 4", "weight"),
        *_short_lists(scenario, ("places", "assets", "rules")),
        (len(scenario.source) > 2_000, "source: say it in at most 2,000 characters", "source"),
        (len(scenario.parents) > MOST_PARENTS, f"at most {MOST_PARENTS} scenarios bring one about", "parents"),
        (any(not 0 < each.share <= 1 for each in scenario.parents), "a parent brings its child in a share of times, above 0", "parents"),
    )
    known = {each.uid: each for each in others} | {scenario.uid: scenario}
    for parent in scenario.parents:
        if parent.scenario not in known:
            raise InputError(f"there is no scenario {parent.scenario!r} to be its parent", "parents")
    in_order([Peril(each.uid, 1, 1, 1, 2, parents=tuple((p.scenario, p.share) for p in each.parents)) for each in known.values()])


def check_safeguard(safeguard: Safeguard, scenarios: Iterable[str], others: Iterable[Safeguard] = ()) -> None:
    """Refuse a safeguard that cannot be.

    Raises:
        InputError: naming the field and what to write there.
    """
    known = set(scenarios)
    unknown = next((each.scenario for each in safeguard.protects if each.scenario not in known), "")
    effects = [pair for each in safeguard.protects for pair in (each.frequency, each.loss)]
    _refuse(
        (not NAME.fullmatch(safeguard.uid), "a safeguard's name has small letters, digits and -, at most 63", "uid"),
        (not _is_said(safeguard.title), "title: say it in at most 2,000 characters", "title"),
        (safeguard.domain not in {"it", "physical", "joint"}, "the domain is it, physical or joint", "domain"),
        (bool(unknown), f"there is no scenario {unknown!r} (watchword risks list shows those that are)", "protects"),
        (any(not 0 <= low <= high <= 1 for low, high in effects), "an effect is an interval of shares: 0 ≤ low ≤ high ≤ 1", "protects"),
        *_short_lists(safeguard, ("controls", "requires", "sources", "protects")),
        (len(safeguard.requires) > MOST_PARENTS, f"it may require at most {MOST_PARENTS} others", "requires"),
        (len(safeguard.note) > 2_000, "note: say it in at most 2,000 characters", "note"),
        (safeguard.people_days > MOST_DAYS, f"people-days: at most {MOST_DAYS:,.0f}", "people_days"),
        *((not 0 <= getattr(safeguard, field) <= 1, f"the {field} is a share between 0 and 1", field) for field in SHARES),
        *((not 0 <= getattr(safeguard, field) <= MOST_EUROS, "costs and days are not below 0", field) for field in COSTS),
    )
    check_requirements([each for each in others if each.uid != safeguard.uid] + [safeguard])


def check_requirements(safeguards: Sequence[Safeguard]) -> None:
    """Refuse requirements that are unknown or lead back to themselves.

    Raises:
        InputError: naming them.
    """
    known = {each.uid for each in safeguards}
    for each in safeguards:
        for needed in each.requires:
            if needed not in known:
                raise InputError(f"{each.uid} requires {needed!r}, which is not kept", "requires")
    try:
        in_order([Peril(each.uid, 1, 1, 1, 2, parents=tuple((needed, 1.0) for needed in each.requires)) for each in safeguards])
    except InputError as error:
        raise InputError(
            str(error).replace("these scenarios bring each other about", "these safeguards require each other"), "requires"
        ) from error


def _short_lists(thing: Scenario | Safeguard, fields: Sequence[str]) -> list[tuple[bool, str, str]]:
    found = []
    for field in fields:
        values = getattr(thing, field)
        long = len(values) > MOST_NAMES or any(isinstance(each, str) and not 0 < len(each) <= LONGEST_NAME for each in values)
        found.append((long, f"{field}: at most {MOST_NAMES} names of at most {LONGEST_NAME} characters", field))
    return found


def _is_said(text: str) -> bool:
    return bool(text.strip()) and len(text) <= 2_000


def _refuse(*rules: tuple[bool, str, str]) -> None:
    for broken, message, field in rules:
        if broken:
            raise InputError(message, field)
