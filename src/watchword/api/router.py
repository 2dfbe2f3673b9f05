"""The routes of the API, put together below ``/api/v1``."""

from fastapi import APIRouter

from watchword.api import (
    actions,
    after_actions,
    approvals,
    audit,
    committees,
    controls,
    credibility,
    decisions,
    entities,
    events,
    evidence,
    findings,
    health,
    incident_work,
    incidents,
    ingest,
    metrics,
    on_call,
    pages,
    people,
    places,
    playbooks,
    policies,
    reaching,
    risks,
    runs,
    sharing,
    sources,
    uptime,
)

MODULES = (
    events,
    findings,
    entities,
    incidents,
    incident_work,
    playbooks,
    runs,
    approvals,
    actions,
    evidence,
    pages,
    on_call,
    reaching,
    people,
    places,
    sources,
    metrics,
    sharing,
    credibility,
    uptime,
    controls,
    committees,
    decisions,
    policies,
    after_actions,
    risks,
    ingest,
    audit,
    health,
)


def make_router() -> APIRouter:
    """Return all routes; mount them with the prefix ``/api/v1``."""
    router = APIRouter()
    for module in MODULES:
        router.include_router(module.routes)
    return router
