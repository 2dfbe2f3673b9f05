"""Settings: what an operator chose, from defaults, then ``watchword.toml``, then the environment, then the command line."""

# ruff: noqa: RUF009 - _setting is dataclasses.field with a key, a kind and words

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime, timedelta
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, cast

from watchword.app.setting_kinds import KINDS, Drop, Maintenance, PagingChannel, SyslogListener
from watchword.connectors.probe_target import Probe
from watchword.connectors.responders import ResponderEntry
from watchword.kit.errors import ContentError, Fault, InputError

FILE_NAME: Final = "watchword.toml"
PREFIX: Final = "WATCHWORD_"
OTHER_VARIABLES: Final = frozenset({"WATCHWORD_SETTINGS", "WATCHWORD_SHARED", "WATCHWORD_SKIP_UI", "WATCHWORD_PASSWORD"})
"""Variables of ours that are no settings: where the file is, where test data is, a build switch, and secrets for single commands."""
LEAST_RESERVE: Final = 64 * 1024**2
"""Twice what the worker is handed at once: it stands in the archive and on its way into the event log before the spool lets go of it."""
KEY, KIND, HELP = "key", "kind", "help"


def _setting(key: str, kind: str, words: str, default: Any = MISSING) -> Any:
    metadata = {KEY: key, KIND: kind, HELP: words}
    if default is MISSING:
        return field(metadata=metadata)
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be chosen. An attribute is its key in the file with ``_`` for ``.``."""

    data: Path = _setting("data", "path", "The data folder.", Path("data"))
    name: str = _setting("name", "text", "What this installation is called on its pages.", "Watchword")
    events_url: str = _setting("events.url", "text", "ClickHouse to keep events in; empty: the embedded engine.", "")
    events_memory: int = _setting("events.memory", "size", "Most memory that the embedded engine may take.", 2 * 1024**3)
    records_url: str = _setting("records.url", "text", "PostgreSQL to keep records in; empty: SQLite in the data folder.", "")
    listen_host: str = _setting("listen.host", "text", "Address on which pages, API and ingest answer.", "127.0.0.1")
    listen_port: int = _setting("listen.port", "port", "Port of pages, API and ingest; 0 takes a free one.", 8440)
    listen_url: str = _setting("listen.url", "text", "The address that people type, when a proxy stands in front.", "")
    listen_proxies: tuple[str, ...] = _setting("listen.proxies", "networks", "Proxies whose X-Forwarded-For is believed.", ())
    tls_certificate: Path | None = _setting("tls.certificate", "path?", "Certificate chain (PEM) for HTTPS and syslog over TLS.", None)
    tls_key: Path | None = _setting("tls.key", "path?", "Its private key (PEM).", None)
    tls_clients: Path | None = _setting(
        "tls.clients", "path?", "Authorities (PEM) whose client certificates syslog over TLS asks for.", None
    )
    syslog: tuple[SyslogListener, ...] = _setting("syslog", "syslog", "Syslog listeners.", ())
    drop: tuple[Drop, ...] = _setting("drop", "drop", "Folders in which files are dropped to be ingested.", ())
    spool_bytes: int = _setting("spool.bytes", "size", "Most that may wait in the spool; beyond it senders are refused.", 4 * 1024**3)
    spool_reserve: int = _setting("spool.reserve", "size", "Disk space that stays free; beyond it senders are refused.", 512 * 1024**2)
    ingest_body: int = _setting("ingest.body", "size", "Largest request body accepted over HTTP.", 16 * 1024**2)
    ingest_unpacked: int = _setting("ingest.unpacked", "size", "Largest body after decompression.", 128 * 1024**2)
    ingest_record: int = _setting(
        "ingest.record", "size", "Largest single record; a longer one is cut, kept and counted as a fault.", 1024**2
    )
    ingest_connections: int = _setting("ingest.connections", "count", "Most syslog connections at a time.", 512)
    work_records: int = _setting("work.records", "count", "Records in one segment: the unit of insertion.", 10_000)
    work_linger: timedelta = _setting("work.linger", "duration", "Longest wait for a segment to fill.", timedelta(seconds=1))
    sessions_idle: timedelta = _setting("sessions.idle", "duration", "A log-in ends after so long without a request.", timedelta(hours=2))
    sessions_life: timedelta = _setting("sessions.life", "duration", "A log-in ends after so long in any case.", timedelta(hours=12))
    api_rate: int = _setting("api.rate", "count", "Requests per minute and token before 429 is answered.", 600)
    mappings: tuple[Path, ...] = _setting("mappings", "paths", "Folders with mapping files of your own.", ())
    detect_rules: tuple[Path, ...] = _setting("detect.rules", "paths", "Folders with Sigma rules of your own.", ())
    detect_overrides: Mapping[str, Mapping[str, Any]] = _setting("detect.overrides", "tables", "Settings of single rules, by rule id.", {})
    detect_egress: tuple[str, ...] = _setting("detect.egress", "networks", "Your own addresses as the Internet sees them.", ())
    detect_keys: int = _setting("detect.keys", "count", "Most keys that one rule may keep state for.", 200_000)
    paging_channels: tuple[PagingChannel, ...] = _setting(
        "paging.channels", "paging", "Shared channels on which desks and groups are paged.", ()
    )
    paging_mail: str = _setting("paging.mail", "text", "Mail gateway for bare addresses, as an Apprise address without recipient.", "")
    paging_sms: str = _setting("paging.sms", "text", "SMS gateway for bare numbers, as an Apprise address without recipient.", "")
    paging_policies: Path | None = _setting("paging.policies", "path?", "Your own escalation policies, in place of the shipped ones.", None)
    paging_mailbox: str = _setting("paging.mailbox", "text", "Mailbox in which answers to pages arrive; empty: none are read.", "")
    paging_time: timedelta = _setting("paging.time", "duration", "Longest time that one message may take.", timedelta(seconds=15))
    committees_mail: str = _setting(
        "committees.mail", "text", "Mail server that sends invitations, as smtps://user:password@host; empty: none are sent.", ""
    )
    committees_sender: str = _setting("committees.sender", "text", "Mail address from which invitations come.", "")
    respond_simulated: bool = _setting("respond.simulated", "flag", "Let simulated devices carry out every action, as in the demo.", False)
    responder: tuple[ResponderEntry, ...] = _setting(
        "responder", "responder", "Products that carry out actions, in order of preference.", ()
    )
    probe_targets: tuple[Probe, ...] = _setting("probe.targets", "probe", "What Watchword itself tries, to see whether it works.", ())
    probe_allow: tuple[str, ...] = _setting("probe.allow", "networks", "Networks that may be probed; empty: nothing is.", ())
    probe_rate: int = _setting("probe.rate", "count", "Most probes per minute, all targets together.", 600)
    probe_simulated: bool = _setting("probe.simulated", "flag", "Let a simulated network answer the probes, as in the demo.", False)
    measure_persons: bool = _setting("measure.persons", "flag", "Allow measures of single persons, to whoever holds that right.", False)
    evidence_largest: int = _setting("evidence.largest", "size", "Largest single piece of evidence.", 16 * 1024**3)
    maintenance: tuple[Maintenance, ...] = _setting(
        "maintenance", "maintenance", "Windows in which findings about a place do not call anyone.", ()
    )

    @property
    def secure(self) -> bool:
        """Tell whether HTTPS is spoken."""
        return self.tls_certificate is not None


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the reference lists it."""

    key: str
    attribute: str
    variable: str
    kind: str
    help: str
    default: Any


def settings_list() -> tuple[Setting, ...]:
    """Return every setting in the order of the reference."""
    found = []
    for each in fields(Settings):
        default = each.default if each.default is not MISSING else cast("Any", each.default_factory)()
        meta = each.metadata
        found.append(Setting(meta[KEY], each.name, PREFIX + each.name.upper(), meta[KIND], meta[HELP], default))
    return tuple(found)


def read_settings(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Put the settings together; later sources win: defaults, file, environment, `overrides` (attribute → value, from the command line).

    `file` None: the file named by ``WATCHWORD_SETTINGS``, else ``watchword.toml`` in the working folder, else the one in the data folder,
    if there is one.
    Paths in the file are relative to the file; paths from elsewhere to the working folder.

    Raises:
        ContentError: every fault of every source, with its place and remedy.
    """
    environment = os.environ if environment is None else environment
    overrides = {key: value for key, value in (overrides or {}).items() if value is not None}
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    found = _file(file, environment, overrides)
    if found is not None:
        values |= _from_file(found, faults)
    values |= _from_environment(environment, faults)
    values |= overrides
    if not faults:
        settings = Settings(**values)
        faults += _contradictions(settings, str(found) if found else "settings")
        faults += _too_little(settings, found, environment)
        if not faults:
            return settings
    raise ContentError(faults)


def _file(file: Path | None, environment: Mapping[str, str], overrides: Mapping[str, Any]) -> Path | None:
    named = file or (Path(environment["WATCHWORD_SETTINGS"]) if environment.get("WATCHWORD_SETTINGS") else None)
    if named is not None:
        if not named.is_file():
            raise ContentError([Fault(str(named), 0, "there is no such settings file", "make it, or leave out the option that names it")])
        return named
    data = Path(overrides.get("data") or environment.get("WATCHWORD_DATA") or "data")
    return next((path for path in (Path(FILE_NAME), data / FILE_NAME) if path.is_file()), None)


def _from_file(path: Path, faults: list[Fault]) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(Fault(str(path), getattr(error, "lineno", 1) or 1, f"is not valid TOML: {error}", "mend this line"))
        return {}
    except OSError as error:
        faults.append(Fault(str(path), 0, f"cannot be read: {error.strerror}"))
        return {}
    known = {each.key: each for each in settings_list()}
    values: dict[str, Any] = {}
    for key, value in _flat(document, known):
        line = _line(text, key)
        setting = known.get(key)
        if setting is None:
            faults.append(Fault(str(path), line, f"there is no setting {key!r}", _nearest(key, known)))
            continue
        try:
            values[setting.attribute] = KINDS[setting.kind].read(value, path.parent)
        except InputError as error:
            at = _line(text, key, int(error.field)) if error.field.isdigit() else line
            faults.append(Fault(str(path), at, f"{key}: {error}", KINDS[setting.kind].words))
    return values


def _flat(document: Mapping[str, Any], known: Mapping[str, Setting], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in document.items():
        key = prefix + name
        if isinstance(value, dict) and key not in known and any(each.startswith(key + ".") for each in known):
            found += _flat(value, known, key + ".")
        else:
            found.append((key, value))
    return found


def _line(text: str, key: str, index: int = 0) -> int:
    """Return the line of a key, or of the `index`-th table of a list of tables; 1 when it is not found."""
    table, seen, nearest = "", -1, 1
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("["):
            table = line.split("]")[0].strip("[ ")
            if table == key:
                seen += 1
                nearest = number if seen <= index else nearest
            continue
        name = line.partition("=")[0].strip().strip('"')
        if (f"{table}.{name}" if table else name) == key:
            return number
    return nearest


def _from_environment(environment: Mapping[str, str], faults: list[Fault]) -> dict[str, Any]:
    known = {each.variable: each for each in settings_list()}
    values: dict[str, Any] = {}
    for variable, raw in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES:
            continue
        value, setting = raw, known.get(variable)
        if setting is None and variable.endswith("_FILE") and (setting := known.get(variable.removesuffix("_FILE"))) is not None:
            try:
                value = Path(raw).read_text(encoding="utf-8").strip()
            except OSError as error:
                faults.append(Fault(variable, 0, f"{raw}: cannot be read: {error.strerror}", "name a file that holds the value"))
                continue
        if setting is None:
            faults.append(Fault(variable, 0, "there is no such setting", _nearest(variable, known)))
            continue
        kind = KINDS[setting.kind]
        try:
            values[setting.attribute] = kind.read(_toml_value(value) if kind.structured else value, Path())
        except (InputError, tomllib.TOMLDecodeError) as error:
            faults.append(Fault(variable, 0, str(error), kind.words))
    return values


def _toml_value(text: str) -> Any:
    return tomllib.loads(f"value = {text}")["value"]


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else "docs/reference/settings.md lists them all"


def _contradictions(settings: Settings, path: str) -> list[Fault]:
    found = []
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        found.append(Fault(path, 0, "tls.certificate and tls.key belong together", "give both or neither"))
    if any(each.protocol == "tls" for each in settings.syslog) and settings.tls_certificate is None:
        found.append(Fault(path, 0, "a syslog listener speaks TLS without a certificate", "set tls.certificate and tls.key"))
    for name in ("tls_certificate", "tls_key", "tls_clients", "paging_policies"):
        value = getattr(settings, name)
        if value is not None and not value.is_file():
            found.append(Fault(path, 0, f"{name.replace('_', '.')}: there is no file {value}"))
    if settings.ingest_unpacked < settings.ingest_body:
        found.append(Fault(path, 0, "ingest.unpacked is less than ingest.body", "raise the first"))
    if settings.events_url and not settings.events_url.startswith(("http://", "https://")):
        found.append(Fault(path, 0, "events.url is no HTTP address", "write it as http://user:password@host:8123/database"))
    if settings.records_url and not settings.records_url.startswith(("postgresql", "sqlite")):
        found.append(Fault(path, 0, "records.url is no PostgreSQL address", "write it as postgresql://user:password@host/database"))
    if not timedelta(seconds=1) <= settings.paging_time <= timedelta(seconds=60):
        found.append(Fault(path, 0, "paging.time is out of bounds", "choose 1s to 60s"))
    return found + _shared_ports(settings, path)


def _shared_ports(settings: Settings, path: str) -> list[Fault]:
    found: list[Fault] = []
    seen: dict[tuple[str, str, int], str] = {}
    for each in settings.syslog:
        at = ("udp" if each.protocol == "udp" else "tcp", each.host, each.port)
        if each.port and at in seen:
            found.append(Fault(path, 0, f"two syslog listeners share port {each.port}", "give each a port of its own"))
        seen[at] = each.source
    return found


def _too_little(settings: Settings, file: Path | None, environment: Mapping[str, str]) -> list[Fault]:
    """Refuse a reserve in which the worker could not empty the spool of a disk that is full to it."""
    if settings.spool_reserve >= LEAST_RESERVE:
        return []
    path, line = _place("spool.reserve", file, environment)
    least = LEAST_RESERVE // 1024**2
    message = f"spool.reserve: {settings.spool_reserve:,} bytes are too few for the worker to empty the spool on a disk that is full"
    return [Fault(path, line, message, f'write "{least}MiB" or more')]


def _place(key: str, file: Path | None, environment: Mapping[str, str]) -> tuple[str, int]:
    """Return the path and line, or the variable, that a setting's value comes from."""
    variable = next(each.variable for each in settings_list() if each.key == key)
    for name in (variable, f"{variable}_FILE"):
        if name in environment:
            return name, 0
    return (str(file), _line(file.read_text(encoding="utf-8"), key)) if file is not None else ("settings", 0)


def own_networks(settings: Settings) -> tuple[Any, ...]:
    """Return `detect.egress` as networks."""
    return tuple(ip_network(each, strict=False) for each in settings.detect_egress)


def in_maintenance(settings: Settings, place: str, at: datetime) -> Maintenance | None:
    """Return the maintenance window that covers the place at this moment, if any."""
    return next((window for window in settings.maintenance if window.covers(place, at)), None)
