"""The gateway: every way in that is no HTTP request: syslog listeners, drop folders and source plug-ins, all through the one intake."""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from watchword.app.watchword import Watchword
from watchword.connectors.drop import DropFolder
from watchword.connectors.files import ingest_file
from watchword.connectors.registry import faults_of, load_plugins
from watchword.connectors.syslog import Listener, SyslogServer
from watchword.ingest.ports import Receipt
from watchword.kit.errors import Full, WatchwordError
from watchword.model import SourceStatus

LOOK: Final = 1.0
"""Seconds between two looks into the drop folders."""

log = structlog.get_logger()


class Gateway:
    """Listens while the house is open."""

    def __init__(self, watchword: Watchword) -> None:
        settings = watchword.settings
        self._watchword = watchword
        listeners = [
            Listener(
                source=each.source,
                transport=each.protocol,
                host=each.host,
                port=each.port,
                certificate=settings.tls_certificate,
                key=settings.tls_key,
                client_authorities=settings.tls_clients,
            )
            for each in settings.syslog
        ]
        self.syslog = SyslogServer(
            watchword.intake.accept, listeners, limit=settings.ingest_record, connections=settings.ingest_connections, on_drop=self._dropped
        )
        self._folders = [DropFolder(each.folder, self._ingest(each.source)) for each in settings.drop]
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._stops: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Open the listeners and begin to look into the folders.

        Raises:
            WatchwordError: a listener cannot be opened.
        """
        await self.syslog.start()
        for fault in faults_of(plugins := load_plugins()):
            log.error("a source plug-in does not load", fault=fault)
        for name, plugin in plugins.plugins.items():
            try:
                self._stops.append(plugin.start({}, self._watchword.intake.accept))
            except Exception as error:  # noqa: BLE001 - a stranger's plug-in may fail in any way, and must stop nothing else
                log.error("a source plug-in does not start", plugin=name, error=str(error))  # noqa: TRY400 - its trace is not ours
        if self._folders:
            self._thread = threading.Thread(target=self._look, name="drop-folders", daemon=True)
            self._thread.start()

    async def stop(self) -> None:
        """Close everything; what has been read is kept first."""
        self._stopping.set()
        for stop in self._stops:
            with contextlib.suppress(Exception):
                stop()
        await self.syslog.stop()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _ingest(self, source: str) -> Callable[[Path], Receipt]:
        def take(path: Path) -> Receipt:
            return ingest_file(path, source, self._watchword.mappings.of(source), self._watchword.intake)

        return take

    def _look(self) -> None:
        while not self._stopping.wait(LOOK):
            for folder in self._folders:
                try:
                    for taken in folder.look():
                        if taken.fault:
                            log.warning("a dropped file was refused", file=str(taken.path), reason=taken.fault)
                        else:
                            log.info("a dropped file was taken in", file=taken.path.name, receipt=taken.receipt)
                except Full as error:
                    log.warning("dropped files wait", reason=str(error))
                except (WatchwordError, OSError) as error:
                    log.error("a drop folder cannot be read", error=str(error))  # noqa: TRY400 - the cause is in the message

    def _dropped(self, source: str, count: int) -> None:
        log.error("datagrams were lost: the spool is full or the sender is too fast", source=source, count=count)
        try:
            self._watchword.ledger.add_tally([SourceStatus(source, lost=count)])
        except (WatchwordError, SQLAlchemyError) as error:
            log.error("the count of lost datagrams was not kept", source=source, count=count, error=str(error))  # noqa: TRY400 - the cause is in the message
