"""Pages over a small real house: they show what is there, escape what came from outside, and change nothing on GET."""

import re
from html.parser import HTMLParser

import pytest

PAGES = ["/", "/timeline", "/findings", "/findings?work=all", "/places/harbour", "/people", "/people/person:1042", "/assets",
         "/assets/asset:cam-03", "/sources", "/sources/windows", "/entities", "/account", "/help", "/places/harbour/doors/D-03",
         "/places/harbour/main/0/lobby", "/places/harbour/main", "/wall", "/uptime", "/uptime/asset:cam-03", "/uptime/harbour/doors/D-01"]  # fmt: skip


class Outline(HTMLParser):
    """Collects what every page must have, and what none may have."""

    def __init__(self):
        super().__init__()
        self.h1 = 0
        self.ids = []
        self.bad = []
        self.labels = set()
        self.inputs = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.h1 += tag == "h1"
        if found.get("id"):
            self.ids.append(found["id"])
        self.bad += [f"{tag} {name}" for name in found if name == "style" or name.startswith("on")]
        self.bad += [tag for _ in [0] if tag == "style" or (tag == "script" and "src" not in found)]
        if tag == "label" and found.get("for"):
            self.labels.add(found["for"])
        if tag in {"input", "select", "textarea"} and found.get("type") not in {"hidden", "checkbox", "radio"} and "hidden" not in found:
            self.inputs.append(found.get("id"))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading_unique_ids_labels_and_nothing_inline(root, path):
    answer = root.get(path)
    assert answer.status_code == 200, answer.text[:500]
    outline = Outline()
    outline.feed(answer.text)
    assert outline.h1 == 1
    assert not outline.bad
    doubled = {each for each in outline.ids if outline.ids.count(each) > 1} - {"hatch"}
    assert not doubled
    assert all(field in outline.labels for field in outline.inputs)


@pytest.mark.parametrize("path", PAGES)
def test_what_came_from_outside_is_escaped(root, house, path):
    assert house.INJECTION not in root.get(path).text


def test_injection_is_shown_as_text(root):
    assert "&lt;script&gt;alert(&#39;x&#39;)" in root.get("/timeline").text


def test_overview_shows_what_needs_a_person_first(ada):
    text = ada.get("/").text
    assert "1 finding needs a person" in text
    assert "working from Lisbon" in text
    assert "Odd, but calling nobody" in text
    assert "Sources not heard" in text
    assert "cameras" in text  # silent for half an hour, expected every five minutes


def test_times_are_of_the_place_with_zone_and_utc_for_machines(ada):
    text = ada.get("/").text
    assert re.search(
        r'<time datetime="2026-03-03T07:41:00.000Z" title="[^"]*CET[^"]*">08:41:00 <span class="zone">Berlin</span></time>', text
    )


def test_the_clock_can_be_switched(ada):
    assert ada.post("/account/clock", data={"clock": "utc", "back": "/"}).status_code == 303
    assert ">07:41:00 <span" in ada.get("/").text


def test_timeline_filters(ada):
    assert "badge opened R-03" in ada.get("/timeline?q=opened").text
    assert "badge refused" not in ada.get("/timeline?q=opened").text
    assert "Front door forced" in ada.get("/timeline?severity=high").text
    assert "badge opened" not in ada.get("/timeline?severity=high").text
    assert "areyes logged on" in ada.get("/timeline?address=203.0.113.9").text
    assert "areyes logged on" not in ada.get("/timeline?domain=physical").text
    assert "badge opened" not in ada.get("/timeline?domain=it").text
    assert "badge opened" in ada.get("/timeline?place=Server+room+2+door").text
    assert "Nothing matches" in ada.get("/timeline?q=unheard-of").text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("address=x", "no IP address"),
        ("person=Nobody", "No person"),
        ("since=yesterdayish", "is no time"),
        ("class=nonsense", "More filters"),
    ],
)
def test_wrong_filters_are_said_beside_their_field(ada, query, words):
    answer = ada.get(f"/timeline?{query}")
    assert answer.status_code == 422
    assert words in answer.text


def test_a_persons_events_ask_for_a_reason_first(ada, watchword):
    text = ada.get("/timeline?person=Ana+Reyes").text
    assert "Why do you need the trail of A. Reyes?" in text
    assert "badge opened" not in text
    badge = next(
        link.entity
        for link in watchword.registry.directory().people.links
        if link.person == "person:1042" and link.entity.startswith("badge")
    )
    assert "Why do you need the trail" in ada.get("/timeline", params={"credential": badge}).text


def test_an_event_shows_its_document_and_raw_record(ada, watchword):
    from watchword.model import EventQuery

    uid = watchword.events.events(EventQuery(text="opened"))[0].uid
    text = ada.get(f"/events/{uid}").text
    assert "&#34;raw&#34;: &#34;badge opened R-03&#34;" in text
    assert "ww_reader" in text
    assert ada.get("/events/unknown").status_code == 404


def test_a_finding_shows_sentence_axis_rule_and_raw_records(ada, house):
    from watchword.kit.ids import uid_of

    text = ada.get(f"/findings/{uid_of('finding', '1')}").text
    assert "one person cannot be in both places" in text
    assert "Time axis: 1 physical and 1 IT events" in text
    assert "Raw record" in text
    assert "badge opened R-03" in text
    assert "The rule and its numbers" in text
    assert ada.get("/findings/unknown").status_code == 404


def test_related_leaves_a_trail_closed(ada):
    from watchword.kit.ids import uid_of

    page = ada.get(f"/findings/{uid_of('finding', '1')}/related").text
    assert "pivot" in page
    part = ada.get(f"/findings/{uid_of('finding', '1')}/related", headers={"HX-Request-Type": "partial"}).text
    assert "<html" not in part
    assert 'id="related"' in part


def test_a_plan_shows_alarms_unknowns_and_cameras(ada):
    text = ada.get("/places/harbour").text
    assert "In alarm now" in text
    assert "Front door: forced 3 min" in text
    assert "cam-03: offline" in text
    assert "Floor plan of Ground floor: 3 zones, 3 doors, 1 in alarm" in text


def test_one_site_is_gone_to_at_once(ada):
    answer = ada.get("/places")
    assert (answer.status_code, answer.headers["location"]) == (303, "/places/harbour")


def test_people_and_assets_are_found(ada):
    assert "Ana Reyes" in ada.get("/people?q=rey").text
    assert "Li Bo" not in ada.get("/people?q=rey").text
    assert "Nobody matches" in ada.get("/people?q=zzz").text
    assert "cam-03" in ada.get("/assets?kind=camera").text
    assert "ws-042" not in ada.get("/assets?kind=camera").text


def test_unknown_things_are_404_with_a_page(ada):
    for path in ("/people/person:0", "/assets/asset:x", "/places/nowhere", "/sources/none", "/nothing"):
        answer = ada.get(path)
        assert answer.status_code == 404
        assert "<h1>" in answer.text


def test_ranking_lists_people_and_addresses(ada):
    text = ada.get("/entities").text
    assert "A. Reyes" in text
    assert ada.get("/entities?kind=person").status_code == 200


def test_chart_numbers_are_json(ada):
    option = ada.get("/charts/events").json()
    assert sum(option["series"][0]["data"]) == 2
    assert sum(option["series"][1]["data"]) == 4


def test_pages_say_they_vary_and_are_not_kept(ada):
    headers = ada.get("/").headers
    assert headers["cache-control"] == "no-store"
    assert "HX-Request-Type" in headers["vary"]


def test_every_word_that_is_explained_leads_to_its_explanation(ada, house):
    known = set(re.findall(r'id="([^"]+)"', ada.get("/help").text))
    assert {"presence", "alibi", "rhythm", "audit-log", "connect"} <= known
    for path in ("/", "/timeline?person=Ana+Reyes", "/findings", "/sources", "/entities", "/places/harbour", "/people/person:1042"):
        for anchor in re.findall(r'href="/help#([^"]+)"', ada.get(path).text):
            assert anchor in known, f"{path} leads to /help#{anchor}"


def test_the_glossary_keeps_its_marks_and_nothing_else(ada):
    text = ada.get("/help").text
    assert '<dt id="flow">flow</dt><dd><strong>IT.</strong> A summary of a network connection' in text
    assert "<em>rhythm</em>" in text
    assert "**" not in text
