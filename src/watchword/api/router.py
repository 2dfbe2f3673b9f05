"""The routes of the API, put together below ``/api/v1``."""

from fastapi import APIRouter

from watchword.api import audit, entities, events, findings, health, ingest, people, places, sources


def make_router() -> APIRouter:
    """Return all routes; mount them with the prefix ``/api/v1``."""
    router = APIRouter()
    for module in (events, findings, entities, people, places, sources, ingest, audit, health):
        router.include_router(module.routes)
    return router
