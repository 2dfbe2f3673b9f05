"""Exports of measures: one row for each value, as CSV or NDJSON, and the numbers that Prometheus takes."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from watchword.measure.grade import grade_now
from watchword.measure.metric_service import Metrics
from watchword.model.metric import Grade, Metric, MetricDefinition, Target

COLUMNS: Final = (
    "name",
    "version",
    "title",
    "subject",
    "domain",
    "class",
    "unit",
    "better",
    "since",
    "until",
    "value",
    "lo",
    "hi",
    "n",
    "coverage",
    "grade",
    "flags",
    "target",
    "counter",
    "owner_it",
    "owner_physical",
    "computed",
    "uid",
    "inputs",
    "because",
)
GRADES: Final[Mapping[Grade, int]] = {Grade.A: 4, Grade.B: 3, Grade.C: 2, Grade.D: 1}
"""As Prometheus gets them."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def row_of(definition: MetricDefinition, metric: Metric, target: Target | None, now: datetime) -> dict[str, Any]:
    """Return a value as one flat row; its grade is that of this moment (D once it is stale, where it is a running value)."""
    grade, because = grade_now(definition, metric, now)
    return {
        "name": metric.name,
        "version": metric.version,
        "title": definition.title,
        "subject": metric.subject,
        "domain": definition.domain.value,
        "class": definition.measure_class.value,
        "unit": metric.unit,
        "better": definition.better.value,
        "since": _time(metric.window.since),
        "until": _time(metric.window.until),
        "value": metric.value,
        "lo": metric.lo,
        "hi": metric.hi,
        "n": metric.n,
        "coverage": round(metric.coverage, 4),
        "grade": grade.value,
        "flags": " ".join(flag.value for flag in metric.flags),
        "target": target.value if target else None,
        "counter": definition.counter,
        "owner_it": target.owner_it if target else definition.owner_it,
        "owner_physical": target.owner_physical if target else definition.owner_physical,
        "computed": _time(metric.computed) if metric.computed else "",
        "uid": metric.uid,
        "inputs": metric.inputs,
        "because": because,
    }


def present_rows(metrics: Metrics, now: datetime) -> list[dict[str, Any]]:
    """Return the present value of every measure and subject."""
    definitions, targets = {each.name: each for each in metrics.definitions()}, metrics.all_targets()
    found = metrics.all_present()
    return [
        row_of(definitions[name], found[name][subject], targets.get(name), now)
        for name in definitions
        if name in found
        for subject in sorted(found[name])
    ]


def series_rows(metrics: Metrics, names: Iterable[str] = (), since: datetime | None = None) -> list[dict[str, Any]]:
    """Return every point of every series, or of those named: the grade is that at the time.

    Raises:
        NotFound: there is no such measure.
    """
    wanted = list(names)
    definitions, targets = {each.name: each for each in metrics.definitions()}, metrics.all_targets()
    rows = []
    for (name, _), points in sorted(metrics.all_series(wanted, since=since).items()):
        for point in points:
            row = row_of(definitions[name], point, targets.get(name), point.computed or point.window.until)
            rows.append(row)
    return rows


def as_ndjson(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield one JSON object a line."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def as_csv(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield lines of CSV with a heading; no cell is taken for a formula by a spreadsheet; what is unknown is empty, never 0."""
    for row in (dict(zip(COLUMNS, COLUMNS, strict=True)), *rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow([_cell(row[column]) for column in COLUMNS])
        yield line.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def samples(metrics: Metrics, now: datetime) -> Iterator[tuple[str, str, dict[str, str], float]]:
    """Yield (family, words, labels, number) of every present value: what is unknown has no number, and its grade is 1 (D)."""
    definitions = {each.name: each for each in metrics.definitions()}
    for name, subjects in metrics.all_present().items():
        for subject, metric in subjects.items():
            definition = definitions[name]
            grade, _ = grade_now(definition, metric, now)
            labels = {"name": name, "subject": subject, "unit": metric.unit}
            figures = (
                ("watchword_metric", metric.value, "Value of a measure"),
                ("watchword_metric_lo", metric.lo, "Lower bound of a measure"),
            )
            for family, figure, words in (*figures, ("watchword_metric_hi", metric.hi, "Upper bound of a measure")):
                if figure is not None:
                    yield family, words, labels, figure
            yield "watchword_metric_observations", "Observations behind a measure", labels, float(metric.n)
            yield "watchword_metric_coverage", "Share seen of what should have been seen", labels, metric.coverage
            yield "watchword_metric_grade", "Credibility of a measure: 4 is A, 1 is D (not credible)", labels, float(GRADES[grade])
