"""The serving process: pages, API and ingest on one port, syslog and drop folders beside them, put together here."""

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.kit.errors import Unavailable

if TYPE_CHECKING:
    from watchword.app.settings import Settings
    from watchword.app.watchword import Watchword

CONNECTIONS = 512
GRACE_SECONDS = 2
"""An open live stream may hold a stopping server for so long."""
READY_FILE = "serve.json"


def application(watchword: "Watchword") -> Any:
    """Return the application that answers everything: pages and API."""
    from watchword.api.application import belongs, make_api
    from watchword.web.application import create_app

    return create_app(watchword, (belongs, make_api(watchword)))


def address_of(settings: "Settings", port: int) -> str:
    """Return the address that people open."""
    if settings.listen_url:
        return settings.listen_url
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.listen_host, settings.listen_host)  # noqa: S104 - compared, not bound
    return f"{'https' if settings.secure else 'http'}://{host}:{port}"


def listening_socket(settings: "Settings") -> socket.socket:
    """Return the bound socket.

    Raises:
        Unavailable: the port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in settings.listen_host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay off only where it is: each answer would cost 40 ms more.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.listen_host, settings.listen_port))
    except OSError as error:
        bound.close()
        where = f"{settings.listen_host}:{settings.listen_port}"
        raise Unavailable(
            f"cannot listen on {where}: {error.strerror}; choose another with WATCHWORD_LISTEN_PORT or listen.port"
        ) from error
    return bound


def serve(settings: "Settings", *, supervised: bool) -> None:
    """Serve until SIGTERM or SIGINT, or, when supervised, until the supervisor is gone.

    Raises:
        Unavailable: the port cannot be had, or the records database does not answer.
    """
    import asyncio

    import uvicorn

    from watchword.app.gateway import Gateway
    from watchword.app.supervisor import leave_with_supervisor
    from watchword.app.watchword import open_watchword

    bound = listening_socket(settings)
    with contextlib.closing(bound), open_watchword(settings) as watchword:
        config = uvicorn.Config(
            application(watchword),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            proxy_headers=bool(settings.listen_proxies),
            forwarded_allow_ips=list(settings.listen_proxies) or None,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
        )
        server = uvicorn.Server(config)
        if supervised:

            def leave() -> None:
                server.should_exit = True

            leave_with_supervisor(leave)
        asyncio.run(_run(server, Gateway(watchword), bound, settings))


async def _run(server: Any, gateway: Any, bound: socket.socket, settings: "Settings") -> None:
    await gateway.start()
    try:
        bound.listen(CONNECTIONS)  # who reads the ready file may connect at once; until the server serves, connections wait
        _publish(settings.data / "run" / READY_FILE, {"url": address_of(settings, bound.getsockname()[1]), "pid": os.getpid()})
        await server.serve(sockets=[bound])
    finally:
        await gateway.stop()


def _publish(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)
