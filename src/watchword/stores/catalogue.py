"""The catalogue of what all rooms keep: loads every room's tables by name, so that stores imports no room above it."""

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from sqlalchemy import MetaData

from watchword.kit.tables import metadata

MODULES = (
    "watchword.ingest.tables",
    "watchword.resolve.tables",
    "watchword.detect.tables",
    "watchword.respond.incident_tables",
    "watchword.respond.run_tables",
    "watchword.respond.action_tables",
    "watchword.respond.paging_tables",
    "watchword.respond.evidence_tables",
    "watchword.respond.library_tables",
    "watchword.respond.draft_tables",
    "watchword.measure.metric_tables",
    "watchword.measure.review_tables",
    "watchword.measure.uptime_tables",
    "watchword.govern.committee_tables",
    "watchword.govern.control_tables",
    "watchword.govern.policy_tables",
    "watchword.govern.risk_tables",
    "watchword.learn.learning_tables",
    "watchword.app.dashboard_tables",
    "watchword.app.tables",
)
"""Where rooms declare their tables, in the order in which rooms stand."""


def load(modules: Iterable[str] = MODULES) -> MetaData:
    """Import the tables modules that exist and return the catalogue that they are declared on."""
    for name in modules:
        if find_spec(name) is not None:
            import_module(name)
    return metadata
