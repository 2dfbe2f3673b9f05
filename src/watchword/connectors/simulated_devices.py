"""Simulated devices: doors, credentials, accounts, hosts, switches, cameras; their state in a file of their own, effects counted."""

import json
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchword.kit.clock import Clock, SystemClock, to_millisecond
from watchword.model.action import Action, Outcome, OutcomeStatus

SETS: Final[Mapping[str, Mapping[str, str]]] = {
    "credential.suspend": {"state": "suspended"},
    "credential.reinstate": {"state": "active"},
    "door.secure_ingress": {"ingress": "secured", "egress": "free"},
    "door.release_ingress": {"ingress": "normal", "egress": "free"},
    "zone.secure_ingress": {"ingress": "secured", "egress": "free"},
    "zone.release_ingress": {"ingress": "normal", "egress": "free"},
    "account.disable": {"enabled": "false", "sessions": "0"},
    "account.enable": {"enabled": "true"},
    "account.end_sessions": {"sessions": "0"},
    "account.require_step_up": {"step_up": "required"},
    "host.isolate": {"isolated": "true"},
    "host.release": {"isolated": "false"},
    "port.quarantine": {"vlan": "quarantine"},
    "port.release": {"vlan": "normal"},
    "address.block": {"blocked": "true"},
    "address.unblock": {"blocked": "false"},
    "camera.fetch_clip": {"clip": "kept"},
    "camera.lock_recording": {"recording": "locked"},
    "ticket.open": {"ticket": "open"},
    "guard.dispatch": {"task": "accepted"},
}
"""What each verb of the catalogue makes of a device. No door's `egress` is ever anything but free."""
INITIAL: Final[Mapping[str, Mapping[str, str]]] = {
    "credential": {"state": "active"},
    "door": {"ingress": "normal", "egress": "free"},
    "zone": {"ingress": "normal", "egress": "free"},
    "account": {"enabled": "true", "sessions": "1", "step_up": "none"},
    "host": {"isolated": "false"},
    "port": {"vlan": "normal"},
    "address": {"blocked": "false"},
    "camera": {"clip": "none", "recording": "rolling"},
    "ticket": {"ticket": "none"},
    "guard": {"task": "none"},
}
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS device (uid TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS effect (
    key TEXT PRIMARY KEY, verb TEXT NOT NULL, target TEXT NOT NULL, device TEXT NOT NULL, at TEXT NOT NULL, calls INTEGER NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that was done to a device, and how often it was asked for."""

    key: str
    verb: str
    target: str
    device: str
    at: str
    calls: int


class SimulatedDevices:
    """A responder for every verb. State and effects are in a SQLite file, so that they survive the processes that act on them."""

    def __init__(self, path: Path, clock: Clock | None = None, name: str = "simulator") -> None:
        """Open, or make, the file of the devices."""
        self.name = name
        self.verbs = frozenset(SETS)
        self.path, self.clock = path, clock or SystemClock()
        self.durable = True
        """Whether a commit waits for the disk; a drill on a busy machine may do without."""
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as connection, connection:
            connection.executescript(_TABLES)

    def do(self, action: Action, *, dry_run: bool = False) -> Outcome:
        """Set the state once per key; asked again under the same key, answer again."""
        now = to_millisecond(self.clock.now())
        if action.verb not in SETS:
            return Outcome(OutcomeStatus.FAILED, f"no simulated device knows {action.verb}", now, self.name, code="unknown-verb")
        words = ", ".join(f"{key} = {value}" for key, value in SETS[action.verb].items())
        if dry_run:
            return Outcome(OutcomeStatus.DONE, f"would set {', '.join(devices_of(action))}: {words}", now, self.name)
        with self._lock, closing(self._open()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            first = devices_of(action)[0]
            row = (action.key, action.verb, action.target, first, now.isoformat())
            again = connection.execute("UPDATE effect SET calls = calls + 1 WHERE key = ?", (action.key,)).rowcount
            if not again:
                connection.execute("INSERT INTO effect VALUES (?, ?, ?, ?, ?, 1)", row)
                for device in devices_of(action):
                    self._set(connection, device, {**self._get(connection, device), **SETS[action.verb]})
        return Outcome(OutcomeStatus.DONE, f"{'was' if again else 'is'} set: {words}", now, self.name)

    def read(self, action: Action) -> Mapping[str, str] | None:
        """Read the state that the action would set; of several doors, only what all agree on."""
        with closing(self._open()) as connection:
            states = [self._get(connection, device) for device in devices_of(action)]
        shared = dict(states[0])
        for state in states[1:]:
            shared = {key: value if state.get(key) == value else "mixed" for key, value in shared.items()}
        return shared

    # what people and tests do at the device itself

    def state(self, device: str) -> Mapping[str, str]:
        """Return one device's state: ``door:harbour/doors/D-01``, ``account:…``, ``port:asset:sw-1 Gi1/0/7``."""
        with closing(self._open()) as connection:
            return self._get(connection, device)

    def change(self, device: str, **values: str) -> None:
        """Change a device's state by hand, as a key or a button at the door does."""
        with self._lock, closing(self._open()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            self._set(connection, device, {**self._get(connection, device), **values})

    def effects(self) -> list[Effect]:
        """Return everything that was done, in order: one entry per key, however often it was asked for."""
        with closing(self._open()) as connection:
            rows = connection.execute("SELECT key, verb, target, device, at, calls FROM effect ORDER BY rowid").fetchall()
        return [Effect(*row) for row in rows]

    # the file

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL" if self.durable else "PRAGMA synchronous = OFF")
        return connection

    @staticmethod
    def _get(connection: sqlite3.Connection, device: str) -> dict[str, str]:
        row = connection.execute("SELECT state FROM device WHERE uid = ?", (device,)).fetchone()
        return dict(json.loads(row[0])) if row else dict(INITIAL.get(device.partition(":")[0], {}))

    @staticmethod
    def _set(connection: sqlite3.Connection, device: str, state: Mapping[str, str]) -> None:
        row = (device, json.dumps(state, sort_keys=True))
        connection.execute("INSERT INTO device VALUES (?, ?) ON CONFLICT (uid) DO UPDATE SET state = excluded.state", row)


def devices_of(action: Action) -> tuple[str, ...]:
    """Return the devices that an action is about: of a zone, its doors as the action lists them; of a switch, one port."""
    noun = action.verb.partition(".")[0]
    doors = action.parameters.get("doors", "").split()
    if noun == "zone" and doors:
        return tuple(f"door:{door}" for door in doors)
    if noun == "port":
        return (f"port:{action.target} {action.parameters.get('port', '')}",)
    if noun in {"ticket", "guard"}:
        return (f"{noun}:{action.target} {action.key}",)
    return (f"{noun}:{action.target}",)
