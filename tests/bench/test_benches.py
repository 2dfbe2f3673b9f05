"""Every benchmark runs at a tiny size, against one small house, so that none of them rots; what they measure here means nothing."""

import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench():
    """Return a function that imports a benchmark."""
    sys.path.insert(0, str(ROOT / "bench"))
    yield importlib.import_module
    sys.path.remove(str(ROOT / "bench"))


@pytest.fixture(scope="module")
def house(bench, tmp_path_factory):
    data = tmp_path_factory.mktemp("bench")
    tokens = bench("wire_to_searchable").prepare(data)
    bench("pages").admit(data)
    with bench("house").running(data, tokens=tokens) as running:
        yield running


@pytest.fixture
def printed(capsys):
    """Return a function that gives the object that a benchmark printed, once its table is there as well."""

    def read(name):
        *table, last = capsys.readouterr().out.splitlines()
        outcome = json.loads(last)
        assert outcome["bench"] == name
        assert outcome["load"]
        assert len(table) >= 3
        return outcome

    return read


def test_wire_to_searchable(bench, house, printed):
    wire = bench("wire_to_searchable")
    wire.report(wire.measure(house, bench("day").day_records(300), 100, 1, 50, 2))
    outcome = printed("wire_to_searchable")
    assert outcome["rounds"][0]["events"] == 200
    assert outcome["ratio"] > 0


def test_acknowledge(bench, house, printed):
    acknowledge = bench("acknowledge")
    acknowledge.report(acknowledge.measure(house, [1, 5], 2, 0.3))
    assert [one["records_per_request"] for one in printed("acknowledge")["loads"]] == [1, 5]


def test_pages(bench, house, printed):
    pages = bench("pages")
    pages.report(pages.measure(house, "", 1))
    outcome = printed("pages")
    assert {"Overview", "Timeline", "Findings", "Places", "Sources"} <= set(outcome["pages"])
    assert outcome["first_visit"]["css"] > 0


def test_response_pages(bench, printed, monkeypatch):
    module = bench("response_pages")
    monkeypatch.setattr(sys, "argv", ["response_pages", "--incidents", "3", "--runs", "2", "--entries", "12", "--rounds", "1"])
    module.main()
    outcome = printed("response_pages")
    assert {"Incidents", "Incident", "Run", "Playbooks", "Playbook", "On call", "Evidence", "Phone"} <= set(outcome["pages"])


def test_finding_to_page(bench, printed, monkeypatch):
    module = bench("finding_to_page")
    monkeypatch.setattr(sys, "argv", ["finding_to_page", "--rounds", "1"])
    module.main()
    assert printed("finding_to_page")["max_s"] > 0


def test_measures(bench, printed, monkeypatch, tmp_path):
    module = bench("measures")
    sizes = ["--days", "2", "--events", "3000", "--incidents", "4", "--rounds", "1", "--data", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["measures", *sizes])
    module.main()
    outcome = printed("measures")
    assert set(outcome["first"]) == {"uptime", "controls", "periods", "present"}
    assert {"/metrics", "/uptime", "/controls"} <= set(outcome["pages"])


def test_memory(bench, house, printed):
    memory = bench("memory")
    memory.report(memory.measure(house), 0)
    assert set(printed("memory")["processes"]) == {"up", "store", "serve", "work", "respond", "measure"}


@pytest.mark.parametrize(
    ("name", "sizes"), [("store_insert", ["--segments", "1"]), ("store_queries", ["--events", "2000", "--rounds", "2"])]
)
def test_store(bench, printed, monkeypatch, name, sizes):
    module = bench(name)
    monkeypatch.setattr(sys, "argv", [name, *sizes])
    if name == "store_insert":  # chDB inside this process would stay in it
        monkeypatch.setattr(module, "in_process", lambda _data, made: [0.01] * len(made))
        monkeypatch.setattr(module, "segment", lambda *given, **named: bench("store_rows").segment(*given, rows=500, **named))
    module.main()
    printed(name)


def test_every_benchmark_is_run_by_make_and_described():
    benches = {path.stem for path in (ROOT / "bench").glob("*.py") if "__main__" in path.read_text("utf-8")}
    assert {"store_insert", "store_queries", "wire_to_searchable", "acknowledge", "pages", "memory"} <= benches
    page = (ROOT / "docs" / "reference" / "benchmarks.md").read_text("utf-8")
    assert [name for name in sorted(benches) if f"bench/{name}.py" not in page] == []
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert [name for name in sorted(benches) if name not in makefile] == []


def test_gaming_table(bench, printed):
    table = bench("gaming_table")
    assert table.report(*table.measure(1, 7, 16), {}) == 0
    outcome = printed("gaming_table")
    assert len(outcome["fired"]) == 14
    assert outcome["fired"]["cherry_pick_g0.6_team"]["D1 team"] in {0.0, 1.0}


def test_closures_versus_value(bench, printed):
    demonstration = bench("closures_versus_value")
    demonstration.report(*demonstration.measure(500, 2))
    outcome = printed("closures_versus_value")
    assert [each["by_count"] for each in outcome["places"]] == [1, 1]
    assert all(each["by_value"] >= 9 for each in outcome["places"])


def test_loss(bench, printed):
    loss = bench("loss")
    loss.report(loss.measure(6, 200, 4, 40, 3))
    outcome = printed("loss")
    assert outcome["crn_variance_ratio"] > 1
    assert 0 <= outcome["greedy_mean"] <= outcome["solo_worst"] + 0.2
