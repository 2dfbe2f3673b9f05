import time
from datetime import timedelta

import pytest

from watchword.kit.errors import ContentError
from watchword.model import ZoneKind
from watchword.resolve.site_file import read_site, read_sites


def faults_of(text, **more):
    with pytest.raises(ContentError) as caught:
        read_sites({"site.yaml": text}, **more)
    return [str(fault) for fault in caught.value.faults]


def test_one_file_tells_of_several_sites(site_text):
    site, assets = read_site(site_text, "site.yaml")
    assert [uid for uid in site.places if "/" not in uid] == ["harbour", "mill", "shed"]
    room = site.places["harbour/main/0/server-room"]
    assert (room.zone_kind, room.zone, room.network) == (ZoneKind.CRITICAL, "Europe/Berlin", True)
    assert not site.places["harbour/main/0/vault"].network
    front = site.doors["harbour/doors/D-01"]
    assert (front.from_zone, front.to_zone, front.kind, front.length_m) == ("harbour/outside", "harbour/main/0/lobby", "turnstile", 6.0)
    assert front.has_exit_reader
    assert not site.doors["harbour/doors/D-02"].has_exit_reader
    assert assets.assets["asset:ws-042"].addresses == ("10.1.2.42", "00:11:22:33:44:55")
    assert assets.assets["asset:ws-042"].upstream == ("asset:sw-1",)
    assert assets.assets["asset:cam-03"].sees == ("harbour/doors/D-01", "harbour/doors/D-02")
    assert [lease.asset for lease in assets.leases] == ["asset:old", "asset:new"]
    assert site.travels[0].least == timedelta(minutes=95)


def test_a_reader_that_serves_both_ways_stands_in_both():
    site, _ = read_site("site: a\nzones: {x: }\ndoors: {d: {from: outside, to: x, readers: R}}", "a")
    assert [(reader.uid, reader.direction) for reader in site.doors["a/doors/d"].readers] == [("R", "in"), ("R", "out")]


def test_all_faults_come_at_once_with_line_and_remedy(site_text):
    wrong = (
        site_text.replace("place: lobby, sees: [D-01, D-02]", "place: loby, sees: [D-1]")
        .replace("kind: critical", "kind: critcal")
        .replace("Europe/Berlin", "Europe/Berln")
        .replace("readers: {in: R-02}", "readers: {in: R-01-in}")
        .replace("length_m: 12", "lenght_m: 12")
        .replace("95m", "95 minutes")
        .replace("07:00-19:00", "07:00-25:00")
        .replace("upstream: sw-1", "upstream: sw-9")
        .replace("10.1.2.50", "10.1.2.42")
    )
    found = faults_of(wrong)
    expected = [
        "site.yaml:3: time zone 'Europe/Berln' is not known (did you mean 'Europe/Berlin'?)",
        "site.yaml:13: 'kind' is 'critcal', which is no known kind (did you mean 'critical'?)",
        "site.yaml:17: unknown key 'lenght_m' (did you mean 'length_m'?)",
        "site.yaml:17: reader 'R-01-in' already stands at 'harbour/doors/D-01' (every reader's name stands at one door, once each way)",
        "site.yaml:21: depends on 'sw-9', which is not described (did you mean 'sw-1'?)",
        "site.yaml:22: address '10.1.2.42' already belongs to 'ws-042' (remove one, or give each its since and until)",
        "site.yaml:24: place 'loby' is no zone of 'harbour' (did you mean 'main/0/lobby'?)",
        "site.yaml:24: sees door 'D-1', which is not described (did you mean 'D-01'?)",
        'site.yaml:28: hour must be in 0..23 (write hours as "07:00-19:00", in quotes)',
        "site.yaml:31: '95 minutes' is no duration; write a number and ms, s, m, h, d or w, as in 15m or 1h30m",
    ]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "describes no site"),
        ("name: x", "'site' is missing"),
        ("site: Harbour", "must be one lower-case word"),
        ("site: a\nzones: {x: }", "'a/main/0/x' cannot be reached from outside"),
        ("site: a\nzones: {x: {kind: critical}}\ndoors: {d: {from: outside, to: x}}", "critical zone 'a/main/0/x' has no reader"),
        ("site: a\nzones: {x: }\ndoors: {d: {from: x, to: x}}", "leads from 'a/main/0/x' to itself"),
        ("site: a\nzones: {x: }\ndoors: {d: {to: x}}", "'from' is missing"),
        ("site: a\nzones: {x: }\ndoors: {d: {from: outside, to: x, kind: dor}}", "did you mean 'door'?"),
        ("site: a\nzones: {x: }\ndoors: {d: {from: outside, to: x, schedule: always}}", "calendar 'always' is not described"),
        ("site: a\nzones: {x: }\ndoors: {d: {from: outside, to: x, egress: maybe}}", "must be true or false"),
        ("site: a\nzones: {x: }\ndoors: {d: {from: outside, to: x, length_m: -1}}", "must be a number from 0 to 10000"),
        ("site: a\nzones: {x: }\ndoors: {d: {from: outside, to: x}, d: {from: outside, to: x}}", "stands here a second time"),
        ("site: a\nassets: {x: {kind: camra}}", "did you mean 'camera'?"),
        ("site: a\nassets: {x: {addresses: [0x1]}}", "is no address"),
        ("site: a\nassets: {x: {addresses: {address: 1.2.3.4, since: 2026-02-01, until: 2026-01-01}}}", "'since' must be before 'until'"),
        (
            "site: a\nassets: {x: {addresses: {address: 1.2.3.4}}, y: {addresses: {address: 1.2.3.4, since: 2026-01-01}}}",
            "belongs to 'x' at the same time",
        ),
        ("site: a\nlocation: {latitude: 91, longitude: 0}", "from -90 to 90"),
        ("site: a\nlocation: {latitude: 1}", "belong together"),
        ("site: a\ncalendars: {c: {days: mon-frö}}", "is no weekday"),
        ("site: a\ncalendars: {c: {holidays: [2026-13-01]}}", "is no value: month must be in 1..12"),
        ("site: a\ncalendars: {c: {holidays: [christmas]}}", "is no date"),
        ("site: a\ntravel: {sites: [a, a], least: 5m}", "between two different sites"),
        ("site: a\n---\nsite: a\nname: again", "is described a second time"),
        ("- a", "expected keys and values"),
        ("site: [", "is not valid YAML"),
    ],
)
def test_each_fault_is_named(text, said):
    found = faults_of(text)
    assert any(said in fault for fault in found), found
    assert all(fault.startswith("site.yaml:") for fault in found)


def test_a_door_that_leads_nowhere_is_named_without_its_consequences():
    found = faults_of("site: a\nzones: {x: }\ndoors: {d: {from: otside, to: x}}")
    assert found == ["site.yaml:3: zone 'otside' is not described at 'a' (did you mean 'outside'?)"]


def test_what_is_doubtful_is_noted_and_is_no_fault(site_text):
    notes = [str(note) for note in read_sites({"site.yaml": site_text + "geometry: plan.geojson\n"}).notes]
    assert "site.yaml:17: door 'D-02' has no exit reader: presence behind it fades within 12 h" in notes
    assert any("geometry 'plan.geojson' was not given" in note for note in notes)


def test_files_are_read_together():
    first = "site: a\nzones: {x: }\ndoors: {d: {from: outside, to: x, schedule: open}}"
    found = read_sites({"a.yaml": first, "more.yaml": "site: a\ncalendars: {open: {hours: '09:00-17:00'}}\nassets: {c: {place: x}}"})
    assert found.site.doors["a/doors/d"].schedule == "a/calendars/open"
    assert found.assets.assets["asset:c"].place == "a/main/0/x"


def test_a_list_of_sites_reads_like_documents():
    site, _ = read_site("sites:\n- {site: a}\n- {site: b}\ntravel: [{sites: [a, b], least: 1h}]", "s")
    assert {"a", "b"} <= set(site.places)
    assert site.travels[0].least == timedelta(hours=1)


def test_a_large_book_loads_in_a_second():
    zones = "".join(f"  z{number}: {{name: Zone {number}, kind: office}}\n" for number in range(60))
    doors = "".join(f"  D{n}: {{from: {'outside' if n == 0 else f'z{n - 1}'}, to: z{n}, readers: {{in: R{n}}}}}\n" for n in range(60))
    assets = "".join(f"  ws-{n}: {{kind: workstation, place: z{n % 60}, addresses: [10.0.{n // 250}.{n % 250}]}}\n" for n in range(250))
    started = time.process_time()
    site, book = read_site(f"site: big\nzones:\n{zones}doors:\n{doors}assets:\n{assets}", "big.yaml")
    assert time.process_time() - started < 1.0
    assert (len(site.doors), len(book.assets)) == (60, 250)
