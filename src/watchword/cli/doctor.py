"""``watchword doctor``: what works, what does not, and what to do about it."""

import platform
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from watchword.cli.opening import opened, settings_of
from watchword.cli.options import Form
from watchword.cli.output import Format, print_rows
from watchword.kit.errors import ContentError, WatchwordError

if TYPE_CHECKING:
    from watchword.app.settings import Settings
    from watchword.app.watchword import Watchword

COLUMNS = ("state", "check", "detail", "remedy")
OK, NOTE, WRONG = "ok", "note", "wrong"
ENGINES = ("chdb", "pyarrow", "sqlalchemy", "psycopg", "fastapi", "uvicorn", "pysigma")
LEAST_SQLITE = (3, 35, 0)


class Verdict(NamedTuple):
    """What one check found."""

    state: str
    detail: str
    remedy: str = ""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    deep: Annotated[bool, typer.Option("--deep", help="Also read the archive and compare it with the event log; takes long.")] = False,
) -> None:
    """Check this machine, the settings and the data folder; exit status 1 when something is wrong."""
    verdicts = [(name, _verdict(check)) for name, check in _machine()]
    settings = None
    try:
        settings = settings_of(ctx)
        verdicts.append(("settings", Verdict(OK, "no faults")))
    except ContentError as error:
        verdicts += [("settings", Verdict(WRONG, f"{fault.path}:{fault.line}: {fault.message}", fault.remedy)) for fault in error.faults]
    if settings is not None:
        verdicts += [(name, _verdict(partial(check, settings))) for name, check in FOLDER_CHECKS]
        if settings.data.is_dir():
            try:
                with opened(ctx) as watchword:
                    checks = HOUSE_CHECKS + (DEEP_CHECKS if deep else ())
                    verdicts += [(name, _verdict(partial(check, watchword))) for name, check in checks]
                    verdicts += _responders(watchword)
            except WatchwordError as error:
                verdicts.append(("services", Verdict(WRONG, str(error))))
    rows = [{"state": each.state, "check": name, "detail": each.detail, "remedy": each.remedy} for name, each in verdicts]
    print_rows(rows, form, COLUMNS)
    raise typer.Exit(int(any(each.state == WRONG for _, each in verdicts)))


def _verdict(check: Callable[[], Verdict]) -> Verdict:
    try:
        return check()
    except WatchwordError as error:
        return Verdict(WRONG, str(error))
    except OSError as error:
        return Verdict(WRONG, f"{error.filename or ''} {error.strerror or error}".strip())


def _machine() -> Iterator[tuple[str, Callable[[], Verdict]]]:
    yield "python", _python
    yield "system", lambda: Verdict(OK, f"{platform.system()} {platform.release()} {platform.machine()}")
    yield "sqlite", _sqlite
    for name in ENGINES:
        yield name, partial(_engine, name)


def _python() -> Verdict:
    words = f"{platform.python_version()} at {sys.executable}"
    return Verdict(OK, words) if sys.version_info >= (3, 11) else Verdict(WRONG, words, "install Python 3.11 or newer")


def _sqlite() -> Verdict:
    found = sqlite3.sqlite_version
    return Verdict(OK, found) if sqlite3.sqlite_version_info >= LEAST_SQLITE else Verdict(WRONG, found, "3.35 or newer is needed")


def _engine(name: str) -> Verdict:
    try:
        return Verdict(OK, version(name))
    except PackageNotFoundError:
        return Verdict(WRONG, "is not installed", "make env")


def _data(settings: "Settings") -> Verdict:
    data = settings.data
    if not data.exists():
        return Verdict(NOTE, f"{data} does not exist yet", "the first command makes it")
    probe = data / ".doctor"
    probe.touch()
    probe.unlink()
    mode = data.stat().st_mode & 0o077
    return Verdict(NOTE, f"{data} can be read by others", f"chmod 700 {data}") if mode & 0o007 else Verdict(OK, str(data))


def _disk(settings: "Settings") -> Verdict:
    folder = next(each for each in (settings.data, *settings.data.absolute().parents) if each.exists())
    free = shutil.disk_usage(folder).free
    words = f"{free / 1e9:.1f} GB free"
    if free < settings.spool_reserve:
        return Verdict(WRONG, f"{words}: records are refused", "make room, or lower spool.reserve")
    return Verdict(NOTE, words, "room for a few days only, perhaps") if free < 10 * settings.spool_reserve else Verdict(OK, words)


def _keys(settings: "Settings") -> Verdict:
    folder = settings.data / "keys"
    if not folder.exists():
        return Verdict(OK, "none yet")
    loose = [each.name for each in folder.iterdir() if each.stat().st_mode & 0o077]
    return (
        Verdict(WRONG, f"others can read {', '.join(loose)}", f"chmod 600 {folder}/*")
        if loose
        else Verdict(OK, "readable by their owner alone")
    )


def _ports(settings: "Settings") -> Verdict:
    from watchword.app.supervisor import held
    from watchword.kit.errors import Conflict

    try:
        if settings.data.is_dir():
            with held(settings, "up"):
                pass
    except Conflict:
        return Verdict(OK, "in use by the running watchword")
    taken = []
    wanted = [("tcp", settings.listen_host, settings.listen_port)]
    wanted += [("udp" if each.protocol == "udp" else "tcp", each.host, each.port) for each in settings.syslog]
    for protocol, host, port in wanted:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
            except OSError as error:
                taken.append(f"{protocol} {host}:{port}: {error.strerror}")
    if taken:
        return Verdict(WRONG, "; ".join(taken), "choose others, end what holds them, or allow ports below 1024 (deploy/watchword.service)")
    return Verdict(OK, ", ".join(f"{protocol} {port}" for protocol, _, port in wanted) + " free")


def _records(watchword: "Watchword") -> Verdict:
    have, want = watchword.records.revision()
    words = f"{watchword.records.engine.url.render_as_string(hide_password=True)}, schema {have}"
    return Verdict(OK, words) if have == want else Verdict(WRONG, f"{words}, wanted {want}", "start watchword once to migrate")


def _spool(watchword: "Watchword") -> Verdict:
    depth = watchword.spool.depth()
    words = f"{depth.records} records, {depth.bytes / 1e6:.1f} MB wait"
    if depth.bytes > watchword.settings.spool_bytes * 0.8:
        return Verdict(WRONG, f"{words}: nearly full", "see that watchword work runs, or raise spool.bytes")
    return Verdict(OK, words)


def _events(watchword: "Watchword") -> Verdict:
    newest = watchword.events.newest()
    return Verdict(OK, f"opens; newest event {newest.isoformat(timespec='seconds') if newest else 'none yet'}")


def _clock(watchword: "Watchword") -> Verdict:
    now = watchword.clock.now()
    received = max((each.last_received for each in watchword.ledger.statuses() if each.last_received), default=None)
    if received is not None and received > now:
        return Verdict(WRONG, f"is {received - now} behind the newest record's arrival", "set it, and keep it set by NTP")
    return Verdict(OK, now.isoformat(timespec="seconds"))


def _sources(watchword: "Watchword") -> Verdict:
    faults = []
    sources = watchword.ledger.sources()
    for source in sources:
        try:
            watchword.mappings.of(source.name)
        except ContentError as error:
            faults.append(f"{source.name}: {error.faults[0]}")
    listened = {each.source for each in watchword.settings.syslog} | {each.source for each in watchword.settings.drop}
    faults += [f"the settings name a source {name!r} that does not exist" for name in sorted(listened - {each.name for each in sources})]
    if faults:
        return Verdict(WRONG, "; ".join(faults), "watchword source add NAME --mapping FILE")
    return Verdict(OK, f"{len(sources)} sources, their mappings compile")


def _rules(watchword: "Watchword") -> Verdict:
    from watchword.cli.rules import own_rules

    return Verdict(OK, f"{len(own_rules(watchword.settings))} rules load")


def _directory(watchword: "Watchword") -> Verdict:
    notes = watchword.registry.notes()
    directory = watchword.registry.directory()
    words = f"{len(directory.people.people)} people, {len(directory.doors())} doors, {len(directory.assets.assets)} assets"
    return Verdict(NOTE, f"{words}; {len(notes)} doubts, the first: {notes[0]}") if notes else Verdict(OK, words)


def _audit(watchword: "Watchword") -> Verdict:
    problems = watchword.audit.verify()
    entries, _ = watchword.audit.head()
    if problems:
        return Verdict(WRONG, f"{problems[0]} ({len(problems)} in all)", "watchword audit verify; restore the records from a backup")
    return Verdict(OK, f"{entries} entries, intact")


def _archive(watchword: "Watchword") -> Verdict:
    verdict = watchword.sealer.verify_segments()
    if verdict.faults:
        return Verdict(WRONG, f"{verdict.faults[0]} ({len(verdict.faults)} in all)", "restore the archive from a backup")
    return Verdict(OK, f"{verdict.segments} segments, {verdict.events} events agree")


def _responders(watchword: "Watchword") -> Iterator[tuple[str, Verdict]]:
    from watchword.connectors.responders import reach_all

    for reach in reach_all(watchword.response.responders):
        name = f"responder {reach.name}"
        yield (
            name,
            Verdict(OK, f"{reach.kind}: {reach.said}") if reach.ok else Verdict(WRONG, reach.said, "see docs/reference/responders.md"),
        )
    for broken in watchword.response.broken_responders:
        yield f"responder {broken.name}", Verdict(WRONG, f"is left out: {broken.fault}", "mend or remove the package of this kind")


FOLDER_CHECKS: tuple[tuple[str, Callable[["Settings"], Verdict]], ...] = (
    ("data folder", _data),
    ("disk", _disk),
    ("keys", _keys),
    ("ports", _ports),
)
HOUSE_CHECKS: tuple[tuple[str, Callable[["Watchword"], Verdict]], ...] = (
    ("records", _records),
    ("spool", _spool),
    ("event log", _events),
    ("clock", _clock),
    ("sources", _sources),
    ("rules", _rules),
    ("directory", _directory),
    ("audit log", _audit),
)
DEEP_CHECKS: tuple[tuple[str, Callable[["Watchword"], Verdict]], ...] = (("archive", _archive),)
