"""Computes how far policies are aligned (K7): owners, tested controls, reviews, exceptions, conflicts, and who has read them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from watchword.govern import policy_tables as tables
from watchword.govern.conflict import Conflict, find_conflicts, shared_parameters
from watchword.govern.policy_service import Policies, PolicyException, PolicyVersion
from watchword.kit.records import Records
from watchword.measure.alignment import StatementFacts, acknowledged, expired_exceptions, faults_of, policy_alignment, policy_conflict
from watchword.measure.calculator import Input, Measured, measured
from watchword.measure.response_times import ShareFigures
from watchword.model.metric import MetricDefinition, Window

Concerned = Callable[[], Sequence[tuple[str, tuple[str, ...]]]]
"""Accounts with their roles."""
ALIGNMENT: Final = "policy_alignment"


class PolicyCalculator:
    """Computes the measures of policies as they were in force at a window's end."""

    names: Sequence[str] = (ALIGNMENT, "policy_conflict", "policy.expired_exceptions", "policy.acknowledged")
    historic = True

    def __init__(
        self,
        records: Records,
        policies: Policies,
        definition: Callable[[str], MetricDefinition],
        tested: Callable[[], Collection[str]],
        concerned: Concerned,
    ) -> None:
        self._records, self._policies, self._definition = records, policies, definition
        self._tested, self._concerned = tested, concerned

    def earliest(self) -> datetime | None:
        """Return when the first policy came into force."""
        with self._records.read() as connection:
            found: datetime | None = connection.execute(select(func.min(tables.policy_version.c.in_force))).scalar()
        return found

    def compute(self, window: Window, now: datetime) -> Iterable[Measured]:
        """Return the four values; nothing where no policy was in force."""
        moment = min(window.until, now)
        versions = self._policies.at(moment)
        if not versions:
            return
        today = moment.date()
        conflicts = find_conflicts([each.policy for each in versions.values()])
        exceptions = [each for each in self._policies.exceptions() if each.since <= moment]
        facts = self.facts(versions.values(), conflicts, exceptions, moment)
        uids: list[Input] = [("policy", f"{uid}@{each.version}") for uid, each in versions.items()]
        uids += [("decision", each.decision) for each in versions.values()]
        figures = policy_alignment(facts, today)
        lacking = sorted({fault for each in facts for fault in faults_of(each, today)})
        words = f"{figures.k} of {figures.n} statements in force are aligned." + (f" Lacking: {', '.join(lacking)}." if lacking else "")
        yield self._share(ALIGNMENT, figures, window, now, words, uids)
        shared = {name for names in shared_parameters([each.policy for each in versions.values()]).values() for name in names}
        clashing = {name for each in conflicts for name in (each.one, each.other)}
        words = f"{len(clashing)} of {len(shared | clashing)} shared parameters conflict."
        yield self._share("policy_conflict", policy_conflict(len(clashing), len(shared | clashing)), window, now, words, uids)
        yield self._exceptions(exceptions, window, now)
        yield self._read(versions.values(), window, now, uids)

    def facts(
        self, versions: Iterable[PolicyVersion], conflicts: Sequence[Conflict], exceptions: Sequence[PolicyException], moment: datetime
    ) -> list[StatementFacts]:
        """Return what alignment asks of each statement."""
        tested, found = set(self._tested()), []
        for version in versions:
            for statement in version.policy.statements:
                mine = statement.id + "."
                found.append(
                    StatementFacts(
                        statement.id,
                        version.policy.owner_it,
                        version.policy.owner_physical,
                        len(tested & set(statement.controls)),
                        statement.review_by,
                        sum(each.statement == statement.id and each.expired(moment.date()) for each in exceptions),
                        sum(each.one.startswith(mine) or each.other.startswith(mine) for each in conflicts),
                    )
                )
        return found

    def _share(self, name: str, figures: ShareFigures, window: Window, now: datetime, words: str, uids: Sequence[Input]) -> Measured:
        definition = self._definition(name)
        return measured(definition, window, now, value=figures.value, lo=figures.lo, hi=figures.hi, n=figures.n, words=words, uids=uids)

    def _exceptions(self, exceptions: Sequence[PolicyException], window: Window, now: datetime) -> Measured:
        today = min(window.until, now).date()
        count = expired_exceptions([each.expires for each in exceptions if each.ended is None], today)
        uids = [("decision", each.decision) for each in exceptions]
        words = f"{count} of {len(exceptions)} exceptions are past their end and neither renewed nor ended."
        return measured(
            self._definition("policy.expired_exceptions"), window, now, value=float(count), n=len(exceptions), words=words, uids=uids
        )

    def _read(self, versions: Iterable[PolicyVersion], window: Window, now: datetime, uids: Sequence[Input]) -> Measured:
        moment = min(window.until, now)
        kept = {(each.policy, each.version, each.account) for each in self._policies.acknowledgements() if each.at <= moment}
        asked = [
            (version.policy.uid, version.version, account)
            for version in versions
            for account, roles in self._concerned()
            if version.policy.extract(roles)
        ]
        figures = acknowledged(sum(each in kept for each in asked), len(asked))
        words = f"{figures.k} of {figures.n} readings by those concerned are acknowledged."
        return self._share("policy.acknowledged", figures, window, now, words, uids)
