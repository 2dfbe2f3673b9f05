"""Live: one stream of server-sent events per page; each message replaces parts of the page as the server draws them."""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from watchword.app.principal import Permission
from watchword.app.watchword import Watchword
from watchword.ingest.ledger import Change
from watchword.kit.errors import WatchwordError
from watchword.web.bundle import build_id
from watchword.web.live_regions import PAGES
from watchword.web.pages import Ask, LogInNeeded, Web, asker
from watchword.web.regions import Region
from watchword.web.wall import wall_ask

router = APIRouter()
POLL: Final = 0.4
"""Seconds between looks at the news: at most 2.5 messages a second."""
BEAT: Final = 10.0
MOST: Final = 500
"""News taken at once; a page that is further behind is loaded anew."""
PATIENCE: Final = timedelta(seconds=15)
"""A segment's news comes before its events can be read; so long they are waited for."""
log = structlog.get_logger()


class Feed:
    """The news of this process' record store, and whether their events can be read already."""

    def __init__(self, watchword: Watchword) -> None:
        self._watchword = watchword
        self._ready: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self.stopped = False

    def stop(self) -> None:
        """End all streams."""
        self.stopped = True

    def after(self, position: int, now: datetime) -> Sequence[Change]:
        """Return the news after a position, up to the first whose events cannot be read yet."""
        found: list[Change] = []
        for change in self._watchword.ledger.changes(position, MOST):
            if change.kind == "segment" and not self._readable(change, now):
                break
            found.append(change)
        return found

    def too_old(self, position: int) -> bool:
        """Tell whether a page at this position has missed more than can be sent, or is ahead of us (another data folder)."""
        last = self._watchword.ledger.last_position()
        return position > last or len(self._watchword.ledger.changes(position, MOST)) >= MOST

    def _readable(self, change: Change, now: datetime) -> bool:
        with self._lock:
            if change.uid in self._ready:
                return True
        wanted = int(change.summary.get("events") or 0)
        if wanted and now - change.at < PATIENCE and self._watchword.events.holds(int(change.uid))[1] < wanted:
            return False
        with self._lock:
            self._ready[change.uid] = None
            while len(self._ready) > 2_000:
                self._ready.popitem(last=False)
        return True


@dataclass(slots=True)
class Stream:
    """One page's stream: where it stands and what it last sent."""

    request: Request
    regions: tuple[Region, ...]
    parameters: dict[str, str]
    position: int
    principal: Any
    ask_of: Callable[[Request], Ask]
    drawn: dict[str, float] = field(default_factory=dict)
    """When each region was last drawn, on the monotonic clock."""
    opened: float = field(default_factory=time.monotonic)
    pending: dict[str, list[Change]] = field(default_factory=dict)

    def step(self, feed: Feed, check: bool) -> tuple[list[str], bool]:
        """Return messages to send now, and whether the stream may go on."""
        web: Web = self.request.app.state.web
        if check:
            try:
                self.ask_of(self.request)
            except WatchwordError:
                return [], False
        ask = Ask(self.request, self.principal.principal, self.principal.look, web)
        changes = feed.after(self.position, ask.now)
        if changes:
            self.position = changes[-1].position
        messages = []
        now = time.monotonic()
        for region in self.regions:
            waiting = self.pending.setdefault(region.name, [])
            waiting.extend(change for change in changes if change.kind in region.kinds)
            rested = timedelta(seconds=now - self.drawn.get(region.name, self.opened))
            first = region.name not in self.drawn
            if (waiting and (first or rested >= region.least)) or (region.most is not None and rested >= region.most):
                html = region.draw(ask, self.parameters, tuple(waiting))
                self.pending[region.name] = []
                self.drawn[region.name] = now
                if html:
                    messages.append(html)
        return messages, True


def message(html: str, position: int) -> str:
    """Return one unnamed message, whose parts htmx swaps."""
    return f"id: {position}\n" + "".join(f"data: {line}\n" for line in html.splitlines() or [""]) + "\n"


def named(event: str, data: str, position: int | None = None) -> str:
    """Return a named message, which becomes a DOM event."""
    return (f"id: {position}\n" if position is not None else "") + f"event: {event}\ndata: {data}\n\n"


@router.get("/live")
def live(request: Request, page: str = "", after: str = "0") -> Response:
    """Open a page's stream after the position at which it was rendered; where it broke off, when it reconnects."""
    regions = PAGES.get(page)
    if regions is None:
        return PlainTextResponse("There is no such stream\n", 404)
    ask_of = wall_ask if page == "wall" else asker
    try:
        ask = ask_of(request)
    except LogInNeeded:
        return PlainTextResponse("Log in first\n", 401)
    if page != "wall":
        ask.require(Permission.READ)
    last = request.headers.get("last-event-id", "")
    position = int(last) if last.isascii() and last.isdigit() else int(after) if after.isascii() and after.isdigit() else 0
    stream = Stream(request, regions, dict(request.query_params), position, ask, ask_of)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_messages(stream, request.app.state.feed), media_type="text/event-stream", headers=headers)


async def _messages(stream: Stream, feed: Feed) -> AsyncIterator[str]:
    if await to_thread.run_sync(feed.too_old, stream.position):
        yield named("reset", "too old")
        return
    yield named("beat", _beat(stream), stream.position)
    loop = asyncio.get_running_loop()
    beaten = checked = loop.time()
    while not feed.stopped:
        check = loop.time() - checked >= BEAT
        try:
            messages, on = await to_thread.run_sync(stream.step, feed, check)
        except WatchwordError as error:
            log.warning("stream interrupted", page=stream.request.url.query, error=str(error))
            return
        if not on:
            return
        if check:
            checked = loop.time()
        for each in messages:
            yield message(each, stream.position)
        if loop.time() - beaten >= BEAT:
            beaten = loop.time()
            yield named("beat", _beat(stream), stream.position)
        await asyncio.sleep(POLL)


def _beat(stream: Stream) -> str:
    web: Web = stream.request.app.state.web
    return f"{web.watchword.clock.now():%Y-%m-%dT%H:%M:%SZ} {build_id()}"
