"""View: a camera is lost, then a door in its view opens; many cameras lost at once under one recorder or feed are one fault, not many."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

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


class View:
    """The compiled rule. A key is a door in a camera's view, or an upstream that cameras share."""

    walks = True

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
        self._doors: dict[str, tuple[str, ...]] = {}
        self.classes = self._lost.classes | self._restored.classes | self._opened.classes
        self.classes |= {EventClass.BUILDING_CONTROL, EventClass.ALARM_SIGNAL}
        self.reach = max(self._within + self._group_within, self._explanation.reach) + _MARGIN
        cameras = [asset for asset in directory.assets.assets.values() if asset.sees]
        for camera in cameras:
            kin = [other for other in cameras if other.uid == camera.uid or set(other.upstream) & set(camera.upstream)]
            self._doors[camera.uid] = tuple(sorted({door for other in kin for door in other.sees}))
        self._seen = frozenset(door for camera in cameras for door in camera.sees)

    def keys(self, event: Event) -> Iterable[str]:
        """Return the doors that the event concerns, and for a camera also what it depends on."""
        if self._lost.matches(event) or self._restored.matches(event):
            camera = self._directory.asset(event.asset)
            if camera is None:
                return ()
            return (*self._doors.get(camera.uid, ()), *(_UPSTREAM + uid for uid in camera.upstream))
        return [door for door in self._explanation.keys(event) if door in self._seen]

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return what the door's or the upstream's events say."""
        losses = [event for event in events if self._lost.matches(event)]
        if key.startswith(_UPSTREAM):
            return self._together(key.removeprefix(_UPSTREAM), losses)
        return self._openings(key, losses, events, coverage)

    def _camera(self, event: Event) -> Asset | None:
        return self._directory.asset(event.asset)

    def _groups(self, upstream: str, losses: Sequence[Event]) -> Iterable[list[Event]]:
        """Return the bursts in which enough cameras of one upstream were lost together."""
        mine = [event for event in losses if (camera := self._camera(event)) is not None and upstream in camera.upstream]
        start = 0
        while start < len(mine):
            until = mine[start].time + self._group_within
            burst = [event for event in mine[start:] if event.time <= until]
            if len({event.asset for event in burst}) >= self._group_size:
                yield burst
                start += len(burst)
            else:
                start += 1

    def _together(self, upstream: str, losses: Sequence[Event]) -> Iterable[Finding]:
        for burst in self._groups(upstream, losses):
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
                severity=Severity.MEDIUM,
                mode=Mode.RISK,
            )

    def _grouped(self, losses: Sequence[Event]) -> set[str]:
        """Return the uids of losses that belong to a common cause."""
        upstreams = {uid for event in losses if (camera := self._camera(event)) is not None for uid in camera.upstream}
        return {event.uid for upstream in upstreams for burst in self._groups(upstream, losses) for event in burst}

    def _openings(self, door: str, losses: Sequence[Event], events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        grouped = self._grouped(losses)
        spent: tuple[datetime, str] | None = None
        for opening in events:
            if not self._opened.matches(opening) or (spent is not None and opening.order <= spent):
                continue
            loss = self._loss_before(door, opening, losses, events, coverage)
            if loss is None or loss.uid in grouped or (spent is not None and loss.order <= spent):
                continue
            finding = self._finding(loss, opening, events, coverage)
            if finding is not None:
                spent = opening.order
                yield finding

    def _loss_before(self, door: str, opening: Event, losses: Sequence[Event], events: Sequence[Event], coverage: Coverage) -> Event | None:
        """Return the earliest loss within the time of a camera that sees the door and was not back when the door opened."""
        for loss in losses:
            tau = coverage.skew(loss.source) + coverage.skew(opening.source)
            camera = self._camera(loss)
            if camera is None or door not in camera.sees or not -tau <= opening.time - loss.time <= self._within:
                continue
            if not any(
                event.asset == loss.asset and loss.time < event.time < opening.time and self._restored.matches(event) for event in events
            ):
                return loss
        return None

    def _finding(self, loss: Event, opening: Event, events: Sequence[Event], coverage: Coverage) -> Finding | None:
        state: FindingState | None = FindingState.FINAL
        parts = {**event_parts(loss, self._directory, "lost_"), **event_parts(opening, self._directory)}
        parts["after"] = in_words(max(0.0, (opening.time - loss.time).total_seconds()))
        mode, severity, parts["how"] = self.rule.mode, self.rule.severity, "was forced"
        if opening.activity_id != Access.FORCED:
            if self._explanation.is_opening(opening) and not self._explanation.explained(opening, events, coverage):
                slack = self._explanation.around + 2 * coverage.skew(opening.source)
                state = coverage.decide(self.rule.needs, opening.site, opening.time - slack, opening.time + slack)
                parts["how"] = "was opened though nothing authorised it"
            else:
                mode, severity, parts["how"] = Mode.RISK, Severity.LOW, f"was opened by {parts['person']}"
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
            confidence=self.rule.confidence * (0.8 if close else 1.0),
            notes=("The clocks cannot tell which came first.",) if close else (),
        )


def view(rule: Rule, directory: Directory) -> Detector:
    """Make the detector of a rule with ``operator: view``."""
    return View(rule, directory)
