"""Measuring a house: a simulated past through its own services, values over it, jobs that fail alone, API, Prometheus and exports."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from watchword.api.application import make_api
from watchword.app.demo import furnish
from watchword.app.furnishing_history import BY, MARK, furnish_history
from watchword.app.living import DESKS, PEOPLE
from watchword.app.measuring import Measuring, Periodic, compute_present, compute_settled, jobs
from watchword.app.metric_export import COLUMNS, as_csv, present_rows
from watchword.app.principal import Permission
from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword
from watchword.kit.clock import ManualClock
from watchword.kit.errors import WatchwordError
from watchword.measure.metric_tables import measure_job
from watchword.measure.response_times import risk_hours
from watchword.model.incident import Moment
from watchword.respond.incident_tables import incident
from watchword.simulate import organisation

NOW = datetime(2026, 6, 3, 10, tzinfo=UTC)
V1 = "/api/v1"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A house with four weeks of simulated incidents behind it."""
    settings = Settings(data=tmp_path_factory.mktemp("measuring") / "data", api_rate=10**6)
    clock = ManualClock(NOW)
    with open_watchword(settings, clock) as watchword:
        furnish(watchword, organisation(1))
        for name, (role, full_name) in PEOPLE.items():
            watchword.accounts.create(name, role, "correct horse battery staple", actor="test", full_name=full_name)
        assert furnish_history(settings, 1, clock, weeks=4) > 10
        yield watchword


@pytest.fixture(scope="module")
def client(house):
    compute_settled(house, NOW)
    compute_present(house, NOW)
    with TestClient(make_api(house), base_url="http://watchword.test", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def token(house):
    def make(*scopes):
        _, secret = house.accounts.tokens.create("manager", "test", [Permission(scope) for scope in scopes], actor="test")
        return {"Authorization": f"Bearer {secret}"}

    return make


def test_the_past_says_that_it_is_simulated_and_is_given_once(house):
    assert furnish_history(house.settings, 1, house.clock, weeks=4) == 0
    with house.records.read() as connection:
        rows = connection.execute(select(incident.c.opened_by, incident.c.because, incident.c.opened_at)).all()
    assert {row.opened_by for row in rows} == {BY}
    assert all(MARK in row.because for row in rows)
    assert max(row.opened_at for row in rows) <= NOW
    assert house.audit.verify() == []
    assert set(DESKS) == {"IT desk", "Control room"}


def test_values_stand_on_the_incidents(house, client):
    facts = house.measures.incidents.at(NOW)
    metrics = house.measures.metrics
    present = metrics.latest("risk_hours")
    assert present.value == pytest.approx(risk_hours(facts.cases, present.window).total)
    assert present.because.partition(" ")[0] == str(present.n)
    inputs = metrics.inputs(present.uid)
    assert {kind for kind, _ in inputs} == {"incident"}
    assert len(inputs) == present.n
    view = house.response.incidents.get(inputs[0][1])
    assert view.incident.findings, "from the value to the incident, from there to its findings and their events"
    parts = [metrics.latest("risk_hours", subject).value for subject in ("it", "physical", "joint")]
    assert sum(parts) == pytest.approx(present.value)
    assert len(metrics.series("risk_hours")) == 4
    assert metrics.series("risk_hours")[0].coverage < 1, "it was not there for the whole of its first week"
    engaged = [case for case in facts.cases if case.mark(Moment.ENGAGED) is not None]
    assert engaged
    assert metrics.latest("response.engage").n > 0
    for name in ("two_clock_gap", "joint_engagement", "entity_risk", "handoff_latency"):
        assert metrics.latest(name) is not None, name
    assert metrics.latest("two_clock_gap").because.endswith(".")


def test_computed_twice_nothing_is_new(house, client):
    again = house.measures.computing.settled(NOW)
    assert again.faults == ()
    assert again.new == 0
    assert house.measures.computing.backfill(NOW).windows == 0


def test_the_api_shows_definitions_values_series_inputs(client, token, house):
    reader = token("read")
    items = client.get(f"{V1}/metrics", headers=reader).json()["items"]
    by_name = {item["definition"]["name"]: item for item in items}
    assert by_name["risk_hours"]["value"]["grade"] in "ABC"
    assert by_name["decision_latency"]["value"] is None or by_name["decision_latency"]["value"]["value"] != 0
    assert by_name["risk_hours"]["definition"]["class"] == "impact"
    detail = client.get(f"{V1}/metrics/risk_hours", headers=reader).json()
    assert {value["subject"] for value in detail["values"]} >= {"", "it", "physical", "joint"}
    uid = next(value["uid"] for value in detail["values"] if not value["subject"])
    assert client.get(f"{V1}/metric-values/{uid}", headers=reader).json()["name"] == "risk_hours"
    assert client.get(f"{V1}/metric-values/{uid}/inputs", headers=reader).json()["items"][0]["kind"] == "incident"
    series = client.get(f"{V1}/metrics/risk_hours/series", headers=reader).json()
    assert [len(series["items"]), series["limits"]] == [4, None], "no limits from so few points"
    daily = client.get(f"{V1}/metrics/entity_risk/series", headers=reader).json()
    assert daily["limits"]["lower"] <= daily["limits"]["mean"] <= daily["limits"]["upper"]
    moved = client.get(f"{V1}/metrics/risk_hours/moved?days=14", headers=reader).json()
    totals = {kind: sum(item["change"] for item in moved["items"] if item["kind"] == kind) for kind in ("severity", "team")}
    assert totals["severity"] == pytest.approx(totals["team"])
    assert client.get(f"{V1}/metrics/no.such", headers=reader).status_code == 404
    assert client.get(f"{V1}/metrics/No!", headers=reader).status_code == 422
    assert client.get(f"{V1}/metric-values/{'0' * 32}", headers=reader).status_code == 404
    assert client.get(f"{V1}/metrics").status_code == 401


def test_targets_and_computing_need_their_right(client, token, house):
    target = {"value": 400, "owner_it": "Ana Lind", "owner_physical": "Otto Brandt"}
    assert client.put(f"{V1}/metrics/risk_hours/target", json=target, headers=token("read")).status_code == 403
    keeper = token("read", "measure")
    assert client.put(f"{V1}/metrics/risk_hours/target", json=target, headers=keeper).json()["value"] == 400
    assert client.put(f"{V1}/metrics/review.disagreement/target", json=target, headers=keeper).status_code == 409
    assert client.put(f"{V1}/metrics/risk_hours/target", json={**target, "owner_it": ""}, headers=keeper).status_code == 422
    assert client.get(f"{V1}/metrics/risk_hours", headers=keeper).json()["targets"][0]["owner_it"] == "Ana Lind"
    assert client.delete(f"{V1}/metrics/risk_hours/target?reason=done", headers=keeper).status_code == 204
    assert client.delete(f"{V1}/metrics/risk_hours/target", headers=keeper).status_code == 404
    done = client.post(f"{V1}/metrics/compute", json={"names": ["risk_hours"], "backfill": True}, headers=keeper).json()
    assert done["faults"] == []
    assert done["values"] >= 4
    assert client.post(f"{V1}/metrics/compute", json={}, headers=token("read")).status_code == 403
    assert [entry.action for entry in house.audit.entries(limit=3, action="metric.")] == [
        "metric.compute",
        "metric.untarget",
        "metric.target",
    ]


def test_exports_hold_every_value_and_prometheus_takes_them(client, token, house):
    reader = token("read")
    lines = client.get(f"{V1}/metrics/export", headers=reader).text.splitlines()
    rows = [json.loads(line) for line in lines]
    assert {row["name"] for row in rows} >= {"risk_hours", "response.resolve"}
    table = list(csv.DictReader(io.StringIO(client.get(f"{V1}/metrics/export?format=csv", headers=reader).text)))
    assert len(table) == len(rows)
    unknown = [row for row in table if row["grade"] == "D" and not row["value"]]
    assert unknown, "what is unknown is empty"
    series = client.get(f"{V1}/metrics/export?series=true&name=risk_hours", headers=reader).text.splitlines()
    assert len(series) == 4 * 4
    text = client.get("/metrics", headers=reader).text
    assert 'watchword_metric{name="risk_hours",subject="",unit="weighted hours"}' in text
    assert 'watchword_metric_grade{name="risk_hours",subject="joint",unit="weighted hours"}' in text
    row = dict.fromkeys(COLUMNS, "=1+1")
    assert "'=1+1" in list(as_csv([row]))[1], "no cell is a formula"
    assert {row["subject"] for row in present_rows(house.measures.metrics, house.clock.now())} >= {"sev1", "sev4"}


def test_a_job_that_fails_stops_no_other_and_is_tried_again_soon(house):
    done = []

    def broken(_watchword, _now):
        raise WatchwordError("the tape is full")

    def fine(_watchword, now):
        done.append(now)

    clock = house.clock
    measuring = Measuring(house, [Periodic("broken", timedelta(hours=1), broken), Periodic("fine", timedelta(hours=1), fine)])
    assert measuring.step() == 2
    assert done == [NOW]
    with house.records.read() as connection:
        rows = {row.name: row for row in connection.execute(select(measure_job))}
    assert rows["broken"].said == "the tape is full"
    assert rows["broken"].done is None
    assert (rows["fine"].said, rows["fine"].done, rows["fine"].times) == ("", NOW, 1)
    assert measuring.step() == 0
    clock.advance(timedelta(minutes=6))
    assert measuring.step() == 1, "only what failed"
    clock.advance(timedelta(hours=1))
    assert Measuring(house, measuring.jobs).step() == 2, "another process goes on from the rows"
    clock.at = NOW
    assert len({job.name for job in jobs()}) == len(jobs())
    with house.records.read() as connection:
        assert connection.execute(select(func.count()).select_from(measure_job)).scalar_one() == 2
