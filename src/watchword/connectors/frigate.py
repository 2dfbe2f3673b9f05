"""Cameras on Frigate: clips fetched as they are and hashed on their way into evidence, recordings kept from being overwritten by export."""

import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

from watchword.connectors.http_peer import HttpPeer, body_of
from watchword.connectors.product import Clip, Maker, Parts, PeerFault, Product
from watchword.connectors.responder_options import Ids, Options
from watchword.kit.errors import InputError, WatchwordError
from watchword.model.action import Action

VERBS: Final = frozenset({"camera.fetch_clip", "camera.lock_recording"})
LONGEST: Final = timedelta(hours=4)
SMALLEST: Final = 1024
"""Bytes: what is shorter is no clip, whatever its status says."""


class Frigate(Product):
    """Frigate 0.17 and newer over its HTTP API."""

    kind = "frigate"

    def __init__(self, name: str, parts: Parts, peer: HttpPeer, cameras: Ids, clip_seconds: float) -> None:
        verbs = VERBS if parts.keep_clip is not None else VERBS - {"camera.fetch_clip"}
        super().__init__(name, verbs, parts.clock)
        self._peer, self._cameras, self._parts, self._clip_seconds = peer, cameras, parts, clip_seconds

    def serves(self, action: Action) -> bool:
        """Tell whether the camera is known here."""
        return super().serves(action) and bool(self._cameras.get(action.target))

    def would(self, action: Action) -> str:
        """Say the request."""
        since, until = _span(action)
        path = self._clip_path(action, since, until) if action.verb == "camera.fetch_clip" else self._export_path(action, since, until)
        return f"{'GET' if action.verb == 'camera.fetch_clip' else 'POST'} {self._peer.url}{path}"

    def carry_out(self, action: Action) -> str:
        """Fetch the clip, or start the export that keeps the recording; one that is there already is left alone."""
        since, until = _span(action)
        if action.verb == "camera.fetch_clip":
            return self._fetch(action, since, until)
        if self._export(action) is not None:
            return "the recording was kept already"
        body = body_of({"source": "recordings", "playback": "realtime", "name": _mark(action)})
        said = self._peer.call("POST", self._export_path(action, since, until), body, {"Content-Type": "application/json"}).document()
        if said.get("success") is False:
            raise PeerFault("not-done", f"does not keep the recording: {str(said.get('message', ''))[:200]}", sent=False)
        return "the recorder exports the recording; the export stays until somebody deletes it"

    def observe(self, action: Action) -> Mapping[str, str] | None:
        """Read whether the export is there. Of a clip, evidence itself says what is kept."""
        if action.verb == "camera.fetch_clip":
            return None
        found = self._export(action)
        if found is None:
            return {"recording": "rolling"}
        # While it is being written nobody knows yet whether it will be whole.
        return {} if found.get("in_progress") else {"recording": "locked"}

    def reach(self) -> str:
        """Ask for its version."""
        return f"Frigate {self._peer.call('GET', '/api/version').body[:40].decode('utf-8', 'replace').strip()} answers"

    def _fetch(self, action: Action, since: datetime, until: datetime) -> str:
        keep = self._parts.keep_clip
        if keep is None:
            raise PeerFault("no-evidence", "there is no evidence store to keep a clip in", sent=False)
        self._parts.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="clip-", suffix=".mp4", dir=self._parts.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                taking = _Hashing(file)
                self._peer.call("GET", self._clip_path(action, since, until), into=taking, seconds=self._clip_seconds)
            if taking.size < SMALLEST:
                raise PeerFault("no-clip", f"sent {taking.size} bytes, which is no clip: is there a recording of that time?", sent=False)
            digest = taking.digest.hexdigest()
            try:
                uid = keep(Clip(action.target, since, until, digest, taking.size, Path(name), self.name, action))
            except WatchwordError as error:
                raise PeerFault("evidence", f"the clip came, but evidence does not take it: {error}", sent=False) from error
        finally:
            Path(name).unlink(missing_ok=True)
        return f"clip of {taking.size} bytes kept as evidence {uid}, SHA-256 {digest}"

    def _export(self, action: Action) -> dict[str, Any] | None:
        found = self._peer.call("GET", "/api/exports").value()
        camera, mark = self._cameras.get(action.target), _mark(action)
        for each in found if isinstance(found, list) else []:
            if isinstance(each, dict) and each.get("camera") == camera and each.get("name") == mark:
                return each
        return None

    def _clip_path(self, action: Action, since: datetime, until: datetime) -> str:
        camera = quote(self._cameras.get(action.target), safe="")
        return f"/api/{camera}/start/{since.timestamp():.3f}/end/{until.timestamp():.3f}/clip.mp4"

    def _export_path(self, action: Action, since: datetime, until: datetime) -> str:
        camera = quote(self._cameras.get(action.target), safe="")
        return f"/api/export/{camera}/start/{since.timestamp():.3f}/end/{until.timestamp():.3f}"


class _Hashing:
    """Writes to a file and hashes what it writes: at acquisition, before anything else sees the bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest, self.size = file, sha256(), 0

    def write(self, piece: bytes) -> int:
        """Take a piece."""
        self.digest.update(piece)
        self.size += len(piece)
        return self._file.write(piece)


def _mark(action: Action) -> str:
    """Return the export's name: the same for the same span of the same camera, so that nothing is exported twice."""
    since, until = _span(action)
    return f"watchword {sha256(f'{action.target} {since.timestamp()} {until.timestamp()}'.encode()).hexdigest()[:16]}"


def _span(action: Action) -> tuple[datetime, datetime]:
    try:
        since, until = (datetime.fromisoformat(action.parameters[name]).astimezone(UTC) for name in ("since", "until"))
    except (KeyError, ValueError):
        raise PeerFault("bad-value", "since and until must be times with their zone", sent=False) from None
    if not timedelta(0) < until - since <= LONGEST:
        raise PeerFault("bad-value", f"a clip ends after it begins, and lasts {LONGEST} at most", sent=False)
    return since, until


def plan(name: str, options: Options) -> Maker:
    """Read the options of a ``frigate``."""
    url, seconds, authority = options.url(), options.seconds("time", "10s", most=60), options.file("authority")
    clip_seconds, token = options.seconds("clip_time", "5m", most=3600), options.secret_or_none("token")
    cameras = options.ids("cameras", r"[A-Za-z0-9_-]{1,64}")
    if not cameras:
        raise InputError("cameras: name at least one, as uid = name in Frigate")

    def make(parts: Parts) -> Product:
        def proof() -> Mapping[str, str]:
            return {} if token is None else {"Authorization": f"Bearer {token.value()}"}

        return Frigate(name, parts, HttpPeer(url, seconds, authority, proof), cameras, clip_seconds)

    return make
