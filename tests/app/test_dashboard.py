"""The dashboard as plain values, its words, its pictures, the board report, share links."""

import hashlib
import importlib.util
import io
import json
import re
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.app import metric_words as words
from watchword.app.board_report import board_docx, board_pdf, keep_monthly, report_of
from watchword.app.dashboard import Cell, Row, dashboard, notices
from watchword.app.share import LONGEST
from watchword.app.typeset import typeset
from watchword.app.xmr_chart import Series, on_paper, say_series, spark, xmr_chart
from watchword.kit.errors import InputError, NotFound
from watchword.measure.calculator import measured, running
from watchword.measure.definitions import definition
from watchword.measure.xmr import Scale, chart
from watchword.model.metric import Flag, Grade, Target

BERLIN = ZoneInfo("Europe/Berlin")
NAMES = ("Reyes", "Petra Name", "Strange log-ins", "Camera of the lobby")


def _module(name, file):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "web" / file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="module")
def house():
    return _module("watchword_test_house", "house.py")


@pytest.fixture(scope="module")
def watchword(house, tmp_path_factory):
    with house.open_house(tmp_path_factory.mktemp("house")) as opened:
        _module("watchword_test_measured", "measured.py").furnish_measures(opened, house.NOW)
        yield opened


@pytest.fixture(scope="module")
def board(watchword, house):
    return dashboard(watchword.measures, house.NOW)


def row_of(board, name):
    return next(row for row in board.rows if row.definition.name == name)


# words


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.925, "share", "92.5 %"),
        (0.9996, "share", "99.96 %"),
        (0.9999999, "share", "100 %"),
        (1.0, "share", "100 %"),
        (0.0, "share", "0 %"),
        (0.004, "share", "0.4 %"),
        (0.01, "hours", "36 s"),
        (0.5, "hours", "30 min"),
        (31.0, "hours", "31 h"),
        (96.0, "hours", "4 days"),
        (1_234_567.0, "€ a year", "€\u202f1.23 M a year"),
        (3408.0, "weighted hours", "3\u202f408 weighted hours"),
        (7.0, "count", "7"),
        (None, "share", "unknown"),
    ],
)
def test_values_are_said_as_people_say_them(value, unit, said):
    assert words.say_value(value, unit) == said


@given(st.floats(0, 1))
def test_a_share_that_is_not_whole_is_not_said_to_be(share):
    number, _ = words.figure(share, "share")
    assert (number == "100") <= (share > 0.9999989)
    assert (number == "0") <= (share < 0.0000011)


def test_intervals_share_their_unit_where_they_can():
    assert words.say_interval(0.5, 0.75, "share") == "50 to 75 %"
    assert words.say_interval(0.5, 30, "hours") == "30 min to 30 h"
    assert words.say_interval(None, 2, "hours") == "at most 2 h"
    assert words.say_interval(None, None, "hours") == ""


def test_what_is_unknown_is_never_nought():
    assert words.figure(None, "share") == ("?", "")
    assert "0" not in words.say_value(None, "count")


def test_a_target_inside_the_interval_is_too_close_to_tell(house):
    up, down = definition("compliance.pass"), definition("response.acknowledge")
    share = measured(up, running(up, house.NOW), house.NOW, value=0.8, lo=0.7, hi=0.9, n=50).metric
    time = measured(down, running(down, house.NOW), house.NOW, value=2.0, lo=1.0, hi=3.0, n=50).metric
    goal = Target(0.85, "a", "b", house.NOW)
    assert [words.standing(up, share, replace(goal, value=v)) for v in (0.6, 0.85, 0.95)] == [words.REACHED, words.CLOSE, words.MISSED]
    assert [words.standing(down, time, replace(goal, value=v)) for v in (4, 2, 0.5)] == [words.REACHED, words.CLOSE, words.MISSED]
    assert words.standing(up, replace(share, value=None), goal) == ""


def test_a_reason_is_one_sentence_and_strangers_get_the_kind_of_a_flag_only(house):
    one = definition("response.resolve")
    thin = measured(one, running(one, house.NOW), house.NOW, value=3.0, lo=1.0, hi=9.0, n=2, words="Of 2 incidents 2 were closed.").metric
    assert words.why_not(thin, thin.because) == "It rests on 2 observations where C asks for 10."
    flagged = replace(thin, flags=(Flag.BULK,), because="Ann closed 40 in 3 minutes. Not credible until that is cleared up. Rest.")
    assert words.why_not(flagged, flagged.because) == "Ann closed 40 in 3 minutes."
    assert words.why_not_shared(flagged, flagged.because) == "An unusual number of items was closed within minutes."
    assert words.why_not(None, "") == "It was not computed yet."


# the dashboard


def test_the_headline_says_what_moved_it_and_the_parts_sum_to_the_whole(board):
    headline = board.headline
    assert (headline.before, headline.after) == (1344.0, 3408.0)
    for kind in ("severity", "team", "incident"):
        assert sum(move.change for move in headline.of(kind)) == pytest.approx(headline.change), kind
    assert headline.by_chance is True  # three incidents: no news


def test_every_measure_stands_on_the_page_once(board, watchword):
    names = [row.definition.name for row in board.rows]
    assert sorted(names) == sorted(each.name for each in watchword.measures.metrics.definitions())
    assert board.unknown == sum(1 for row in board.rows if not row.house.known)
    assert sum(board.grades.values()) + board.unknown == len(names)


def test_both_teams_stand_in_one_row(board):
    row = row_of(board, "uptime.zone")
    assert row.split
    assert row.it.metric.value > row.house.metric.value > row.physical.metric.value
    assert row.counter.definition.name == row.definition.counter


def test_a_flag_makes_a_value_not_credible_and_speaks_up(board):
    row = row_of(board, "response.resolve")
    assert (row.house.grade, row.house.credible, row.standing) == (Grade.D, False, "")
    assert [notice.kind for notice in board.notices if notice.row is row] == ["flag"]


def test_what_is_out_of_limits_speaks_up_and_good_news_comes_last(board):
    said = {notice.row.definition.name: notice for notice in board.notices}
    assert said["compliance.pass"].kind == "target"
    assert said["joint_engagement"].good
    assert said["joint_engagement"].row.signal_until is not None
    assert board.notices[-1].good
    assert "uptime.zone" not in said  # inside its limits: chance


def test_a_stale_value_is_no_news_and_not_credible(watchword, house):
    later = dashboard(watchword.measures, house.NOW + timedelta(days=40))
    row = row_of(later, "joint_engagement")
    assert row.house.stale
    assert not row.house.credible
    assert "old" in words.why_not(row.house.metric, row.house.because)
    assert all(notice.kind == "flag" for notice in later.notices)


def test_nothing_known_gives_no_notice():
    assert notices([Row(definition("risk_hours"), Cell(None), Cell(None), Cell(None), [], None)]) == []


# pictures


def series_of(board, name):
    row = row_of(board, name)
    return Series(row.definition, row.points, row.chart, row.target)


def test_pictures_are_whole_and_say_what_they_show(board):
    series = series_of(board, "joint_engagement")
    for picture in (spark(series), xmr_chart(series, BERLIN)):
        root = ET.fromstring(on_paper(picture))  # noqa: S314 - a picture of ours
        assert root.get("role") == "img"
        assert "signals: " in root.get("aria-label")
        assert 'class="xmr-signal good"' in picture
    picture = xmr_chart(series, BERLIN)
    assert picture.count("<title>") == len(series.points)
    assert "style=" not in picture
    assert "mean" in picture
    for x, y in re.findall(r'c[xy]="([-\d.]+)" cy="([-\d.]+)"', picture):
        assert 0 <= float(x) <= 760
        assert 0 <= float(y) <= 270


def test_a_series_without_points_is_a_dashed_line_not_a_flat_one():
    empty = Series(definition("risk_hours"), [])
    assert "xmr-none" in spark(empty)
    assert "xmr-line" not in spark(empty)
    assert "no closed period" in say_series(empty)
    assert xmr_chart(empty, BERLIN) == ""


@given(st.lists(st.floats(-1e6, 1e6) | st.floats(0, 50), min_size=1, max_size=40), st.sampled_from(Scale))
def test_any_series_can_be_drawn(values, scale):
    one = definition("loss.expected")
    now = _module("watchword_test_house", "house.py").NOW
    points = [
        measured(one, running(one, now + timedelta(days=i)), now, value=v, lo=v - 1, hi=v + 1, n=9).metric for i, v in enumerate(values)
    ]
    limits = chart(values, one.better)
    series = Series(one, points, limits and replace(limits, scale=scale), Target(1.0, "a", "b", now))
    for picture in (spark(series), xmr_chart(series, BERLIN)):
        assert "nan" not in picture.lower().replace("nance", "")
        ET.fromstring(on_paper(picture))  # noqa: S314 - a picture of ours


# the board report


def test_the_board_report_names_nobody(watchword, house, monkeypatch):
    report, printed = report_of(watchword, house.NOW - timedelta(days=30), house.NOW), []

    def keep(template, data, made_at, *, verbatim):
        printed.append(json.dumps([data, dict(verbatim)], ensure_ascii=False))
        return typeset(template, data, made_at, verbatim=verbatim)

    monkeypatch.setattr("watchword.app.board_report.typeset", keep)
    assert board_pdf(watchword, report).startswith(b"%PDF-")
    import docx

    paper = docx.Document(io.BytesIO(board_docx(watchword, report)))
    told = "\n".join([p.text for p in paper.paragraphs] + [cell.text for table in paper.tables for row in table.rows for cell in row.cells])
    for text in (told, printed[0]):
        assert not [name for name in NAMES if name in text]
        for wanted in ("Risk-hours outstanding", "Uptime", "Targets missed", "Not credible, and why", "unknown"):
            assert wanted in text, wanted
    assert report.summary[0].startswith("Risk-hours outstanding: 3\u202f408 weighted hours in 7 days")


def test_a_month_is_kept_once_and_the_values_it_prints_for_good(watchword, house):
    keep_monthly(watchword, house.NOW)
    first = watchword.measures.reports.list()
    keep_monthly(watchword, house.NOW + timedelta(days=2))
    assert [(each.month, each.made) for each in watchword.measures.reports.list()] == [(each.month, each.made) for each in first]
    assert [each.month for each in first] == ["2026-02"]
    assert hashlib.sha256(watchword.measures.reports.content("2026-02", "pdf")).hexdigest() == first[0].sha256
    with pytest.raises(NotFound):
        watchword.measures.reports.content("2026-02", "exe")
    with pytest.raises(NotFound):
        watchword.measures.reports.content("2025-01", "pdf")
    assert any(entry.action == "report.keep" for entry in watchword.audit.entries())


# share links


def test_a_link_works_until_it_is_revoked_or_expires(watchword, house):
    shares, clock = watchword.measures.shares, watchword.clock
    share, secret = shares.create("The  insurer\n", timedelta(days=1), "mia")
    assert share.title == "The insurer"
    assert shares.open(secret).uid == share.uid
    assert shares.open(secret + "x") is None
    assert next(each for each in shares.list() if each.uid == share.uid).readings == 1
    clock.at = house.NOW + timedelta(days=1)
    assert shares.open(secret) is None
    clock.at = house.NOW
    shares.revoke(share.uid, "mia")
    assert shares.open(secret) is None
    with pytest.raises(NotFound):
        shares.revoke(share.uid, "mia")
    assert [entry.action for entry in watchword.audit.entries(target=share.uid)] == ["dashboard.unshare", "dashboard.share"]


@pytest.mark.parametrize(("title", "life"), [("", timedelta(days=1)), (" \n", timedelta(days=1)), ("x", timedelta()), ("x", LONGEST * 2)])
def test_a_link_says_for_whom_it_is_and_lives_no_longer_than_it_may(watchword, title, life):
    with pytest.raises(InputError):
        watchword.measures.shares.create(title, life, "mia")


def test_the_secret_of_a_link_is_not_kept(watchword):
    _, secret = watchword.measures.shares.create("Nobody", timedelta(days=1), "mia")
    files = b"".join(path.read_bytes() for path in Path(watchword.settings.data).rglob("records.sqlite3*") if path.is_file())
    assert secret.encode() not in files
