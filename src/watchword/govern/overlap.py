"""Overlap: expected losses written as products over safeguards, draw by draw, so that what two of them share is counted once."""

from collections.abc import Iterable, Sequence

from watchword.govern.portfolio import Losses
from watchword.measure.loss import Peril, rate_paths
from watchword.measure.loss_simulation import OUTER, Drawn, draw


class Products:
    """The expected losses of a register with every safeguard that is in place or could be, ready to leave any of them out.

    Exact for each draw of the parameters: nothing is simulated, so there is no chance in the difference between two choices.
    Insurance is left out of account: it moves money, it avoids no loss.
    """

    def __init__(self, perils: Sequence[Peril], outer: int = OUTER, seed: str = "") -> None:
        known = {peril.uid: peril for peril in perils}
        self._drawn = {uid: draw(peril, outer, seed) for uid, peril in known.items()}
        self._paths = [
            (uid, factor, way) for uid, factor, way in rate_paths(perils) if factor > 0 and not any(known[step].avoided for step in way)
        ]
        self.outer = outer

    def losses(self, options: Sequence[str], always: Iterable[str], index: int) -> Losses:
        """Return one draw's losses as products.

        Args:
            options: Safeguards that may be chosen, in order.
            always: Safeguards that are there in any case.
            index: Which draw.
        """
        import numpy as np  # noqa: PLC0415 - costs memory where nothing is computed

        there = frozenset(always)
        base, left = np.zeros(len(self._paths)), np.ones((len(self._paths), len(options)))
        place = {uid: column for column, uid in enumerate(options)}
        for row, (uid, factor, way) in enumerate(self._paths):
            first, struck = self._drawn[way[0]], self._drawn[uid]
            base[row] = factor * first.rate[index] * struck.severity[index]
            for name, share in self._shares(struck, way, index):
                if name in there:
                    base[row] *= share
                elif name in place:
                    left[row, place[name]] *= share
        return Losses(base, left)

    def _shares(self, struck: Drawn, way: Sequence[str], index: int) -> Iterable[tuple[str, float]]:
        for step in way:
            for name, shares in self._drawn[step].frequency.items():
                yield name, float(shares[index])
        for name, shares in struck.loss.items():
            yield name, float(shares[index])

    def mean(self, options: Sequence[str], always: Iterable[str]) -> Losses:
        """Return the losses at the mean of every factor: they are drawn independently, so the products keep their mean."""
        import numpy as np  # noqa: PLC0415

        each = self.draws(options, always)
        return Losses(np.mean([one.base for one in each], axis=0), np.mean([one.left for one in each], axis=0))

    def draws(self, options: Sequence[str], always: Iterable[str]) -> list[Losses]:
        """Return the losses of every draw."""
        return [self.losses(options, always, index) for index in range(self.outer)]

    def expected(self, there: Iterable[str]) -> list[float]:
        """Return the expected loss a year of each draw with these safeguards."""
        kept = frozenset(there)
        return [float(self.losses((), kept, index).base.sum()) for index in range(self.outer)]
