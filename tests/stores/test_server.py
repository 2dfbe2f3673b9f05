# ruff: noqa: S608 - only names of the tests' own tables are put into the text
"""The store's HTTP interface, byte by byte, and the engine's faults that its shape keeps away from callers."""

import contextlib
import gzip
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import clickhouse_connect
import pytest

from watchword.stores.engine import Engine, EngineError, Statement, insert_head
from watchword.stores.owner import OwnedStore


@pytest.fixture
def port(store: OwnedStore) -> int:
    return int(store.url.rpartition(":")[2])


@pytest.fixture
def wire(store: OwnedStore, port: int) -> Iterator["Wire"]:
    opened = Wire(port, store.token)
    yield opened
    opened.connection.close()


class Wire:
    """A bare HTTP client."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"X-ClickHouse-User": "default", "X-ClickHouse-Key": token}

    def ask(self, method: str = "POST", path: str = "/", body=None, headers=None, *, chunked: bool = False, **query):
        target = path + ("?" + urlencode(query) if query else "")
        given = self.headers | (headers or {})
        self.connection.request(method, target, body, {k: v for k, v in given.items() if v is not None}, encode_chunked=chunked)
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.headers

    def rows(self, sql: str, **query) -> str:
        status, body, _ = self.ask(body=sql.encode(), **query)
        assert status == 200, body
        return body.decode()


def test_ping_needs_no_token_and_says_nothing_else(wire: Wire) -> None:
    for path in ("/", "/ping"):
        assert wire.ask("GET", path, headers={"X-ClickHouse-Key": None})[:2] == (200, b"Ok.\n")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-ClickHouse-Key": None}, {"X-ClickHouse-Key": "wrong"}, {"Authorization": "Basic !!!", "X-ClickHouse-Key": None},
        {"Authorization": "Basic " + b64encode(b"default:wrong").decode()}, {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic " + b64encode(b"\xff:\xff").decode(), "X-ClickHouse-Key": None},
    ],
)  # fmt: skip
def test_without_the_token_nothing_is_answered(wire: Wire, headers: dict) -> None:
    status, body, answered = wire.ask(body="SELECT 1", headers=headers)
    assert (status, answered["X-ClickHouse-Exception-Code"]) == (403, "516")
    assert b"AUTHENTICATION_FAILED" in body
    assert wire.ask("GET", "/", query="SELECT 1", headers=headers)[0] == 403


def test_the_token_comes_in_any_of_three_headers(wire: Wire, store: OwnedStore) -> None:
    basic = b64encode(f"anyone:{store.token}".encode()).decode()
    for headers in ({}, {"Authorization": f"Basic {basic}"}, {"Authorization": f"Bearer {store.token}"}):
        bare = headers or {"X-ClickHouse-Key": store.token}
        assert wire.ask(body="SELECT 1", headers={"X-ClickHouse-Key": None} | bare)[:2] == (200, b"1\n")


def test_a_query_comes_in_the_address_the_body_or_both(wire: Wire) -> None:
    assert wire.rows("SELECT 1 + 1") == "2\n"
    assert wire.ask("GET", "/", query="SELECT 3")[1] == b"3\n"
    assert wire.ask(body=" + 4", query="SELECT 3")[1] == b"7\n"
    assert wire.ask(body=b"")[0] == 500
    assert wire.ask("GET", "/nowhere", query="SELECT 1")[0] == 404
    assert wire.ask("DELETE", "/")[0] in {404, 501}


def test_bodies_come_in_chunks_and_compressed(wire: Wire) -> None:
    assert wire.ask(body=iter([b"SEL", b"ECT ", b"5"]), headers={"Transfer-Encoding": "chunked"}, chunked=True)[1] == b"5\n"
    assert wire.ask(body=gzip.compress(b"SELECT 6"), headers={"Content-Encoding": "gzip"})[1] == b"6\n"
    status, body, _ = wire.ask(body=b"x", headers={"Content-Encoding": "brotli"})
    assert status == 500
    assert b"UNKNOWN_COMPRESSION_METHOD" in body
    assert wire.ask(body=b"not gzip", headers={"Content-Encoding": "gzip"})[0] == 500
    assert wire.rows("SELECT 7") == "7\n"  # the connection is still good


def test_a_zip_bomb_is_refused_while_it_is_unpacked(wire: Wire) -> None:
    bomb = gzip.compress(b"SELECT 1 -- " + b"x" * 200_000_000, 9)
    status, body, _ = wire.ask(body=bomb, headers={"Content-Encoding": "gzip"})
    assert status == 500
    assert b"QUERY_IS_TOO_LARGE" in body


def test_parameters_are_values_whatever_they_hold(wire: Wire) -> None:
    for text in ("it's", '"; DROP TABLE x; --', "{b:String}", "ünï 🚪", "%s %d"):
        assert json.loads(wire.rows("SELECT {a:String} AS a FORMAT JSONEachRow", param_a=text)) == {"a": text}
    assert wire.rows("SELECT {n:Int64} + length({l:Array(String)})", param_n="-3", param_l="['a','b\\'c']") == "-1\n"
    assert wire.ask(body="SELECT {n:Int64}", param_n="1 OR 1")[0] == 500


def test_settings_of_the_address_reach_the_engine_and_end_with_the_statement(wire: Wire) -> None:
    look = "SELECT getSetting('max_block_size')"
    usual = wire.rows(look)
    assert wire.rows(look, max_block_size="1234") == "1234\n"
    assert wire.rows(f"{look} FORMAT TabSeparated;", max_block_size="1234") == "1234\n"
    assert wire.rows(f"{look} SETTINGS max_threads = 1 FORMAT TabSeparated", max_block_size="77") == "77\n"
    wire.ask(body="SET max_block_size = 99")
    wire.ask(body="SYSTEM FLUSH LOGS", max_block_size="98")
    for _ in range(20):  # whichever thread answers
        assert wire.rows(look) == usual


@pytest.mark.parametrize(
    ("name", "value"), [("no_such_setting", "1"), ("max_threads = 1, readonly", "0"), ("max_block_size", "1' , readonly = '0")]
)
def test_what_is_no_setting_or_no_value_is_refused(wire: Wire, name: str, value: str) -> None:
    status, body, headers = wire.ask(body="SELECT 1", **{name: value})
    assert status == 500
    assert headers["X-ClickHouse-Exception-Code"] == re.search(rb"Code: (\d+)", body)[1].decode()


def test_errors_are_text_with_the_engine_s_code(wire: Wire) -> None:
    for sql, code in (("SELEC 1", "62"), ("SELECT * FROM nowhere.t", "81"), ("SELECT throwIf(1)", "395")):
        status, body, headers = wire.ask(body=sql)
        assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, code)
        assert body.startswith(f"Code: {code}. DB::Exception:".encode())


def test_readonly_refuses_files_and_writing_and_leaves_the_next_query_free(wire: Wire) -> None:
    wire.rows("CREATE TABLE IF NOT EXISTS ro (a Int64) ENGINE = MergeTree ORDER BY a")
    for sql in (
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "INSERT INTO ro VALUES (1)",
        "SELECT * FROM url('http://127.0.0.1/', 'CSV')",
    ):
        status, body, _ = wire.ask(body=sql, readonly="1")
        assert status == 500
        assert b"READONLY" in body or b"Code: 164" in body
    for n in range(16):
        wire.rows(f"INSERT INTO ro VALUES ({n})")
    assert wire.rows("SELECT count() FROM ro") == "16\n"


def test_inserts_come_in_the_address_or_the_body_with_any_bytes(wire: Wire) -> None:
    wire.rows("CREATE TABLE IF NOT EXISTS ins (a Int64, `größe` String) ENGINE = MergeTree ORDER BY a")
    assert wire.ask(body='{"a":1,"größe":"x"}\n'.encode(), query="INSERT INTO ins FORMAT JSONEachRow")[0] == 200
    assert wire.ask(body='INSERT INTO ins (a, `größe`) FORMAT JSONEachRow\n{"a":2,"größe":"y"}\n'.encode())[0] == 200
    assert wire.ask(body=gzip.compress(b"3\tz\n"), query="INSERT INTO ins FORMAT TSV", headers={"Content-Encoding": "gzip"})[0] == 200
    assert wire.ask(body="INSERT INTO ins SELECT 4, 'w'")[0] == 200
    status, _, headers = wire.ask(body=b"5\tv\n6\tu\n", query="INSERT INTO ins SETTINGS max_insert_threads = 1 FORMAT TSV", max_threads="1")
    assert (status, json.loads(headers["X-ClickHouse-Summary"])["written_rows"]) == (200, "2")
    assert wire.rows("SELECT groupArray(`größe`) FROM (SELECT * FROM ins ORDER BY a)") == "['x','y','z','w','v','u']\n"
    assert wire.ask(body=b"no number\tv\n", query="INSERT INTO ins FORMAT TSV")[0] == 500


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("INSERT INTO t FORMAT Native\nrest", ("t", "", "Native")), ("insert into `a`.`b` (x, y)\n format Arrow ", ("`a`.`b` (x, y)", "", "Arrow")),
        ("INSERT INTO t SETTINGS a = 'b' FORMAT TSV\n", ("t", "a = 'b'", "TSV")), ("INSERT INTO t SELECT 1 FORMAT TSV", None),
        ("INSERT INTO t VALUES (1)", None), ("SELECT 1 FORMAT TSV", None), ("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT TSV", None),
        ("INSERT INTO FUNCTION file('x') FORMAT TSV", None),
    ],
)  # fmt: skip
def test_which_statements_are_inserts_with_data(text: str, head: tuple | None) -> None:
    found = insert_head(text)
    assert (found and (found.target, found.inline, found.format)) == head


def test_the_real_client_with_its_own_compression_contexts_and_long_parameters(store: OwnedStore, port: int) -> None:
    client = clickhouse_connect.get_client(host="127.0.0.1", port=port, username="default", password=store.token)
    client.command("CREATE TABLE IF NOT EXISTS cc (a Int64, b String) ENGINE = MergeTree ORDER BY a")
    client.insert("cc", [[n, f"b{n}'\\"] for n in range(5000)], column_names=["a", "b"])
    assert client.query("SELECT count(), max(b) FROM cc").result_rows == [(5000, "b999'\\")]
    wanted = [f"b{n}'\\" for n in range(4000)]
    assert client.query("SELECT count() FROM cc WHERE b IN {l:Array(String)}", parameters={"l": wanted}).result_rows == [(4000,)]
    assert client.query("SELECT * FROM cc LIMIT 0").column_names == ("a", "b")
    client.close()


def test_sessions_of_six_threads_never_swap_parameters(store: OwnedStore, port: int) -> None:
    wrong: list[tuple[int, int]] = []

    def work(part: int) -> None:
        wire = Wire(port, store.token)
        for n in range(150):
            number = part * 1000 + n
            if (got := int(wire.rows("SELECT {n:Int64}", param_n=str(number)))) != number:
                wrong.append((number, got))
        wire.connection.close()

    threads = [threading.Thread(target=work, args=(part,)) for part in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_head_and_body_come_without_the_delay_of_two_writes(wire: Wire) -> None:
    wire.rows("SELECT 1")
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        wire.rows("SELECT 1")
        times.append(time.perf_counter() - begin)
    assert sorted(times)[10] < 0.035  # a delayed acknowledgement alone costs 0.040


def test_the_store_listens_on_loopback_only(port: int) -> None:
    def listening(family: str) -> list[str]:
        rows = [line.split() for line in Path(f"/proc/net/{family}").read_text().splitlines()[1:]]
        return [row[1].partition(":")[0] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port]

    assert listening("tcp") == ["0100007F"]
    if Path("/proc/net/tcp6").exists():
        assert listening("tcp6") == []


def test_clients_that_vanish_or_talk_nonsense_stop_nothing(wire: Wire, port: int, store: OwnedStore) -> None:
    for garbage in (
        b"\x00\xff\r\n\r\n",
        b"POST / HTTP/1.1\r\nX-ClickHouse-Key: " + store.token.encode() + b"\r\nContent-Length: 100\r\n\r\nSELECT",
    ):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(garbage)
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"GET /?query=" + b"x" * 2_000_000)
        raw.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            assert raw.recv(100).startswith(b"HTTP/1.1 414")
    status, _, _ = wire.ask(headers={"Content-Length": "nonsense"}, body=None)
    assert status == 400
    assert wire.rows("SELECT 1") == "1\n"


# the process


def _start(folder: Path, **options) -> tuple[subprocess.Popen[bytes], dict]:
    command = [sys.executable, "-m", "watchword.stores.server", "--path", str(folder / "ev"), "--token-file", str(folder / "token")]
    child = subprocess.Popen([*command, "--ready-file", str(folder / "ready.json"), "--port", "0"], **options)
    until = time.monotonic() + 60
    while not (folder / "ready.json").exists():
        assert child.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    return child, json.loads((folder / "ready.json").read_text())


def test_sigterm_finishes_what_is_under_way_and_leaves_cleanly(tmp_path: Path) -> None:
    child, ready = _start(tmp_path)
    assert ready["pid"] == child.pid
    assert Path(ready["token_file"]).stat().st_mode & 0o077 == 0
    token = Path(ready["token_file"]).read_text()
    results: list[str] = []

    def ask_slowly() -> None:
        wire = Wire(ready["port"], token)
        results.append(wire.rows("SELECT sleepEachRow(0.5) FROM numbers(3) FORMAT Null"))
        wire.connection.close()

    slow = threading.Thread(target=ask_slowly)
    slow.start()
    idle = Wire(ready["port"], token)
    idle.rows("CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    time.sleep(0.3)
    child.send_signal(signal.SIGTERM)
    slow.join()
    assert child.wait(30) == 0
    assert results == [""]
    assert not (tmp_path / "ready.json").exists()
    idle.connection.close()


def test_a_folder_opens_in_one_process_only_and_the_next_waits(tmp_path: Path) -> None:
    child, _ = _start(tmp_path)
    command = [sys.executable, "-m", "watchword.stores.server", "--path", str(tmp_path / "ev"), "--token-file", str(tmp_path / "token")]
    second = subprocess.Popen([*command, "--ready-file", str(tmp_path / "second.json")])
    time.sleep(1.5)
    assert second.poll() is None
    assert not (tmp_path / "second.json").exists()
    child.kill()
    child.wait()
    until = time.monotonic() + 30
    while not (tmp_path / "second.json").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert (tmp_path / "second.json").exists()
    second.terminate()
    assert second.wait(30) == 0


def test_the_engine_runs_what_it_was_handed_before_it_closes(tmp_path: Path) -> None:
    code = f"""
import threading
from pathlib import Path
from watchword.stores.engine import Engine, EngineError, Statement
engine = Engine(Path({str(tmp_path / "ev")!r}), threads=3)
def work():
    try:
        while True:
            engine.run(Statement("SELECT count() FROM numbers(100000)"))
    except EngineError as error:
        assert error.code == 394, error
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
engine.close()
for thread in threads: thread.join()
print("closed")
"""
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (0, "closed\n"), done.stderr


def test_engine_errors_carry_their_code() -> None:
    assert EngineError("Code: 62. DB::Exception: x").code == 62
    assert str(EngineError("odd", 99)) == "Code: 99. DB::Exception: odd"
    assert Engine.__doc__
    assert Statement("SELECT 1").data == -1
