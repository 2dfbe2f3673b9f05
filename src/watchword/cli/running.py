"""``watchword up``, ``demo`` and the processes that they start: ``store``, ``serve``, ``work``, ``measure``, ``feed``."""

import os
import signal
import stat
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchword.cli.apart import apart
from watchword.cli.logs import log_to_stderr
from watchword.cli.opening import Chosen, settings_of
from watchword.cli.output import print_object, say
from watchword.cli.serving import READY_FILE

if TYPE_CHECKING:
    from watchword.app.settings import Settings

Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port of pages and API; 0 takes a free one.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, demo, store, serve, work, respond, measure):
        app.command()(command)
    app.command(hidden=True)(feed)


def up(ctx: typer.Context, port: Port = None) -> None:
    """Start everything: event log, pages, API, listeners, worker. Ctrl-C stops it."""
    from watchword.app.supervisor import Child, command_of, supervise
    from watchword.cli.serving import listening_socket

    log_to_stderr()
    settings = settings_of(ctx, listen_port=port)
    listening_socket(settings).close()
    password = apart(lambda: _first_run(settings))
    file = _chosen(ctx).settings
    options = ("--port", str(port)) if port is not None else ()
    children = [Child("serve", command_of(settings, file, "serve", *options))]
    children += [Child(name, command_of(settings, file, name)) for name in ("work", "respond", "measure")]
    supervise(settings, children, when_up=lambda: _welcome(settings, [("admin", password)] if password else []))


def _first_run(settings: "Settings") -> str | None:
    """Bring the data folder up to date; return the administrator's password when this made the account."""
    from watchword.app.watchword import open_watchword

    with open_watchword(settings) as watchword:
        return watchword.accounts.first_run()


def demo(
    ctx: typer.Context,
    days: Annotated[int, typer.Option("--days", min=1, max=60, help="Simulated days, with --once.")] = 7,
    seed: Annotated[int, typer.Option("--seed", help="Which organisation and which stories.")] = 1,
    once: Annotated[
        bool, typer.Option("--once", help="No server: play the days at full speed, print one JSON object, exit 1 if a story was missed.")
    ] = False,
    port: Port = None,
) -> None:
    """Start everything with the living demo site, or, with --once, play days of it at full speed.

    Its data folder is `demo-data` unless --data names another, and with --once a passing one.
    """
    log_to_stderr()
    if once:
        _demo_once(ctx, days, seed)
    else:
        _demo_live(ctx, seed, port)


def _demo_once(ctx: typer.Context, days: int, seed: int) -> None:
    import tempfile
    from dataclasses import replace

    from watchword.app.demo import run_once

    settings = settings_of(ctx)
    with ExitStack() as stack:
        if _chosen(ctx).data is None:
            settings = replace(settings, data=Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watchword-demo-"))))
        outcome = run_once(settings, days, seed)
    print_object(outcome)
    raise typer.Exit(1 if outcome["missed"] else 0)


def store(
    ctx: typer.Context, port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 takes a free one.")] = 0
) -> None:
    """Own the event log's folder and answer ClickHouse's HTTP protocol on loopback; `up` starts it by itself."""
    from watchword.stores.server import serve as serve_store

    log_to_stderr()
    settings = settings_of(ctx)
    data = settings.data
    serve_store(data / "events", data / "keys" / "store.token", data / "run" / "store.json", port=port, memory_bytes=settings.events_memory)


def serve(ctx: typer.Context, port: Port = None) -> None:
    """Serve pages, API and ingest, and listen for syslog and dropped files; `up` starts it by itself."""
    from watchword.cli.serving import serve as run

    log_to_stderr()
    run(settings_of(ctx, listen_port=port), supervised=is_supervised())


def work(ctx: typer.Context) -> None:
    """Carry what waits in the spool to the event log and to findings; `up` starts it by itself."""
    from watchword.app.work import work as run

    log_to_stderr()
    run(settings_of(ctx), _stopping())


def respond(ctx: typer.Context) -> None:
    """Turn findings into incidents, carry playbook runs on, call people, end temporary states; `up` starts it by itself."""
    from watchword.app.responding import respond as run

    log_to_stderr()
    run(settings_of(ctx), _stopping())


def measure(ctx: typer.Context) -> None:
    """Compute the measures, collect evidence, watch objectives, each in its rhythm; `up` starts it by itself."""
    from watchword.app.measuring import measure as run

    log_to_stderr()
    run(settings_of(ctx), _stopping())


def feed(ctx: typer.Context) -> None:
    """Send the demo site's records to the front door; `demo` starts it by itself."""
    from watchword.app.feeder import feed_forever

    log_to_stderr()
    feed_forever(settings_of(ctx), _stopping())


def is_supervised() -> bool:
    """Tell whether a supervisor started this process: then its end of the pipe on stdin closes when it dies."""
    try:
        return stat.S_ISFIFO(os.fstat(0).st_mode)
    except OSError:
        return False


def _stopping() -> threading.Event:
    from watchword.app.supervisor import leave_with_supervisor

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if is_supervised():
        leave_with_supervisor(stopping.set)
    return stopping


def _chosen(ctx: typer.Context) -> Chosen:
    found: Chosen = ctx.find_root().obj or Chosen(None, None)
    return found


def _demo_live(ctx: typer.Context, seed: int, port: int | None) -> None:
    from dataclasses import replace

    from watchword.app.settings import FILE_NAME
    from watchword.app.supervisor import Child, command_of, supervise
    from watchword.cli.serving import listening_socket

    settings = settings_of(ctx, listen_port=port)
    if _chosen(ctx).data is None:
        settings = replace(settings, data=Path("demo-data"))
    bound = listening_socket(settings)
    settings = replace(settings, listen_port=bound.getsockname()[1])
    bound.close()
    say("Furnishing the demo site")
    logins = apart(lambda: _furnished(settings, seed))
    file = settings.data / FILE_NAME
    words = (("serve", "--port", str(settings.listen_port)), ("work",), ("respond",), ("measure",), ("feed",))
    children = [Child(each[0], command_of(settings, file, *each)) for each in words]
    supervise(settings, children, when_up=lambda: _welcome(settings, logins))


def _furnished(settings: "Settings", seed: int) -> list[tuple[str, str]]:
    """Furnish the demo's data folder; return its log-ins, names with passwords."""
    from watchword.app.living import prepare

    return [(login.name, login.password) for login in prepare(settings, seed)]


def _welcome(settings: "Settings", logins: Sequence[tuple[str, str]]) -> None:
    """Say where the pages are, and how to log in, once the server answers."""
    path = settings.data / "run" / READY_FILE
    before = path.stat().st_mtime_ns if path.is_file() else 0

    def wait() -> None:
        import json
        import time

        while not path.is_file() or path.stat().st_mtime_ns == before:
            time.sleep(0.1)
        url = json.loads(path.read_text(encoding="utf-8"))["url"]
        print(f"\n  Watchword is at {url}", flush=True)
        for number, (name, password) in enumerate(logins):
            print(f"  {'First log-in:' if number == 0 else '          also:'}  name {name}   password {password}", flush=True)
        print("  Stop it with Ctrl-C.\n", flush=True)

    threading.Thread(target=wait, name="welcome", daemon=True).start()
