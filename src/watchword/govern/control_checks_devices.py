"""Checks of sources and devices: who still speaks, what is armed, what was tried in time, which clocks are right, what has power."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from watchword.govern.control_facts import CHECKS, CheckFact, Facts, SourceFact, refs, value
from watchword.govern.control_test import Outcome, Params
from watchword.measure.compliance import Result, Way
from watchword.model import Event, SourceKind
from watchword.model.entity import AssetKind
from watchword.model.ocsf import BuildingControl, EventClass, Health
from watchword.resolve.calendars import is_on

UNKNOWN_RHYTHM: Final = timedelta(hours=1)
MISSED: Final = 2
"""A source is silent after so many times its rhythm."""
BATCHED: Final = frozenset({"csv", "jsonl"})
"""Connectors whose records wait for the next file: their age at arrival says nothing of a clock that is behind."""
CLOSES: Final = frozenset({2, 4, 6, 8})
"""Lifecycles of an alarm signal that end one."""
FIVE: Final = 5


def silent(source: SourceFact, facts: Facts) -> bool:
    """Tell whether nothing came for twice the source's rhythm."""
    allowed = MISSED * (source.rhythm or UNKNOWN_RHYTHM)
    return source.last_received is None or facts.now - source.last_received > allowed


def heard(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Sources of these kinds speak for each site, in their rhythm. ``silent: fail`` where the rhythm itself is what the control wants."""
    kinds = [SourceKind(word) for word in params.words("kinds")]
    bad = Result.FAIL if params.word("silent") == "fail" else Result.INSUFFICIENT
    for site in facts.sites() or [""]:
        for kind in kinds:
            speakers = [each for each in facts.sources if each.kind is kind and each.site in {"", site}]
            words = kind.value.replace("_", " ")
            dumb = [each for each in speakers if silent(each, facts)]
            read = tuple(("event", uid) for each in speakers for uid in each.sampled[:2]) + tuple(
                ("source", each.name) for each in speakers
            )
            gone = [each.name for each in speakers if each.gaps]
            if not any(each.last_received for each in speakers):
                yield Outcome(site, Result.INSUFFICIENT, f"no {words} source speaks for it", read)
            elif dumb:
                names = ", ".join(each.name for each in dumb)
                yield Outcome(site, bad, f"{words} is silent: {names}", read)
            elif gone:
                yield Outcome(site, bad, f"{words} was silent for a while: {', '.join(gone)}", read)
            else:
                yield Outcome(site, Result.PASS, f"{words} speaks in its rhythm", read)


def all_sources(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Every source speaks in its rhythm."""
    del params
    for source in facts.sources:
        read = (("source", source.name), *(("event", uid) for uid in source.sampled[:3]))
        if source.last_received is None:
            yield Outcome(f"source:{source.name}", Result.INSUFFICIENT, "it has never sent anything", read[:1])
        elif silent(source, facts):
            yield Outcome(f"source:{source.name}", Result.FAIL, "it is silent", read)
        else:
            yield Outcome(f"source:{source.name}", Result.PASS, "it speaks in its rhythm", read)


def clocks(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each source's clock is right within a limit, by the least of arrival minus event time."""
    limit = params.duration("within", "2s")
    for source in facts.sources:
        asset, read = f"source:{source.name}", tuple(("event", uid) for uid in source.sampled)
        if source.envelope is None:
            yield Outcome(asset, Result.INSUFFICIENT, "nothing came by which its clock could be told", read)
        elif source.envelope < -limit:
            yield Outcome(asset, Result.FAIL, f"its clock runs ahead by {-source.envelope.total_seconds():.1f} s or more", read)
        elif source.envelope <= limit:
            yield Outcome(asset, Result.PASS, f"its clock is right within {limit.total_seconds():g} s", read)
        elif source.connector in BATCHED:
            yield Outcome(asset, Result.INSUFFICIENT, "its records wait for the next file: a clock that is behind would not show", read)
        elif source.envelope <= source.lateness:
            words = f"its records take {source.envelope.total_seconds():.1f} s or more: a clock that is behind would not show"
            yield Outcome(asset, Result.INSUFFICIENT, words, read)
        else:
            yield Outcome(
                asset, Result.FAIL, f"its clock is behind, or its records late, by {source.envelope.total_seconds():.1f} s or more", read
            )


def checked(facts: Facts, params: Params) -> Iterator[Outcome]:
    """A check of a kind was made of each thing, lately enough, and passed; never made is not known, too old or failed is a fail."""
    kind, within = params.word("kind"), params.duration("within", "90d")
    machine = params.word("way") == Way.TELEMETRY.value
    for asset in targets(facts, params.word("of", "site")):
        yield _made(facts.newest(kind, asset), asset, kind, within, facts, machine=machine)


def _made(made: CheckFact | None, asset: str, kind: str, within: timedelta, facts: Facts, *, machine: bool = False) -> Outcome:
    words = CHECKS.get(kind, kind)
    if made is None or (machine and made.way is not Way.TELEMETRY):
        return Outcome(asset, Result.INSUFFICIENT, f"nothing says that {words}")
    read = (made.ref,) if made.ref[0] else ()
    if not made.passed:
        return Outcome(asset, Result.FAIL, f"the check that {words}, on {made.at:%d %b %Y}, failed", read, made.way)
    if facts.now - made.at > within:
        return Outcome(
            asset, Result.FAIL, f"it was on {made.at:%d %b %Y} that {words}, {(facts.now - made.at).days} days ago", read, made.way
        )
    return Outcome(asset, Result.PASS, f"{words} on {made.at:%d %b %Y}", read, made.way)


def targets(facts: Facts, of: str) -> list[str]:
    """Return the uids that a word stands for: house, site, door, alarm, fire_panel, power, backed_up, cover, or a kind of asset."""
    assets = facts.directory.assets.assets
    found: dict[str, list[str]] = {
        "house": [""],
        "site": facts.sites(),
        "door": [door.uid for door in facts.directory.site.doors.values() if door.readers],
        "alarm": [a.uid for a in assets.values() if a.kind in {AssetKind.PANEL, AssetKind.CONTROLLER}],
        "fire_panel": [a.uid for a in assets.values() if a.protects],
        "power": list(facts.book.power),
        "backed_up": list(facts.book.backed_up) or [a.uid for a in assets.values() if a.kind in {AssetKind.PANEL, AssetKind.CONTROLLER}],
        "cover": [cover.place for cover in facts.directory.site.uptime.covers],
        **{kind.value: [a.uid for a in assets.values() if a.kind is kind] for kind in AssetKind},
    }
    return found.get(of, [])


def armed(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each panel was armed whenever its calendar asks, but for some grace."""
    grace = params.duration("grace", "30m")
    calendars = facts.directory.site.uptime.armed
    for panel in targets(facts, "panel"):
        calendar = facts.directory.site.calendars.get(calendars.get(panel, ""))
        signals = facts.of_asset(EventClass.ALARM_SIGNAL, panel)
        if calendar is None:
            yield Outcome(panel, Result.INSUFFICIENT, "no calendar says when it must be armed", refs(signals[-FIVE:]))
            continue
        state, odd = None, []
        sets = [event for event in signals if value(event, "ww_signal_code.contact_id")[:2] == "40"]
        for index, event in enumerate(sets):
            state = value(event, "ww_lifecycle_id") in {str(each) for each in CLOSES}
            until = sets[index + 1].time if index + 1 < len(sets) else facts.now
            if not state and any(is_on(calendar, event.time + grace + step) for step in _steps(until - event.time - grace)):
                odd.append(event)
        if odd:
            yield Outcome(panel, Result.FAIL, "it stood disarmed when its calendar wants it armed", refs(odd))
        elif state is None:
            yield Outcome(panel, Result.INSUFFICIENT, "it has not said whether it is armed", refs(signals[-FIVE:]))
        else:
            yield Outcome(panel, Result.PASS, "armed as its calendar says", refs(sets[-FIVE:]))


def _steps(length: timedelta) -> Iterator[timedelta]:
    """Yield offsets a quarter of an hour apart within a length."""
    for number in range(int(length / timedelta(minutes=15)) + 1 if length > timedelta() else 0):
        yield number * timedelta(minutes=15)


def no_trouble(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each panel speaks in its rhythm and has no trouble that was not restored."""
    silence = params.duration("silence", "2h")
    for panel in targets(facts, params.word("of", "panel")):
        signals = facts.of_asset(EventClass.ALARM_SIGNAL, panel)
        if not signals or facts.now - signals[-1].time > silence:
            yield Outcome(panel, Result.INSUFFICIENT, "nothing was heard of it lately", refs(signals[-FIVE:]))
            continue
        standing: dict[tuple[str, str], Event] = {}
        for event in signals:
            code = value(event, "ww_signal_code.contact_id")
            if code[:1] == "3" or code[:2] in {"20", "57"}:
                key = (code, value(event, "ww_alarm_point.uid"))
                if value(event, "ww_lifecycle_id") in {str(each) for each in CLOSES}:
                    standing.pop(key, None)
                else:
                    standing[key] = event
        bad = list(standing.values())
        if bad:
            yield Outcome(panel, Result.FAIL, f"{len(bad)} troubles stand: {bad[0].message or 'trouble'}", refs(bad), read=len(signals))
        else:
            yield Outcome(panel, Result.PASS, "supervised, without trouble", refs(signals[-FIVE:]), read=len(signals))


def cameras_up(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each camera was heard lately, and its last word was not that it is lost."""
    silence = params.duration("silence", "30m")
    for camera in targets(facts, "camera"):
        yield _up(facts, camera, silence)


_BAD: Final = frozenset(
    {Health.OFFLINE, Health.VIDEO_LOST, Health.SCENE_CHANGED, Health.RECORDING_STOPPED, Health.STORAGE_FAILED, Health.TAMPERED}
)


def _up(facts: Facts, uid: str, silence: timedelta) -> Outcome:
    said = facts.of_asset(EventClass.DEVICE_HEALTH, uid)
    if not said or facts.now - said[-1].time > silence:
        lost = said and said[-1].activity_id in _BAD
        return Outcome(
            uid, Result.FAIL if lost else Result.INSUFFICIENT, "it is lost" if lost else "nothing was heard of it lately", refs(said[-2:])
        )
    if said[-1].activity_id in _BAD:
        return Outcome(uid, Result.FAIL, "its last word is that it is lost", refs(said[-2:]), read=len(said))
    return Outcome(uid, Result.PASS, "it speaks, and nothing is wrong with it", refs(said[-2:]), read=len(said))


def covered(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each zone with a cover has k of its n cameras up."""
    silence = params.duration("silence", "30m")
    covers = facts.directory.site.uptime.covers
    if not covers:
        yield Outcome("", Result.INSUFFICIENT, "no zone says how many cameras must cover it (uptime.cover in the site file)")
    for cover in covers:
        cameras = cover.of or tuple(
            a.uid
            for a in facts.directory.assets.assets.values()
            if a.kind is AssetKind.CAMERA and facts.directory.within(a.place, cover.place)
        )
        said = [_up(facts, uid, silence) for uid in cameras]
        up = sum(each.result is Result.PASS for each in said)
        unknown = sum(each.result is Result.INSUFFICIENT for each in said)
        read = tuple(ref for each in said for ref in each.refs)
        words = f"{up} of {len(cameras)} cameras are up, {cover.least} must be"
        result = Result.PASS if up >= cover.least else Result.INSUFFICIENT if up + unknown >= cover.least else Result.FAIL
        yield Outcome(cover.place, result, words, read)


def powered(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each power supply speaks, runs on mains and has a good battery."""
    silence = params.duration("silence", "24h")
    if not facts.book.power:
        yield Outcome("", Result.INSUFFICIENT, "no uninterruptible power supply is described (controls configure)")
    for uid in facts.book.power:
        said = facts.of_asset(EventClass.DEVICE_HEALTH, uid)
        if not said or facts.now - said[-1].time > silence:
            yield Outcome(uid, Result.INSUFFICIENT, "nothing was heard of it lately", refs(said[-2:]))
        elif any(said[-1].activity_id == each for each in (Health.POWER_LOST, Health.BATTERY_LOW, Health.OFFLINE)):
            yield Outcome(uid, Result.FAIL, "it runs on battery, or its battery is low", refs(said[-2:]), read=len(said))
        else:
            yield Outcome(uid, Result.PASS, "online, on mains", refs(said[-2:]), read=len(said))


def egress(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each escape route can be left by hand, as somebody tried within the year. Read only: nothing is ever driven for this."""
    del params
    for door in facts.directory.site.doors.values():
        if not door.egress:
            continue
        read = tuple(("directory", each) for each in facts.documents)
        if door.leaves_freely(facts.now.date()):
            yield Outcome(door.uid, Result.PASS, f"left by hand, tried on {door.egress_checked}", read, Way.SAMPLED)
        elif door.egress_hardware and door.egress_checked is not None:
            yield Outcome(door.uid, Result.FAIL, "its egress needs power, or was tried too long ago", read, Way.SAMPLED)
        else:
            yield Outcome(door.uid, Result.INSUFFICIENT, "nobody wrote down how one leaves through it", read)


def environment(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Environment sensors report, and each alarm of theirs reached an incident or was restored in time."""
    within = params.duration("within", "15m")
    events = facts.of_class(EventClass.BUILDING_CONTROL)
    points = dict.fromkeys(event.asset or value(event, "ww_building_point.uid") for event in events)
    silent_ones = [uid for uid in targets(facts, "sensor") if uid not in points]
    for uid in silent_ones:
        yield Outcome(uid, Result.INSUFFICIENT, "it has not reported")
    for uid in points:
        mine = [event for event in events if (event.asset or value(event, "ww_building_point.uid")) == uid]
        ended = [event.time for event in mine if event.activity_id == BuildingControl.RESTORED]
        odd = [
            event
            for event in mine
            if event.activity_id == BuildingControl.ALARM
            and facts.reached(event, within) is None
            and not any(timedelta() <= at - event.time <= within for at in ended)
        ]
        if odd:
            yield Outcome(uid, Result.FAIL, f"{len(odd)} of its alarms reached nobody in time", refs(odd), read=len(mine))
        else:
            yield Outcome(uid, Result.PASS, "it reports, and its alarms reach somebody", refs(mine[-FIVE:]), read=len(mine))


def tracked(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each tagged thing was seen only where it may be, or with a pass, and enough of them were seen at all."""
    lasts, target = params.duration("pass_lasts", "24h"), params.number("coverage", 0.95)
    if not facts.book.tracked:
        yield Outcome("", Result.INSUFFICIENT, "no tagged thing is described (controls configure)")
        return
    seen = 0
    for uid, places in sorted(facts.book.tracked.items()):
        mine = [event for event in facts.events if event.asset == uid and event.place]
        seen += bool(mine)
        odd = [
            event
            for event in mine
            if not any(facts.directory.within(event.place, each) for each in places) and not _passed(facts, uid, event.time, lasts)
        ]
        if odd:
            yield Outcome(uid, Result.FAIL, f"seen {len(odd)} times where it may not be, without a pass", refs(odd), read=len(mine))
        elif not mine:
            yield Outcome(uid, Result.INSUFFICIENT, "it was not seen")
        else:
            yield Outcome(uid, Result.PASS, "seen only where it may be", refs(mine[-FIVE:]), read=len(mine))
    if seen / len(facts.book.tracked) < target:
        yield Outcome("", Result.INSUFFICIENT, f"only {seen} of {len(facts.book.tracked)} tags were seen")


def _passed(facts: Facts, uid: str, at: datetime, lasts: timedelta) -> bool:
    return any(each.kind == "pass" and each.target == uid and timedelta() <= at - each.at <= lasts for each in facts.checks)
