"""Responders as the settings name them: every fault at its line, broken plug-ins kept apart, guards called through the house."""

from datetime import UTC, datetime
from importlib.metadata import EntryPoint

import pytest

from watchword.app.principal import Role
from watchword.app.settings import read_settings
from watchword.app.watchword import open_watchword
from watchword.connectors import responders
from watchword.connectors.responders import ResponderEntry, make_responders, reach_all
from watchword.kit.clock import ManualClock
from watchword.kit.errors import ContentError, InputError
from watchword.model.action import Action

TOML = """\
data = "data"

[[responder]]
kind = "door_webhook"
name = "front"
url = "http://127.0.0.1:9"
secret_file = "door.key"
[responder.doors]
"harbour/doors/D-1" = "17"

[[responder]]
kind = "guard"
name = "guards"
"""


def test_the_settings_make_responders_in_their_order(tmp_path, parts):
    (tmp_path / "watchword.toml").write_text(TOML)
    found = read_settings(tmp_path / "watchword.toml", {}).responder
    assert [(each.name, each.kind) for each in found] == [("front", "door_webhook"), ("guards", "guard")]
    made, broken = make_responders(found, parts)
    assert [each.name for each in made] == ["front", "guards"]
    assert broken == []
    assert [(each.name, each.ok) for each in reach_all(made)] == [("front", False), ("guards", False)]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('kind = "guard"', 'kind = "gard"', 11, "no kind 'gard'"),
        ('name = "guards"', 'name = "front"', 11, "stands here twice"),
        ('name = "guards"', 'name = "guards"\ncolour = "red"', 11, "no option 'colour'"),
        ('secret_file = "door.key"', 'secret = "hunter2"', 3, "does not stand in the settings"),
        ('kind = "door_webhook"\n', "", 3, "kind is missing"),
    ],
)
def test_a_fault_is_named_with_its_line_and_no_secret(tmp_path, old, new, line, said):
    (tmp_path / "watchword.toml").write_text(TOML.replace(old, new))
    with pytest.raises(ContentError, match=said) as caught:
        read_settings(tmp_path / "watchword.toml", {})
    assert caught.value.faults[0].line == line
    assert "hunter2" not in str(caught.value)


def test_a_plug_in_joins_and_one_that_breaks_is_reported_and_stops_nothing(monkeypatch, parts, tmp_path):
    points = {
        name: EntryPoint(name, f"{__name__}_plugins:{name}", responders.GROUP)
        for name in ("good", "broken_options", "broken_maker", "absent")
    }
    monkeypatch.setattr(responders, "_points", lambda *_: points)
    given = {"good": good, "broken_options": breaks, "broken_maker": lambda *_: breaks}
    monkeypatch.setattr(EntryPoint, "load", lambda self: given[self.name])
    rows = [{"kind": kind, "name": kind} for kind in ("absent", "broken_options", "broken_maker", "good")]
    entries = responders.read_responders(rows, tmp_path)
    made, broken = make_responders(entries, parts)
    assert [each.name for each in made] == ["good"]
    assert [each.name for each in broken] == ["absent", "broken_options", "broken_maker"]
    with pytest.raises(InputError, match=r"known are .*good"):
        responders.maker_of(ResponderEntry("x", "nonsense"))


def breaks(*_):
    raise RuntimeError("a stranger's fault")


def good(name, options):
    class Good:
        verbs = frozenset({"host.isolate"})

        def __init__(self):
            self.name = name

        def do(self, action, *, dry_run=False):
            raise NotImplementedError

        def read(self, _):
            return None

    return lambda _: Good()


def test_a_guard_is_called_once_by_the_house_and_accepts_by_acknowledging(tmp_path):
    (tmp_path / "watchword.toml").write_text(TOML)
    settings = read_settings(tmp_path / "watchword.toml", {})
    with open_watchword(settings, ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC))) as watchword:
        response = watchword.response
        watchword.accounts.create("gus", Role.CONTROL_ROOM_OPERATOR, "a long walk by night", actor="test")
        guard = next(each for each in response.responders if each.name == "guards")
        incident = response.incidents.open("Forced door", by="cora", team="physical", because="seen")
        action = Action("guard.dispatch", "harbour/main/0/lobby", {"task": "look"}, incident=incident, requested_by="cora", key="g1")
        assert guard.do(action).status == guard.do(action).status == "done"
        assert guard.read(action) == {}
        [page] = response.pager.pages(incident)
        assert len(response.incidents.get(incident).tasks) == 1
        response.pager.acknowledge(page.uid, "gus", "phone", "physical")
        assert guard.read(action) == {"task": "accepted"}
        assert guard.do(Action("guard.dispatch", "x", {"task": "look"}, key="g2")).code == "no-incident"
