"""The living demo site: a data folder furnished once with site, people, sources, and where a feeder sends their records."""

import json
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from watchword.app.demo import demo_mappings, furnish
from watchword.app.feeder import Feed
from watchword.app.furnishing_committees import furnish_committees
from watchword.app.furnishing_controls import furnish_controls
from watchword.app.furnishing_policies import furnish_policies
from watchword.app.furnishing_risks import furnish_risks
from watchword.app.furnishing_uptime import furnish_uptime, probe_settings
from watchword.app.principal import Role
from watchword.app.settings import FILE_NAME, Settings
from watchword.app.source_keys import keys_of
from watchword.app.watchword import Watchword, open_watchword
from watchword.kit.clock import Clock, SystemClock
from watchword.model import Team
from watchword.respond.rota import Layer
from watchword.simulate import GUEST_NETS, organisation

LOGIN: Final = "demo-login"
"""In ``keys/``: the demo's first log-in, so that it can be shown again at the next start."""
ADMINISTRATOR: Final = "admin"
PEOPLE: Final[Mapping[str, tuple[Role, str]]] = {
    "analyst": (Role.IT_ANALYST, "Ana Lind"),
    "operator": (Role.CONTROL_ROOM_OPERATOR, "Otto Brandt"),
    "manager": (Role.MANAGER, "Mara Quist"),
}
"""One account for each side, and one that leads both; in the demo they share the administrator's password."""

DESKS: Final[Mapping[str, Team]] = {"IT desk": Team.IT, "Control room": Team.PHYSICAL}
"""The desks on whose screens the demo's pages stand."""


@dataclass(frozen=True, slots=True)
class Login:
    """The demo's first log-in."""

    name: str
    password: str


def free_ports(count: int) -> list[int]:
    """Return so many different TCP ports of loopback that are free now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def prepare(settings: Settings, seed: int, clock: Clock | None = None) -> list[Login]:
    """Furnish the data folder for the demo: site, people, sources with tokens, listeners, first account; safe to repeat."""
    clock = clock or SystemClock()
    with open_watchword(replace(settings, syslog=(), drop=()), clock) as watchword:
        org = organisation(seed)
        furnish(watchword, org)
        furnish_uptime(watchword, org)
        logins = _logins(watchword)
        _rotas(watchword)
        furnish_committees(watchword)
        furnish_policies(watchword)
        furnish_controls(watchword)
        furnish_risks(watchword)
        feed = _feed(watchword, settings, seed)
    feed.write(settings.data)
    _write_settings(settings.data, feed)
    return logins


def _logins(watchword: Watchword) -> list[Login]:
    """Make the demo's accounts once; return their log-ins, the administrator's first."""
    path = watchword.settings.data / "keys" / LOGIN
    password = watchword.accounts.first_run(ADMINISTRATOR)
    if password is not None:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(password)
        for name, (role, full_name) in PEOPLE.items():
            watchword.accounts.create(name, role, password, actor=ADMINISTRATOR, full_name=full_name)
    kept = path.read_text() if path.exists() else ""
    return [Login(name, kept) for name in (ADMINISTRATOR, *PEOPLE)]


def _rotas(watchword: Watchword) -> None:
    """Put the two desks on call, for ever, so that the demo's pages reach somebody."""
    on_call = watchword.response.on_call
    known = {each.rota.name for each in on_call.rotas()}
    since = watchword.clock.now().date() - timedelta(days=7)
    for name, team, person in (("IT on call", Team.IT, "analyst"), ("Control room", Team.PHYSICAL, "operator")):
        if name not in known:
            on_call.put(name, team.value, "Europe/Berlin", [Layer("desk", (person,), since)], by=ADMINISTRATOR)


def _feed(watchword: Watchword, settings: Settings, seed: int) -> Feed:
    keys = keys_of(watchword)
    sources = {name: watchword.ledger.source(name) for name in demo_mappings()}
    by_connector = {
        kind: sorted(name for name, source in sources.items() if source.connector == kind) for kind in ("webhook", "syslog", "csv")
    }
    tokens = {name: keys.new_token(name, actor="demo") for name in by_connector["webhook"]}
    ports = free_ports(len(by_connector["syslog"]))
    return Feed(
        url=f"http://127.0.0.1:{settings.listen_port}",
        seed=seed,
        tokens=tokens,
        syslog=dict(zip(by_connector["syslog"], ports, strict=True)),
        folders={name: str((settings.data / "drop" / name).absolute()) for name in by_connector["csv"]},
    )


def _write_settings(data: Path, feed: Feed) -> None:
    """Write the demo's listeners and drop folders where every process of this data folder looks for settings."""
    lines = ["# Made by watchword demo: where its simulated sources come in.", 'name = "Watchword demo"', ""]
    for source, port in feed.syslog.items():
        lines += ["[[syslog]]", 'protocol = "tcp"', 'host = "127.0.0.1"', f"port = {port}", f'source = "{source}"', ""]
    for source in feed.folders:
        lines += ["[[drop]]", f'folder = "drop/{source}"', f'source = "{source}"', ""]
    lines += ["[detect]", f"egress = {json.dumps(list(GUEST_NETS.values()))}", ""]
    lines += ["[respond]", "simulated = true", ""]
    lines += probe_settings(organisation(feed.seed))
    for name, team in DESKS.items():
        lines += ["[[paging.channels]]", f'name = "{name}"', 'kind = "screen"', 'url = "screen:"', f'team = "{team.value}"', ""]
    (data / FILE_NAME).write_text("\n".join(lines))
