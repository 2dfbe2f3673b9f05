"""Control tests: which checks make a control pass, as content; what they say of each thing is put together here, the worst word last."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from watchword.govern.control_facts import Facts, holds
from watchword.kit.duration import read_duration
from watchword.kit.errors import ContentError, Fault, InputError
from watchword.kit.marked import Marked, read_marked
from watchword.measure.compliance import Result, Way

Ref = tuple[str, str]
"""Kind and uid of something read."""
KEEP: Final = 40
"""So many inputs of one outcome are kept; how many there were is kept too."""
SEVERITY: Final = {Result.NOT_APPLICABLE: 0, Result.PASS: 1, Result.INSUFFICIENT: 2, Result.FAIL: 3}
WORST_WAY: Final = (Way.TELEMETRY, Way.SAMPLED, Way.ATTESTED)
LONGEST: Final = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check, or a whole test, says of one thing."""

    asset: str
    """Uid of a door, zone, site, asset, person, credential or ``source:NAME``; empty: the house. What holds others is said of them all."""
    result: Result
    because: str
    """One sentence without its full stop."""
    refs: tuple[Ref, ...] = ()
    way: Way = Way.TELEMETRY
    read: int = 0
    """How much was read, where that is more than `refs`."""


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of one check: durations, numbers and words by name."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def duration(self, name: str, otherwise: str) -> timedelta:
        """Return a duration."""
        return read_duration(str(self.values.get(name, otherwise)))

    def number(self, name: str, otherwise: float) -> float:
        """Return a number."""
        return float(self.values.get(name, otherwise))

    def word(self, name: str, otherwise: str = "") -> str:
        """Return a word."""
        return str(self.values.get(name, otherwise))

    def words(self, name: str, otherwise: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of words."""
        found = self.values.get(name)
        return otherwise if found is None else tuple(str(each) for each in found)


Check = Callable[[Facts, Params], Iterable[Outcome]]


@dataclass(frozen=True, slots=True)
class CheckUse:
    """One check as a test uses it."""

    name: str
    params: Params


@dataclass(frozen=True, slots=True)
class ControlTest:
    """One test of one control."""

    name: str
    control: str
    version: int
    title: str
    """In our own words: what is looked at."""
    passes: str
    """When it passes, in one sentence."""
    domain: str
    """it, physical or joint: whose work it looks at."""
    ttl: timedelta
    checks: tuple[CheckUse, ...]
    csf: tuple[str, ...] = ()
    iso27001: tuple[str, ...] = ()
    """Ids only: their text is under copyright."""


def evaluate(test: ControlTest, facts: Facts, checks: Mapping[str, Check]) -> list[Outcome]:
    """Return what a test says of each thing, sorted by uid; without any thing to look at, that nothing is known."""
    said = [outcome for use in test.checks for outcome in checks[use.name](facts, use.params)]
    if facts.truncated:
        said = [_doubted(each) for each in said]
    found = merge(said, facts)
    return found or [Outcome("", Result.INSUFFICIENT, "nothing is known to which this applies")]


def _doubted(outcome: Outcome) -> Outcome:
    if outcome.result is not Result.PASS:
        return outcome
    return replace(outcome, result=Result.INSUFFICIENT, because=f"{outcome.because}; yet more events came than one look reads")


def merge(said: Iterable[Outcome], facts: Facts) -> list[Outcome]:
    """Put together what several checks say: what is said of a place is said of all within it, and the worst word counts."""
    by_asset: dict[str, list[Outcome]] = {}
    for each in said:
        by_asset.setdefault(each.asset, []).append(each)
    places = [asset for asset in by_asset if not asset or facts.directory.place(asset) is not None]  # nothing else holds others
    wide: dict[str, list[str]] = {asset: [] for asset in by_asset} | {
        asset: [other for other in by_asset if other != asset and _over(facts, asset, other)] for asset in places
    }
    leaves = [asset for asset, below in wide.items() if not below]
    above: dict[str, list[str]] = {}
    for asset, below in wide.items():
        for other in below:
            above.setdefault(other, []).append(asset)
    return [_worst(leaf, [one for asset in (leaf, *above.get(leaf, ())) for one in by_asset[asset]]) for leaf in sorted(leaves)]


def _over(facts: Facts, asset: str, other: str) -> bool:
    if asset == "":
        return True
    if other.startswith("source:"):
        return any(f"source:{source.name}" == other and source.site == asset for source in facts.sources)
    site = facts.sites_of_credentials.get(other)
    return asset == site if site is not None else holds(facts.directory, asset, other)


def _worst(asset: str, said: list[Outcome]) -> Outcome:
    """Return the one word on a thing: the worst result, its reasons, everything read, and the weakest way among what bears it."""
    telling = [each for each in said if each.result is not Result.NOT_APPLICABLE]
    if not telling:
        return replace(said[0], asset=asset)
    result = max((each.result for each in telling), key=SEVERITY.__getitem__)
    bearing = [each for each in telling if each.result is result]
    words = list(dict.fromkeys(each.because for each in bearing))
    refs = list(dict.fromkeys(ref for each in (*bearing, *telling) for ref in each.refs))
    read = max(len(refs), sum(max(each.read, len(each.refs)) for each in telling))
    way = max((each.way for each in bearing), key=WORST_WAY.index)
    return Outcome(asset, result, "; ".join(words[:4]), tuple(refs[:KEEP]), way, read)


# content


def read_tests(text: str, name: str, checks: Iterable[str]) -> tuple[ControlTest, ...]:
    """Read the tests of a file, in its order.

    Raises:
        ContentError: with every fault at its line.
    """
    marked = read_marked(text, name)
    rows = marked.value.get("tests") if isinstance(marked.value, dict) else None
    if not isinstance(rows, list):
        raise ContentError([Fault(name, 1, "lacks a list 'tests'")])
    known, faults = frozenset(checks), list[Fault]()
    found = [test for index, row in enumerate(rows) if (test := _test(marked, row, index, known, faults)) is not None]
    names = [each.name for each in found]
    for double in sorted({each for each in names if names.count(each) > 1}):
        faults.append(Fault(name, 0, f"the test {double!r} stands here twice", "give one another name"))
    if faults:
        raise ContentError(faults)
    return tuple(found)


def _test(marked: Marked, row: Any, index: int, known: frozenset[str], faults: list[Fault]) -> ControlTest | None:
    needed = ("control", "title", "passes", "domain", "checks")
    allowed = {*needed, "test", "version", "ttl", "csf", "iso27001"}
    if not isinstance(row, dict) or not all(row.get(key) for key in needed) or set(row) - allowed:
        faults.append(marked.fault(f"a test needs {', '.join(needed)}, and may have test, version, ttl, csf, iso27001", "tests", index))
        return None
    if row["domain"] not in {"it", "physical", "joint"}:
        faults.append(marked.fault("'domain' is it, physical or joint", "tests", index, "domain"))
    uses = []
    for number, each in enumerate(row["checks"]):
        check = each.get("check") if isinstance(each, dict) else None
        if check not in known:
            faults.append(marked.fault(f"there is no check {check!r}", "tests", index, "checks", number))
            continue
        uses.append(CheckUse(check, Params({key: value for key, value in each.items() if key != "check"})))
    try:
        ttl = read_duration(str(row.get("ttl", "24h")))
    except InputError as error:
        faults.append(marked.fault(str(error), "tests", index, "ttl"))
        return None
    if not timedelta(minutes=1) <= ttl <= LONGEST:
        faults.append(marked.fault("'ttl' is out of bounds", "tests", index, "ttl", remedy="choose 1m to 3660d"))
    return ControlTest(
        name=str(row.get("test", row["control"])),
        control=str(row["control"]),
        version=int(row.get("version", 1)),
        title=str(row["title"]),
        passes=str(row["passes"]),
        domain=str(row["domain"]),
        ttl=ttl,
        checks=tuple(uses),
        csf=tuple(row.get("csf", ())),
        iso27001=tuple(row.get("iso27001", ())),
    )
