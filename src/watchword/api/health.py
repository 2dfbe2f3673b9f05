"""Health and metrics: whether it lives, whether it can work, and the numbers that Prometheus takes."""

import shutil
from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from pydantic import BaseModel

from watchword import __version__
from watchword.api.identity import House, Reader
from watchword.app.metric_export import samples
from watchword.app.watchword import Watchword
from watchword.kit.errors import WatchwordError
from watchword.respond.run_state import RunStatus

routes = APIRouter(tags=["health"])
metrics_routes = APIRouter(tags=["health"], include_in_schema=False)
READY: Final = "ready"


class Health(BaseModel):
    """Whether Watchword can take records and answer questions."""

    status: str
    """``ready``, or ``impaired``: it lives, but not everything works."""
    version: str
    checks: dict[str, str]
    """Part → ``ok`` or what is wrong with it, without details that help an attacker."""


def checks_of(watchword: Watchword) -> dict[str, str]:
    """Return what works: records, event log, disk."""
    found: dict[str, str] = {}
    for name, ask in (("records", watchword.ledger.sources), ("events", watchword.events.newest)):
        try:
            ask()
            found[name] = "ok"
        except WatchwordError:
            found[name] = "does not answer"
    free = shutil.disk_usage(watchword.settings.data).free
    found["disk"] = "ok" if free > watchword.settings.spool_reserve else "full: records are refused"
    return found


@routes.get("/health", summary="Whether it works", responses={503: {"model": Health, "description": "Something does not work"}})
def health(response: Response, watchword: House) -> Health:
    """Readiness, without a token: 503 when something does not answer. For liveness alone ask for `/api/v1/health/live`."""
    checks = checks_of(watchword)
    ready = all(each == "ok" for each in checks.values())
    response.headers["Cache-Control"] = "no-store"
    if not ready:
        response.status_code = 503
    return Health(status=READY if ready else "impaired", version=__version__, checks=checks)


@routes.get("/health/live", summary="Whether it lives")
def live() -> dict[str, str]:
    """Liveness: the process answers."""
    return {"status": "alive"}


class _Collector:
    """Reads the numbers when they are asked for."""

    def __init__(self, watchword: Watchword) -> None:
        self._watchword = watchword

    def collect(self) -> list[Metric]:
        """Return the numbers of every source, and what waits in the spool."""
        found: list[Metric] = []
        statuses = self._watchword.ledger.statuses()
        for name in ("accepted", "parsed", "unparsed", "unmapped", "duplicate", "lost", "unresolved", "events"):
            family = GaugeMetricFamily(f"watchword_source_{name}", f"Records or events of a source: {name}", labels=["source"])
            for status in statuses:
                family.add_metric([status.name], getattr(status, name))
            found.append(family)
        last = GaugeMetricFamily(
            "watchword_source_last_received_seconds", "When the newest record came, seconds since 1970", labels=["source"]
        )
        for status in statuses:
            if status.last_received is not None:
                last.add_metric([status.name], status.last_received.timestamp())
        found.append(last)
        depth = self._watchword.spool.depth()
        for name, words in (("batches", "Batches"), ("records", "Records"), ("bytes", "Bytes")):
            found.append(GaugeMetricFamily(f"watchword_spool_{name}", f"{words} that wait in the spool", value=getattr(depth, name)))
        free = shutil.disk_usage(self._watchword.settings.data).free
        found.append(GaugeMetricFamily("watchword_disk_free_bytes", "Free space where the data folder is", value=free))
        return found + self._response() + self._measures()

    def _response(self) -> list[Metric]:
        """Return what people have to do: incidents, runs, approvals, pages, and what is in force."""
        response = self._watchword.response
        incidents = GaugeMetricFamily("watchword_incidents_open", "Open incidents, 1 gravest; exercises left out", labels=["severity"])
        counts = response.incidents.reader.counts()
        for severity in range(1, 5):
            number = sum(count for (_, grade), count in counts.items() if grade == severity)
            incidents.add_metric([str(severity)], number)
        runs = GaugeMetricFamily("watchword_runs", "Runs of playbooks", labels=["status"])
        by_status = response.runs.counts()
        for status in RunStatus:
            runs.add_metric([status.value], by_status.get(status, 0))
        waiting, pages = response.approvals.waiting(), response.pager.unanswered()
        return [
            incidents,
            runs,
            GaugeMetricFamily("watchword_approvals_waiting", "Requests for approval that wait for an answer", value=len(waiting)),
            GaugeMetricFamily("watchword_pages_unanswered", "Pages that some team has not taken, 200 at most", value=len(pages)),
            GaugeMetricFamily("watchword_actions_in_force", "States that hold, or may hold", value=len(response.gateway.in_force())),
        ]

    def _measures(self) -> list[Metric]:
        """Return the present value of every measure, with interval, observations, coverage and grade."""
        families: dict[str, GaugeMetricFamily] = {}
        for name, words, labels, number in samples(self._watchword.measures.metrics, self._watchword.clock.now()):
            family = families.setdefault(name, GaugeMetricFamily(name, words, labels=["name", "subject", "unit"]))
            family.add_metric([labels["name"], labels["subject"], labels["unit"]], number)
        return list(families.values())


@metrics_routes.get("/metrics")
def metrics(watchword: House, _: Reader) -> Response:
    """Numbers in Prometheus' text form; needs a token with the scope ``read``."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(watchword))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
