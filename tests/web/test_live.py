"""The live stream: what is sent after which position, for whom, and what is left out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.requests import Request

from watchword.web.bundle import build_id
from watchword.web.live import Feed, Stream, message, named
from watchword.web.live_regions import PAGES
from watchword.web.pages import asker


@pytest.fixture(scope="module")
def watchword(house, tmp_path_factory):
    """A house of its own: these tests let things happen."""
    with house.open_house(tmp_path_factory.mktemp("live")) as opened:
        yield opened


@pytest.fixture(scope="module")
def app(watchword):
    from watchword.web.application import create_app

    return create_app(watchword)


@pytest.fixture
def stream_of(app, house, watchword):
    """Return a function that opens a page's stream as somebody, without the network."""

    def open_stream(page, name="ada", after=None, **parameters):
        token = watchword.accounts.log_in(name, house.PASSWORD, address="::1").token
        query = "&".join(f"{key}={value}" for key, value in parameters.items())
        scope = {
            "type": "http", "method": "GET", "path": "/live", "query_string": query.encode(), "app": app, "scheme": "https",
            "headers": [(b"cookie", f"__Host-watchword={token}".encode()), (b"host", b"testserver")], "server": ("testserver", 443),
        }  # fmt: skip
        request = Request(scope)
        position = watchword.ledger.last_position() if after is None else after
        regions = tuple(replace(region, least=timedelta()) for region in PAGES[page])
        return Stream(request, regions, parameters, position, asker(request), asker)

    return open_stream


@pytest.fixture
def feed(watchword):
    return Feed(watchword)


NUMBERS = iter(range(1000, 100_000))


@pytest.fixture
def numbers():
    return lambda: next(NUMBERS)


def test_nothing_new_sends_nothing(stream_of, feed):
    stream = stream_of("timeline")
    assert stream.step(feed, False) == ([], True)


def test_new_events_come_as_rows_that_pass_the_filters(stream_of, feed, watchword, house, numbers):
    from watchword.model.ocsf import EventClass

    everything, doors = stream_of("timeline"), stream_of("timeline", q="hinge")
    words = f"noise {numbers()}"
    house.hand_in(watchword, [house.event(words, "windows", 1, EventClass.PROCESS_ACTIVITY, 1, words)])
    (html,), _ = everything.step(feed, False)
    assert html.startswith('<hx-partial hx-target="#waiting" hx-swap="afterbegin">')
    assert words in html
    assert doors.step(feed, False) == ([], True)
    assert everything.position == doors.position == watchword.ledger.last_position()


def test_a_stream_resumes_without_gap_or_double(stream_of, feed, watchword, house, numbers):
    from watchword.model.ocsf import EventClass

    start = watchword.ledger.last_position()
    said = [f"noise {numbers()}" for _ in range(3)]
    positions = []
    for words in said:
        house.hand_in(watchword, [house.event(words, "windows", 1, EventClass.PROCESS_ACTIVITY, 1, words)])
        positions.append(watchword.ledger.last_position())
    (html,), _ = stream_of("timeline", after=start).step(feed, False)
    assert [words for words in said if words in html] == said
    (html,), _ = stream_of("timeline", after=positions[0]).step(feed, False)
    assert [words for words in said if words in html] == said[1:]


def test_news_waits_until_its_events_can_be_read(feed, watchword, house, numbers):
    from watchword.model import RawRecord
    from watchword.model.ocsf import EventClass

    position = watchword.ledger.last_position()
    words = f"noise {numbers()}"
    made = house.event(words, "windows", 1, EventClass.PROCESS_ACTIVITY, 1, words)
    segment = watchword.sealer.seal([], [RawRecord(made.record, made.source, made.received, b"{}")], [made])
    assert feed.after(position, house.NOW) == []
    assert len(feed.after(position, house.NOW + timedelta(seconds=20))) == 1
    feed._ready.clear()
    watchword.sealer.store(segment)
    assert len(feed.after(position, house.NOW)) == 1


def test_a_finding_changes_overview_findings_and_its_own_page(stream_of, feed, watchword, house, request):
    from watchword.model import EventQuery, FindingState

    events = {each.message.split(" ")[1]: each for each in watchword.events.events(EventQuery(text="areyes", limit=5))}
    events |= {each.message.split(" ")[1]: each for each in watchword.events.events(EventQuery(text="opened", limit=5))}
    made = replace(house.lisbon([None, events["opened"], events["logged"]], number=request.node.name), severity=5)
    overview, findings, other = stream_of("overview"), stream_of("findings"), stream_of("findings", severity="fatal")
    mine, elsewhere = stream_of("finding", uid=made.uid), stream_of("finding", uid="0" * 32)
    watchword.findings.put([made])
    sent, _ = overview.step(feed, False)
    assert [html.partition(" hx-swap")[0] for html in sent] == [
        '<hx-partial hx-target="#alert"',
        '<hx-partial hx-target="#needs"',
        '<hx-partial hx-target="#side"',
    ]
    assert made.uid in sent[1]
    sent, _ = findings.step(feed, False)
    assert f'id="finding-{made.uid}"' in sent[-1]
    assert not any("#waiting" in html for html in other.step(feed, False)[0])
    sent, _ = mine.step(feed, False)
    assert any('hx-target="#state"' in html for html in sent)
    assert not any('hx-target="#state"' in html for html in elsewhere.step(feed, False)[0])
    watchword.findings.put([replace(made, state=FindingState.WITHDRAWN)])


def test_a_withdrawn_critical_raises_no_alarm(stream_of, feed, watchword, house, request):
    from watchword.model import EventQuery, FindingState

    events = {each.message.split(" ")[1]: each for each in watchword.events.events(EventQuery(limit=100)) if " " in each.message}
    made = replace(house.lisbon([None, events["opened"], events["logged"]], number=request.node.name), severity=5)
    watchword.findings.put([made])
    stream = stream_of("overview")
    watchword.findings.put([replace(made, state=FindingState.WITHDRAWN)])
    sent, _ = stream.step(feed, False)
    assert not any("#alert" in html for html in sent)


def test_a_plan_and_the_sources_are_drawn_anew(stream_of, feed, watchword, house, numbers):
    from watchword.model.ocsf import EventClass

    plan, sources, nowhere = stream_of("place", site="harbour"), stream_of("sources"), stream_of("place", site="nowhere")
    words = f"noise {numbers()}"
    house.hand_in(watchword, [house.event(words, "windows", 1, EventClass.PROCESS_ACTIVITY, 1, words)])
    (html,), _ = plan.step(feed, False)
    assert '<svg class="plan plan-marks" id="plan-harbour-main-0"' in html
    assert 'id="source-windows"' in sources.step(feed, False)[0][0]
    assert nowhere.step(feed, False)[0] == []


def test_a_persons_rows_are_not_sent_while_the_trail_is_closed(stream_of, feed, watchword, house, numbers):
    from watchword.model.ocsf import EventClass

    stream = stream_of("timeline", name="otto", person=house.REYES)
    words = f"noise {numbers()}"
    made = house.event(words, "windows", 1, EventClass.PROCESS_ACTIVITY, 1, words, person=house.REYES)
    house.hand_in(watchword, [made])
    assert stream.step(feed, False) == ([], True)


def test_a_stream_ends_when_the_session_does(stream_of, feed, watchword, house):
    stream = stream_of("overview", name="otto")
    assert stream.step(feed, True)[1]
    token = stream.request.cookies["__Host-watchword"]
    watchword.accounts.log_out(token, actor="otto")
    assert stream.step(feed, True) == ([], False)


def test_an_open_stream_does_not_keep_a_session_alive(stream_of, watchword, house):
    from sqlalchemy import select

    from watchword.app import tables
    from watchword.kit.secrets import token_digest

    stream = stream_of("overview", name="otto")
    watchword.clock.advance(timedelta(minutes=5))
    try:
        assert stream.step(Feed(watchword), True)[1]
        with watchword.records.read() as connection:
            digest = token_digest(stream.request.cookies["__Host-watchword"])
            used = connection.execute(select(tables.session.c.last_used).where(tables.session.c.digest == digest)).scalar_one()
        assert used == house.NOW
    finally:
        watchword.clock.advance(-timedelta(minutes=5))


def test_a_page_too_far_behind_or_ahead_is_loaded_anew(feed, watchword):
    assert not feed.too_old(watchword.ledger.last_position())
    assert feed.too_old(watchword.ledger.last_position() + 1)


def test_messages_are_cut_into_lines():
    assert message("<p>\na\r\nb</p>", 7) == "id: 7\ndata: <p>\ndata: a\ndata: b</p>\n\n"
    assert named("beat", f"x {build_id()}", 3) == f"id: 3\nevent: beat\ndata: x {build_id()}\n\n"


def test_nobody_and_unknown_pages_get_no_stream(client_of, ada):
    assert client_of().get("/live?page=overview").status_code == 401
    assert ada.get("/live?page=nonsense").status_code == 404
    assert client_of().get("/live?page=wall").status_code == 401
