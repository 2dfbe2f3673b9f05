"""Rotation of roles: who chairs, facilitates and writes at which meeting, so that the load is even and both domains lead."""

# ruff: noqa: PLC0415 - numpy and scipy cost memory and start time: only what solves a program loads them

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from watchword.govern.body import CHAIR, FACILITATOR

DOMAIN_RULE: Final = "chair and facilitator come from different domains"
REPEAT_RULE: Final = "nobody chairs twice running"
EVEN_RULE: Final = "chairs differ by at most one"
FILLED_RULE: Final = "each role is filled"
SOLVER_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Roster:
    """Who takes which role at which meeting."""

    roles: tuple[Mapping[str, str], ...]
    """Per meeting: role → account."""
    dropped: tuple[str, ...] = ()
    """Rules that could not hold, in words."""
    spread: int = 0
    """Most chairs minus fewest, earlier terms counted in."""
    total_spread: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """What a rotation is made for."""

    people: Mapping[str, str]
    """Account → domain."""
    meetings: int
    roles: Sequence[str]
    absent: frozenset[tuple[str, int]] = frozenset()
    """(account, number of the meeting from 0)."""
    chaired: Mapping[str, int] = field(default_factory=dict)
    """Chairs in earlier terms."""
    served: Mapping[str, int] = field(default_factory=dict)
    """Roles of any kind in earlier terms."""
    last_chair: str = ""


def rotate(term: Term) -> Roster:
    """Return the fairest rotation: minimise 10·(most - fewest chairs) + (most - fewest roles of any kind).

    Rules, dropped in this order where they cannot hold together, and named: chair and facilitator from different domains; nobody chairs
    twice running. A meeting with fewer people than roles leaves its last roles open. Newcomers owe nothing: they start with the fewest
    chairs that anybody has.
    """
    if not term.people or not term.meetings or not term.roles:
        return Roster(tuple({} for _ in range(term.meetings)))
    ladders: list[tuple[bool, bool, tuple[str, ...]]] = [
        (True, True, ()),
        (False, True, (DOMAIN_RULE,)),
        (False, False, (DOMAIN_RULE, REPEAT_RULE)),
    ]
    if FACILITATOR not in term.roles or CHAIR not in term.roles:
        ladders = [(False, True, ()), (False, False, (REPEAT_RULE,))]
    for domains, repeats, dropped in ladders:
        found = _Program(term, domains, repeats).solve()
        if found is not None:
            return _told(term, found, dropped)
    return Roster(tuple({} for _ in range(term.meetings)), (FILLED_RULE,))


def _told(term: Term, found: tuple[Mapping[str, str], ...], dropped: tuple[str, ...]) -> Roster:
    chairs, total = debts(term)
    for roles in found:
        for role, person in roles.items():
            total[person] += 1
            chairs[person] += role == CHAIR
    spread = max(chairs.values()) - min(chairs.values())
    if spread > 1:
        dropped = (*dropped, EVEN_RULE)
    if any(len(roles) < len(term.roles) for roles in found):
        dropped = (*dropped, FILLED_RULE)
    return Roster(found, dropped, spread, max(total.values()) - min(total.values()))


def debts(term: Term) -> tuple[dict[str, int], dict[str, int]]:
    """Return how often each person chaired and served before, counted from the fewest; newcomers have nothing to make up."""
    found = []
    for before in (term.chaired, term.served):
        known = [before[person] for person in term.people if person in before]
        least = min(known, default=0)
        found.append({person: max(0, before.get(person, least) - least) for person in term.people})
    return found[0], found[1]


class _Program:
    """The 0/1 program of one set of rules."""

    def __init__(self, term: Term, domains: bool, repeats: bool) -> None:
        self.term, self.domains, self.repeats = term, domains, repeats
        self.people, self.roles = list(term.people), list(term.roles)
        cells = len(self.people) * len(self.roles) * term.meetings
        # After the cells: most and fewest chairs, most and fewest roles.
        self.most, self.fewest, self.most_all, self.fewest_all = range(cells, cells + 4)
        self.cells, self.width = cells, cells + 4
        self.rows: list[tuple[dict[int, float], float, float]] = []

    def cell(self, person: int, role: int, meeting: int) -> int:
        return (meeting * len(self.roles) + role) * len(self.people) + person

    def solve(self) -> tuple[Mapping[str, str], ...] | None:
        """Return role → person per meeting; None when the rules cannot hold together."""
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import coo_array

        self._rules()
        chairs, total = debts(self.term)
        cost, upper, lower, whole = np.zeros(self.width), np.ones(self.width), np.zeros(self.width), np.ones(self.width)
        cost[[self.most, self.fewest, self.most_all, self.fewest_all]] = [10, -10, 1, -1]
        upper[self.cells :] = np.inf
        for person, name in enumerate(self.people):
            for meeting in range(self.term.meetings):
                if (name, meeting) in self.term.absent:
                    upper[[self.cell(person, role, meeting) for role in range(len(self.roles))]] = 0
        self._even(chairs, total)
        places = [(number, column, value) for number, (row, _, _) in enumerate(self.rows) for column, value in row.items()]
        rows, columns, values = zip(*places, strict=True)
        matrix = coo_array((values, (rows, columns)), shape=(len(self.rows), self.width)).tocsr()
        low, high = np.array([row[1] for row in self.rows]), np.array([row[2] for row in self.rows])
        answer: Any = milp(
            cost,
            constraints=LinearConstraint(matrix, low, high),
            bounds=Bounds(lower, upper),
            integrality=whole,
            options={"time_limit": SOLVER_SECONDS},
        )
        return None if answer.x is None else tuple(self._read(answer.x, meeting) for meeting in range(self.term.meetings))

    def _read(self, x: Any, meeting: int) -> Mapping[str, str]:
        found = {}
        for role, name in enumerate(self.roles):
            for person, account in enumerate(self.people):
                if x[self.cell(person, role, meeting)] > 0.5:
                    found[name] = account
        return found

    def _rules(self) -> None:
        chair = self.roles.index(CHAIR) if CHAIR in self.roles else 0
        facilitator = self.roles.index(FACILITATOR) if FACILITATOR in self.roles else chair
        everybody = range(len(self.people))
        for meeting in range(self.term.meetings):
            here = sum((name, meeting) not in self.term.absent for name in self.people)
            for role in range(len(self.roles)):
                filled = float(role < here)
                self.rows.append(({self.cell(person, role, meeting): 1.0 for person in everybody}, filled, filled))
            for person in everybody:
                self.rows.append(({self.cell(person, role, meeting): 1.0 for role in range(len(self.roles))}, 0.0, 1.0))
                if self.repeats and meeting:
                    pair = {self.cell(person, chair, meeting): 1.0, self.cell(person, chair, meeting - 1): 1.0}
                    self.rows.append((pair, 0.0, 1.0))
            if self.repeats and not meeting and self.term.last_chair in self.term.people:
                self.rows.append(({self.cell(self.people.index(self.term.last_chair), chair, 0): 1.0}, 0.0, 0.0))
            if self.domains and here > 1:
                it = [person for person, name in enumerate(self.people) if self.term.people[name] == "it"]
                row = {self.cell(person, role, meeting): 1.0 for person in it for role in (chair, facilitator)}
                self.rows.append((row or {self.most: 0.0}, 1.0, 1.0))

    def _even(self, chairs: Mapping[str, int], total: Mapping[str, int]) -> None:
        """Bind the four counters, and say what no rotation can beat: the solver then stops as soon as it gets there."""
        chair = self.roles.index(CHAIR) if CHAIR in self.roles else 0
        inf = float("inf")
        every: Callable[[int], dict[int, float]] = lambda person: {  # noqa: E731 - one expression, used twice
            self.cell(person, role, meeting): 1.0 for role in range(len(self.roles)) for meeting in range(self.term.meetings)
        }
        for person, name in enumerate(self.people):
            own = {self.cell(person, chair, meeting): 1.0 for meeting in range(self.term.meetings)}
            for row, most, fewest, debt in (
                (own, self.most, self.fewest, chairs[name]),
                (every(person), self.most_all, self.fewest_all, total[name]),
            ):
                self.rows.append((row | {most: -1.0}, -inf, -float(debt)))
                self.rows.append((row | {fewest: -1.0}, -float(debt), inf))
        seats = [sum((name, meeting) not in self.term.absent for name in self.people) for meeting in range(self.term.meetings)]
        given = sum(count > 0 for count in seats)
        if (sum(chairs.values()) + given) % len(self.people):
            self.rows.append(({self.most: 1.0, self.fewest: -1.0}, 1.0, inf))
        if (sum(total.values()) + sum(min(count, len(self.roles)) for count in seats)) % len(self.people):
            self.rows.append(({self.most_all: 1.0, self.fewest_all: -1.0}, 1.0, inf))
