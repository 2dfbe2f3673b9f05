"""Peers on loopback that speak as products do, and hang and lie as they do; and a house whose gateway acts through real responders."""

import importlib.util
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from watchword.connectors.product import Parts
from watchword.connectors.responders import ResponderEntry, maker_of
from watchword.kit.clock import SystemClock
from watchword.model.action import Action, Outcome
from watchword.stores.records import open_records

_spec = importlib.util.spec_from_file_location("actions_conftest", Path(__file__).parents[2] / "respond" / "actions" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
house = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(house)


class HttpProduct:
    """An HTTP server on a free port of this machine. `answer` is asked for each request; it may hang, lie, or break off."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answer: Callable[[str, str, bytes, dict[str, str]], tuple[int, Any]] = lambda *_: (404, {"error": "nothing here"})
        self.raw: Callable[[BaseHTTPRequestHandler], None] | None = None
        product = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                product.requests.append({"method": self.command, "path": self.path, "body": body, "headers": headers})
                self.close_connection = True
                if product.raw is not None:
                    product.raw(self)
                    return
                status, said = product.answer(self.command, self.path, body, headers)
                more: dict[str, str] = {}
                if isinstance(said, tuple):
                    said, more = said
                out = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(out)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(out)

            def log_message(self, *_: object) -> None:
                pass

        for verb in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            setattr(Handler, f"do_{verb}", Handler._serve)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address) -> None:
                pass  # the client went away, as it should from a peer that hangs

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    # bad manners

    def hang(self) -> None:
        """Take the request and never answer, but trickle a byte now and then, so that no pause is long."""

        def trickle(handler: BaseHTTPRequestHandler) -> None:
            until = time.monotonic() + 15
            while time.monotonic() < until:
                handler.wfile.write(b"H")
                handler.wfile.flush()
                time.sleep(0.05)

        self.raw = trickle


@pytest.fixture
def product() -> Iterator[HttpProduct]:
    made = HttpProduct()
    yield made
    made.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.key"
    path.write_text("correct horse battery\n", encoding="utf-8")
    return path


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(SystemClock(), tmp_path / "kept")


@pytest.fixture
def make(parts: Parts, tmp_path: Path):
    """Make a responder from options as they stand in the settings."""

    def made(kind: str, given: Parts | None = None, **options: Any):
        return maker_of(ResponderEntry("r1", kind, options, tmp_path))(given or parts)

    return made


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "records.sqlite3"
    opened = open_records(f"sqlite:///{path}")
    opened.migrate()
    opened.close()
    return path


@pytest.fixture
def world(migrated: Path, tmp_path: Path) -> Iterator[Any]:
    shutil.copy(migrated, tmp_path / "records.sqlite3")
    records = open_records(f"sqlite:///{tmp_path}/records.sqlite3")
    made = house.World(records, tmp_path)
    made.quiet()
    yield made
    records.close()


@pytest.fixture
def perform(world: Any):
    """Perform an action through the gateway with everything it takes, by one real responder."""

    def done(responder: Any, verb: str, target: str, key: str = "k1", **more: Any) -> Outcome:
        gateway = world.make_gateway(responders=[responder])
        action = gateway.render(world.action(verb, target, key, **more))
        if gateway.deed(action.key) is not None:
            return gateway.perform(action)
        people = (house.IT, house.PHYSICAL)[: gateway.catalogue.verb(verb).rule.count]
        return gateway.perform(action, world.agree(action, *people) if people else "")

    return done


def act(verb: str, target: str, key: str = "k1", **parameters: str) -> Action:
    return Action(verb, target, parameters, incident="i1", run="r1", path="p1", requested_by="rita", key=key)
