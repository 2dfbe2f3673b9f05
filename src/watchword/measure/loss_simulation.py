"""The loss engine: simulated years under common random numbers, their exceedance curve with its band, and what is read off it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from watchword.measure.intervals import Interval
from watchword.measure.loss import Guard, Peril, in_order, posterior

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[Any]"

OUTER: Final = 200
"""Draws of the parameters: what is not known."""
INNER: Final = 5_000
"""Years simulated for each: what is chance."""
HOUSE: Final = ""
"""Key of the sum of all scenarios."""
BAND: Final = (0.05, 0.95)
_CURVE: Final = (3.0, 9.0, 49)
"""The curve is read at losses from 10³ to 10⁹ euros, eight to a decade."""
_BINS: Final = (0.0, 13.0, 3_329)
"""Bins that gather the years of all draws: 256 to a decade, so a quantile is good to half a per cent."""
_RATE, _EVENTS, _LOSS, _LINK, _EFFECT = range(5)
"""Streams of random numbers of one scenario."""


def uniforms(key: str, outer: int, stream: int, layer: int, count: int) -> Floats:
    """Return `count` uniform numbers that depend on nothing but where they stand.

    A counter-based generator (Philox): number i of (key, outer, stream, layer) is the same however many are asked for and in
    whatever order, so the world before and the world after a control share every one of them.
    """
    import numpy as np  # noqa: PLC0415 - costs memory in processes that simulate nothing

    words = np.frombuffer(hashlib.blake2b(key.encode(), digest_size=16).digest(), dtype=np.uint64)
    counter = np.array([0, layer, outer, stream], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=words, counter=counter)).random(count)


def poisson_quantile(rate: float, shares: Floats) -> Floats:
    """Return, for each uniform number, the smallest n with P(N ≤ n) ≥ it: never more for a lower rate."""
    import numpy as np  # noqa: PLC0415
    from scipy.special import pdtr  # noqa: PLC0415

    if rate <= 0:
        return np.zeros(len(shares), dtype=np.int64)
    longest = int(rate + 12 * rate**0.5 + 30)
    return np.searchsorted(pdtr(np.arange(longest), rate), shares, side="left")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One scenario's parameters in every outer draw."""

    peril: Peril
    rate: Floats
    """Yearly rate without controls, one for each draw."""
    mu: Floats
    sigma: float
    frequency: Mapping[str, Floats]
    """Control → the share of events that it lets through, one for each draw."""
    loss: Mapping[str, Floats]
    """Control → the share of a loss that it leaves."""

    def kept(self, of: Mapping[str, Floats]) -> Floats:
        """Return the product over all controls, one for each draw."""
        import numpy as np  # noqa: PLC0415

        product = np.ones(len(self.rate))
        for share in of.values():
            product = product * share
        return product

    @property
    def severity(self) -> Floats:
        """Return the mean loss of one event without controls, one for each draw."""
        import numpy as np  # noqa: PLC0415

        return np.asarray(np.exp(self.mu + self.sigma**2 / 2))


def draw(peril: Peril, outer: int = OUTER, seed: str = "") -> Drawn:
    """Draw a scenario's parameters: its rate, the middle of its loss, and what each control does.

    The numbers are keyed by scenario and control, so that a scenario that gains a control keeps its own draws, and a control its effect.
    """
    from scipy.special import gammaincinv, ndtri  # noqa: PLC0415

    key = f"{seed}|{peril.uid}"
    believed = posterior(peril)
    rate = gammaincinv(believed.shape, uniforms(key, 0, _RATE, 0, outer)) / believed.years
    mu = believed.mean + believed.sigma / believed.weight**0.5 * ndtri(_open(uniforms(key, 0, _RATE, 1, outer)))
    frequency = {guard.uid: _left(guard, guard.frequency, f"{key}|{guard.uid}|frequency", outer) for guard in peril.guards}
    loss = {guard.uid: _left(guard, guard.loss, f"{key}|{guard.uid}|loss", outer) for guard in peril.guards}
    return Drawn(peril, rate, mu, believed.sigma, frequency, loss)


def _left(guard: Guard, effect: Interval, key: str, outer: int) -> Floats:
    """Return 1 - e·cov·rel with e drawn between its bounds on the log-odds scale (normal, 90 % inside)."""
    import numpy as np  # noqa: PLC0415
    from scipy.special import expit, logit, ndtri  # noqa: PLC0415

    low, high = effect
    if low == high:
        return np.full(outer, 1 - low * guard.presence)
    ends = logit(np.clip([low, high], 1e-6, 1 - 1e-6))
    shares = expit(ends.mean() + (ends[1] - ends[0]) / 3.2897072539029435 * ndtri(_open(uniforms(key, 0, _EFFECT, 0, outer))))
    return np.asarray(1 - shares * guard.presence)


def _open(shares: Floats) -> Floats:
    """Return uniform numbers kept off 0, where the normal quantile has no value."""
    import numpy as np  # noqa: PLC0415

    return np.maximum(shares, 2.0**-54)


def simulate_draw(drawn: Sequence[Drawn], index: int, inner: int = INNER, seed: str = "") -> dict[str, tuple[Floats, Floats]]:
    """Simulate the years of one outer draw.

    Args:
        drawn: Scenarios with their parameters, parents before children.
        index: Which draw.
        inner: How many years.
        seed: Of the whole computation; the same before and after a control.

    Returns:
        Scenario → (events, loss) of each year. Adding a control, raising its reliability or buying cover raises none of them.
    """
    import numpy as np  # noqa: PLC0415
    from scipy.special import ndtri  # noqa: PLC0415

    found: dict[str, tuple[Floats, Floats]] = {}
    for each in drawn:
        peril, key = each.peril, f"{seed}|{each.peril.uid}"
        kept = 0.0 if peril.avoided else float(each.kept(each.frequency)[index])
        events = poisson_quantile(float(each.rate[index]) * kept, uniforms(key, index, _EVENTS, 0, inner)).copy()
        for parent, share in peril.parents:
            if parent in found:
                events += _forced(found[parent][0], share * kept, f"{key}|{parent}", index)
        left = float(each.kept(each.loss)[index])
        losses = np.zeros(inner)
        for layer in range(int(events.max(initial=0))):
            struck = np.flatnonzero(events > layer)
            z = ndtri(_open(uniforms(key, index, _LOSS, layer, inner)[struck]))
            losses[struck] += retained(np.exp(each.mu[index] + each.sigma * z) * left, peril.retention, peril.cover)
        found[peril.uid] = (events, losses)
    return found


def _forced(parents: Floats, share: float, key: str, index: int) -> Floats:
    """Return how often each year's parent events bring the child with them; event i's lot is its own, so fewer parents bring fewer."""
    import numpy as np  # noqa: PLC0415

    found = np.zeros(len(parents), dtype=np.int64)
    for layer in range(int(parents.max(initial=0))):
        struck = parents > layer
        found += struck & (uniforms(key, index, _LINK, layer, len(parents)) < share)
    return found


def retained(losses: Floats, retention: float, cover: float) -> Floats:
    """Return what insurance leaves of each loss: all up to the retention, and what exceeds retention and cover."""
    import numpy as np  # noqa: PLC0415

    if cover <= 0:
        return losses
    return np.asarray(np.minimum(losses, retention) + np.maximum(losses - retention - cover, 0.0))


@dataclass(frozen=True, slots=True)
class Picture:
    """What simulated years say of a scenario, or of the whole house. Euros a year; bands are 90 % over the outer draws."""

    mean: float
    mean_band: Interval
    var95: float
    var95_band: Interval
    var99: float
    tvar95: float
    """Mean of the worst 5 % of years."""
    tvar95_band: Interval
    over: float
    """P(L > appetite); 0 where no appetite was said."""
    over_band: Interval
    any_event: float
    """P(at least one event in a year)."""
    events: float
    """Mean events a year."""
    events_range: tuple[int, int]
    """Between these fall the events of a year, 9 times in 10."""
    loss_range: Interval
    """Between these falls the loss of a year, 9 times in 10."""
    curve: tuple[tuple[float, float, float, float], ...]
    """(x, P(L > x), lower, upper)."""
    draws: tuple[float, ...] = field(repr=False, default=())
    """The mean of each outer draw: differences between two worlds are taken draw by draw."""


class Tally:
    """Gathers the years of one scenario draw by draw, in bounded memory: what is kept does not grow with the years."""

    def __init__(self, appetite: float = 0.0) -> None:
        import numpy as np  # noqa: PLC0415

        self._appetite = appetite
        self.grid = np.logspace(*_CURVE)
        self._edges = np.logspace(*_BINS)
        self._counts = np.zeros(len(self._edges) + 1)
        self._sums = np.zeros(len(self._edges) + 1)
        self._years = np.zeros(512)
        self._rows: list[tuple[float, float, float, float]] = []
        self._curves: list[Floats] = []

    def add(self, events: Floats, losses: Floats) -> None:
        """Take in the years of one draw."""
        import numpy as np  # noqa: PLC0415

        ordered = np.sort(losses)
        count = len(ordered)
        tail = ordered[_rank(0.95, count) :]
        over = float((count - np.searchsorted(ordered, self._appetite, side="right")) / count) if self._appetite > 0 else 0.0
        self._rows.append((float(ordered.mean()), float(tail[0]), float(tail.mean()), over))
        self._curves.append(1.0 - np.searchsorted(ordered, self.grid, side="right") / count)
        at = np.concatenate(([0], np.searchsorted(ordered, self._edges, side="right"), [count]))
        self._counts += np.diff(at)
        self._sums += np.diff(np.concatenate(([0.0], np.cumsum(ordered)))[at])
        self._years += np.bincount(np.minimum(events, 511), minlength=512)

    def picture(self) -> Picture:
        """Return what the years say."""
        import numpy as np  # noqa: PLC0415

        rows, curves = np.array(self._rows), np.array(self._curves)
        band = np.quantile(rows, BAND, axis=0)
        lower, upper = np.quantile(curves, BAND, axis=0)
        points = zip(self.grid, curves.mean(axis=0), lower, upper, strict=True)
        shares = np.cumsum(self._years) / self._years.sum()
        few, many = (int(np.searchsorted(shares, share)) for share in BAND)
        return Picture(
            mean=float(rows[:, 0].mean()),
            mean_band=_pair(band[:, 0]),
            var95=self._loss_at(0.95),
            var95_band=_pair(band[:, 1]),
            var99=self._loss_at(0.99),
            tvar95=self._beyond(0.95),
            tvar95_band=_pair(band[:, 2]),
            over=float(rows[:, 3].mean()),
            over_band=_pair(band[:, 3]),
            any_event=1.0 - float(shares[0]),
            events=float(np.average(np.arange(512), weights=self._years)),
            events_range=(few, many),
            loss_range=(self._loss_at(0.05), self._loss_at(0.95)),
            curve=tuple((float(x), float(p), float(lo), float(hi)) for x, p, lo, hi in points),
            draws=tuple(float(value) for value in rows[:, 0]),
        )

    def _loss_at(self, share: float) -> float:
        """Return the quantile over all years of all draws, log-linear within its bin."""
        import numpy as np  # noqa: PLC0415

        total = np.cumsum(self._counts)
        wanted = share * total[-1]
        if total[0] >= wanted:
            return 0.0
        place = min(int(np.searchsorted(total, wanted)), len(self._edges) - 1)
        low, high = self._edges[place - 1], self._edges[place]
        within = (wanted - total[place - 1]) / max(self._counts[place], 1.0)
        return float(low * (high / low) ** within)

    def _beyond(self, share: float) -> float:
        """Return the mean of the years beyond a quantile: the tail's whole bins, and its part of the first."""
        import numpy as np  # noqa: PLC0415

        total = np.cumsum(self._counts)
        left = (1 - share) * total[-1]
        place = int(np.searchsorted(total, share * total[-1]))
        whole_count, whole_sum = self._counts[place + 1 :].sum(), self._sums[place + 1 :].sum()
        typical = self._sums[place] / self._counts[place] if self._counts[place] else 0.0
        return float((whole_sum + (left - whole_count) * typical) / left)


def _rank(share: float, count: int) -> int:
    return min(count - 1, int(share * count))


def _pair(values: Floats) -> Interval:
    return float(values[0]), float(values[1])


def simulate(
    worlds: Mapping[str, Sequence[Peril]],
    *,
    outer: int = OUTER,
    inner: int = INNER,
    seed: str = "",
    appetite: float = 0.0,
) -> dict[str, dict[str, Picture]]:
    """Simulate several worlds (as it is, without controls, with what is planned) under common random numbers.

    Memory holds one outer draw at a time: some 50 kB for each scenario, however many draws there are.

    Args:
        worlds: Name → its scenarios.
        outer: Parameter draws.
        inner: Years for each.
        seed: Of all random numbers.
        appetite: The house's own; each scenario carries its own.

    Returns:
        World → scenario (or `HOUSE` for their sum) → its picture.

    Raises:
        InputError: scenarios bring each other about in a circle, or a loss has no proper interval.
    """
    import numpy as np  # noqa: PLC0415

    drawn = {name: [draw(peril, outer, seed) for peril in in_order(perils)] for name, perils in worlds.items()}
    tallies = {
        name: {HOUSE: Tally(appetite), **{each.peril.uid: Tally(each.peril.appetite) for each in world}} for name, world in drawn.items()
    }
    for index in range(outer):
        for name, world in drawn.items():
            years = simulate_draw(world, index, inner, seed)
            for uid, found in years.items():
                tallies[name][uid].add(*found)
            if years:
                events, losses = zip(*years.values(), strict=True)
                tallies[name][HOUSE].add(np.sum(events, axis=0), np.sum(losses, axis=0))
    return {name: {uid: tally.picture() for uid, tally in gathered.items() if drawn[name]} for name, gathered in tallies.items()}


def difference(before: Picture, after: Picture) -> tuple[float, Interval]:
    """Return the loss a year avoided, with its 90 % interval, draw by draw."""
    import numpy as np  # noqa: PLC0415

    gaps = np.array(before.draws) - np.array(after.draws)
    return float(gaps.mean()), _pair(np.quantile(gaps, BAND))
