"""Compression: pages, JSON and files on request; live streams, small answers and what another site asked for as they are."""

import gzip

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from watchword.web.bundle import asset, dist
from watchword.web.compression import Compression

GZIP = {"Accept-Encoding": "gzip"}


def sizes(client, path, **headers):
    """Return the encoding, the bytes on the wire and the bytes meant."""
    with client.stream("GET", path, headers=GZIP | headers) as answer:
        raw = b"".join(answer.iter_raw())
        encoding = answer.headers.get("content-encoding", "")
        assert "Accept-Encoding" in answer.headers["vary"]
    return encoding, len(raw), len(gzip.decompress(raw) if encoding == "gzip" else raw)


def test_pages_are_compressed_on_request(ada):
    for path in ("/", "/timeline", "/findings", "/help"):
        encoding, wire, meant = sizes(ada, path)
        assert encoding == "gzip"
        assert wire * 2 < meant
    assert "content-encoding" not in ada.get("/", headers={"Accept-Encoding": "identity"}).headers
    assert "HX-Request-Type" in ada.get("/").headers["vary"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_asks_for_tells_nothing_by_its_length(ada, site):
    encoding, wire, meant = sizes(ada, "/timeline?q=reflected", **{"Sec-Fetch-Site": site})
    assert (encoding, wire) == ("", meant)


def test_files_are_sent_as_the_build_compressed_them(ada):
    if not asset("app.js"):
        pytest.skip("installed without the bundle")
    for name, kind in (("app.js", "javascript"), ("app.css", "text/css")):
        packed = (dist() / f"{asset(name).rpartition('/')[2]}.gz").read_bytes()
        with ada.stream("GET", asset(name), headers=GZIP) as answer:
            assert b"".join(answer.iter_raw()) == packed
            assert answer.headers["content-encoding"] == "gzip"
            assert kind in answer.headers["content-type"]
            assert "immutable" in answer.headers["cache-control"]
        plain = ada.get(asset(name), headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == gzip.decompress(packed)


def test_streams_and_small_answers_stay_as_they_are():
    def stream(_):
        return StreamingResponse(iter(["data: x\n\n"] * 2_000), media_type="text/event-stream")

    def large(_):
        return JSONResponse({"x": "y" * 5_000})

    def small(_):
        return JSONResponse({})

    app = Compression(Starlette(routes=[Route("/stream", stream), Route("/large", large), Route("/small", small)]))
    client = TestClient(app)
    assert "content-encoding" not in client.get("/stream", headers=GZIP).headers
    assert "content-encoding" not in client.get("/small", headers=GZIP).headers
    assert client.get("/large", headers=GZIP).headers["content-encoding"] == "gzip"
