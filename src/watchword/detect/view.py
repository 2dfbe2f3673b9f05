"""View: a camera is lost, then a door in its view opens; many cameras lost at once under one recorder or feed are one fault, not many."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from watchword.detect.clause import NOTHING, near
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import event_parts, in_words, make_finding
from watchword.detect.selection import compile_selections
from watchword.detect.setting import duration, number, refuse, word
from watchword.detect.unlock import read_explanation
from watchword.model import Asset, Event, Finding, FindingState, Mode
from watchword.model.ocsf import Access, EventClass, Severity
from watchword.resolve.directory import Directory

_UPSTREAM = "upstream:"
_MARGIN = timedelta(minutes=2)
_CLOSE_FACTOR = 0.8


class View:
    """The compiled rule. A key is a door in a camera's view, or an upstream that cameras share."""

    walks = False

    def __init__(self, rule: Rule, directory: Directory) -> None:
        """Compile the rule; its selections are ``lost``, ``restored`` and ``opened``.

        Raises:
            ContentError: the file is wrong.
        """
        self.rule = rule
        self._directory = directory
        selections = compile_selections(rule, directory)
        for name in ("lost", "restored", "opened"):
            if name not in selections:
                raise refuse(rule, f"select lacks {name!r}", "select")
        self._lost, self._restored, self._opened = (selections[name] for name in ("lost", "restored", "opened"))
        self._within = duration(rule, "within")
        self._group_size = int(number(rule, "group_size", 3))
        self._group_within = duration(rule, "group_within", "2m")
        self._group_because = word(rule, "group_because")
        self._explanation = read_explanation(rule, directory)
        self.classes = self._lost.classes | self._restored.classes | self._opened.classes
        self.classes |= {EventClass.BUILDING_CONTROL, EventClass.ALARM_SIGNAL}
        self.reach = max(self._within + 2 * self._group_within, self._explanation.reach) + _MARGIN
        cameras = [asset for asset in directory.assets.assets.values() if asset.sees]
        self._kin: dict[str, tuple[str, ...]] = {}
        for camera in cameras:
            kin = [other for other in cameras if other.uid == camera.uid or set(other.upstream) & set(camera.upstream)]
            self._kin[camera.uid] = tuple(sorted({door for other in kin for door in other.sees}))
        self._seen = frozenset(door for camera in cameras for door in camera.sees)

    def keys(self, event: Event) -> Iterable[str]:
        """Return the doors that the event concerns, and for a camera's loss also what the camera depends on.

        A loss goes to the doors of all cameras that share an upstream with it, so that a common cause shows there too.
        """
        if event.class_uid in self._lost.classes or event.class_uid in self._restored.classes:
            camera = self._camera(event)
            if camera is not None and self._lost.matches(event):
                return (*self._kin.get(camera.uid, ()), *(_UPSTREAM + uid for uid in camera.upstream))
            if camera is not None and self._restored.matches(event):
                return camera.sees
        return [door for door in self._explanation.keys(event) if door in self._seen]

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return what the door's or the upstream's events say."""
        losses = [event for event in events if event.class_uid in self._lost.classes and self._lost.matches(event)]
        if key.startswith(_UPSTREAM):
            return self._together(key.removeprefix(_UPSTREAM), losses)
        return self._openings(key, losses, events, coverage) if losses else ()

    def _camera(self, event: Event) -> Asset | None:
        return self._directory.asset(event.asset)

    def _under(self, upstream: str, losses: Sequence[Event]) -> list[Event]:
        return [event for event in losses if (camera := self._camera(event)) is not None and upstream in camera.upstream]

    def _enough(self, losses: Iterable[Event]) -> bool:
        return len({event.asset for event in losses}) >= self._group_size

    def _together(self, upstream: str, losses: Sequence[Event]) -> Iterable[Finding]:
        """Return a finding where the number of cameras lost within the time rises to the group's size."""
        mine = self._under(upstream, losses)
        before = False
        for position, edge in enumerate(mine):
            enough = self._enough(near(mine[: position + 1], edge.time - self._group_within, edge.time, NOTHING))
            if enough and not before:
                burst = near(mine, edge.time - self._group_within, edge.time + self._group_within, NOTHING)
                parts = event_parts(burst[0], self._directory)
                parts |= {"count": str(len({event.asset for event in burst})), "upstream": self._directory.label(upstream)}
                parts["after"] = in_words(max(1.0, (burst[-1].time - burst[0].time).total_seconds()))
                yield make_finding(
                    self.rule,
                    burst,
                    self._directory,
                    title="Cameras lost together",
                    because=self._group_because,
                    parts=parts,
                    assets=(upstream, *(event.asset for event in burst)),
                    severity=int(Severity.MEDIUM),
                    mode=Mode.RISK,
                )
            before = enough

    def _has_common_cause(self, loss: Event, losses: Sequence[Event]) -> bool:
        """Tell whether the loss lies in a time in which enough cameras of one of its upstreams were lost."""
        camera = self._camera(loss)
        around = near(losses, loss.time - self._group_within, loss.time + self._group_within, NOTHING)
        for upstream in camera.upstream if camera is not None else ():
            mine = self._under(upstream, around)
            for first in mine:
                window = [event for event in mine if first.time <= event.time <= first.time + self._group_within]
                if first.time <= loss.time and loss in window and self._enough(window):
                    return True
        return False

    def _openings(self, door: str, losses: Sequence[Event], events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return a finding for each loss that an opening follows; of two losses before one opening the earlier counts."""
        taken: set[str] = set()
        for loss in losses:
            camera = self._camera(loss)
            if camera is None or door not in camera.sees or self._has_common_cause(loss, losses):
                continue
            opening = self._opening_after(loss, events, coverage)
            if opening is not None and opening.uid not in taken:
                taken.add(opening.uid)
                finding = self._finding(loss, opening, events, coverage)
                if finding is not None:
                    yield finding

    def _opening_after(self, loss: Event, events: Sequence[Event], coverage: Coverage) -> Event | None:
        """Return the first opening within the time after a loss that nothing explains, else the first; none once the camera is back."""
        first: Event | None = None
        for event in near(events, loss.time, loss.time + self._within):
            tau = coverage.skew(loss.source) + coverage.skew(event.source)
            if not -tau <= event.time - loss.time <= self._within:
                continue
            if event.asset == loss.asset and event.time > loss.time and self._restored.matches(event):
                break
            if self._opened.matches(event):
                if event.activity_id == Access.FORCED or self._is_unexplained(event, events, coverage):
                    return event
                first = first or event
        return first

    def _is_unexplained(self, opening: Event, events: Sequence[Event], coverage: Coverage) -> bool:
        return self._explanation.is_opening(opening) and not self._explanation.explained(opening, events, coverage)

    def _finding(self, loss: Event, opening: Event, events: Sequence[Event], coverage: Coverage) -> Finding | None:
        state: FindingState | None = FindingState.FINAL
        parts = {**event_parts(loss, self._directory, "lost_"), **event_parts(opening, self._directory)}
        parts["after"] = in_words(max(0.0, (opening.time - loss.time).total_seconds()))
        mode, severity, parts["how"] = self.rule.mode, self.rule.severity, "was forced"
        if opening.activity_id != Access.FORCED:
            if self._is_unexplained(opening, events, coverage):
                slack = self._explanation.around + 2 * coverage.skew(opening.source)
                state = coverage.decide(self.rule.needs, opening.site, opening.time - slack, opening.time + slack)
                parts["how"] = "was opened though nothing authorised it"
            else:
                mode, severity, parts["how"] = Mode.RISK, int(Severity.LOW), f"was opened by {parts['person']}"
        if state is None:
            return None
        close = abs(opening.time - loss.time) < coverage.skew(loss.source) + coverage.skew(opening.source)
        return make_finding(
            self.rule,
            [loss, opening],
            self._directory,
            parts=parts,
            mode=mode,
            severity=severity,
            state=state,
            confidence=self.rule.confidence * (_CLOSE_FACTOR if close else 1.0),
            notes=("The clocks cannot tell which came first.",) if close else (),
        )


def view(rule: Rule, directory: Directory) -> Detector:
    """Make the detector of a rule with ``operator: view``."""
    return View(rule, directory)
