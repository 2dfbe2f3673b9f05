"""The governance of a running house: bodies, meetings, proposals and decisions, and what the other slices add to them."""

from dataclasses import dataclass, field

from sqlalchemy import select

from watchword.app.audit import Audit
from watchword.app.control_measures import ComplianceCalculator
from watchword.app.control_measures import candidates as of_controls
from watchword.app.learning_candidates import of_effects, of_policies, of_retrospectives
from watchword.app.measure_candidates import Source, gathered, of_measures
from watchword.app.measures import Measures
from watchword.app.risk_book import RiskBook, open_risk_book
from watchword.app.tables import account
from watchword.govern.agenda_service import Agendas
from watchword.govern.committee_service import Committees
from watchword.govern.control_service import Controls
from watchword.govern.decision_service import Decisions
from watchword.govern.framework_service import Frameworks
from watchword.govern.meeting_service import Meetings
from watchword.govern.minutes_service import MinuteBook
from watchword.govern.policy_calculator_service import PolicyCalculator
from watchword.govern.policy_service import Policies
from watchword.govern.proposal_service import Proposals
from watchword.govern.steering_service import SteeringFacts
from watchword.kit.clock import Clock
from watchword.kit.records import Records
from watchword.learn.retrospective_service import Retrospectives
from watchword.respond.reach_service import Roster


@dataclass(slots=True)
class Governance:
    """Everything that decides. Part of a `Watchword`; each slice adds its services here."""

    decisions: Decisions
    committees: Committees
    meetings: Meetings
    agendas: Agendas
    proposals: Proposals
    minutes: MinuteBook
    facts: SteeringFacts
    policies: Policies
    retrospectives: Retrospectives
    controls: Controls
    frameworks: Frameworks
    risks: RiskBook
    candidates: list[Source] = field(default_factory=list)
    """What could be on an agenda now; each slice appends its own."""


def open_governance(records: Records, clock: Clock, audit: Audit, roster: Roster, site_key: bytes, measures: Measures) -> Governance:
    """Put the parts together; nothing is done yet."""
    metrics = measures.metrics
    decisions = Decisions(records, clock, audit)
    committees = Committees(records, clock, audit, roster, site_key)
    proposals = Proposals(records, clock, audit, committees, decisions, metrics)
    sources: list[Source] = [lambda _: of_measures(measures)]
    agendas = Agendas(records, clock, audit, committees, decisions, metrics, lambda now: gathered(sources, now))
    meetings = Meetings(records, clock, audit, committees)
    policies = Policies(records, clock, audit)
    decisions.checks.append(policies.check)
    decisions.on_decided.append(policies.decided)
    retrospectives = Retrospectives(records, clock, audit)
    sources.append(lambda now: of_policies(policies, now))
    sources.append(lambda now: of_retrospectives(retrospectives, now))
    sources.append(lambda now: of_effects(decisions, retrospectives, now))
    controls = Controls(records, clock, audit)
    decisions.on_decided.append(controls.exemptions.on_decided)
    sources.append(lambda now: of_controls(controls, now))
    tested = lambda: {each.control for each in controls.tests.values()}  # noqa: E731 - asked for when it is computed
    measures.calculators.append(PolicyCalculator(records, policies, metrics.definition, tested, lambda: concerned(records)))
    measures.calculators.append(ComplianceCalculator(controls))
    frameworks = Frameworks(records, clock, audit)
    risks, of_risks = open_risk_book(records, clock, audit, decisions, measures, controls)
    sources.append(of_risks)
    minutes = MinuteBook(records, clock, audit, committees, decisions, proposals)
    return Governance(
        decisions,
        committees,
        meetings,
        agendas,
        proposals,
        minutes,
        SteeringFacts(records, committees),
        policies,
        retrospectives,
        controls,
        frameworks,
        risks,
        sources,
    )


def concerned(records: Records) -> list[tuple[str, tuple[str, ...]]]:
    """Return the accounts that may log in, with their roles: who is asked to have read what concerns them."""
    with records.read() as connection:
        rows = connection.execute(select(account.c.name, account.c.role).where(account.c.disabled.is_(False)).order_by(account.c.name))
        return [(row.name, (row.role,)) for row in rows]
