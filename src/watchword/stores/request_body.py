"""The body of a request to the store: by length or in chunks, compressed or not, a form or not, and never more than allowed."""

import contextlib
import os
import zlib
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from importlib import import_module
from typing import Any, Protocol

from watchword.stores.engine import EngineError

BODY_BYTES = 536_870_912
QUERY_BYTES = 16_777_216
HEAD_BYTES = 65_536
"""An insert's statement ends within so many bytes."""
_PIECE = 262_144


class _Decompressor(Protocol):
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class RequestBody:
    """A request's body: by length or in chunks, compressed or not, bounded."""

    def __init__(self, source: Any, headers: Any) -> None:
        self._source = source
        self._chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        self._length = int(headers.get("Content-Length") or 0)
        self._encoding = headers.get("Content-Encoding", "").lower()
        self.form = headers.get("Content-Type", "") if headers.get("Content-Type", "").startswith("multipart/") else ""
        """Content type of a form, in which clients send long parameters; else ''."""
        self._rest = self._raw()
        self.spent = not self._chunked and self._length == 0
        """Whether every byte was read, so that the connection can go on."""

    def pieces(self) -> Iterator[bytes]:
        """Yield the plain bytes.

        Raises:
            EngineError: the body is longer than allowed, or its encoding is unknown.
        """
        unpack = _decompressor(self._encoding)
        total = 0
        for raw in self._rest:
            for piece in _unpacked(unpack, raw) if unpack else (raw,):
                total += len(piece)
                if total > BODY_BYTES:
                    raise EngineError(f"the body is longer than {BODY_BYTES:,} bytes (TOO_LARGE)", 307)
                yield piece

    def fields(self) -> dict[str, str]:
        """Return the fields of a form.

        Raises:
            EngineError: it is too long, or holds a file.
        """
        content = gather(self.pieces(), QUERY_BYTES)
        if not self.spent:
            raise too_long()
        form = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {self.form}\r\n\r\n".encode("latin-1") + content)
        found: dict[str, str] = {}
        for part in form.iter_parts():
            if part.get_filename() is not None:
                raise EngineError("external data are not part of this interface (NOT_IMPLEMENTED)", 48)
            payload = part.get_payload(decode=True)
            found[str(part.get_param("name", header="content-disposition"))] = payload.decode() if isinstance(payload, bytes) else ""
        return found

    def drain(self) -> None:
        """Read on to the end, within bounds, and forget what was read."""
        total = 0
        with contextlib.suppress(ValueError, OSError):
            for raw in self._rest:
                total += len(raw)
                if total > BODY_BYTES:
                    return

    def _raw(self) -> Iterator[bytes]:
        if self._chunked:
            while size := int(self._source.readline(64).split(b";")[0], 16):
                yield from self._exactly(size)
                self._source.readline(8)
            while self._source.readline(HEAD_BYTES) not in {b"\r\n", b"\n", b""}:
                pass
        else:
            yield from self._exactly(self._length)
        self.spent = True

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size > 0:
            piece = self._source.read(min(size, _PIECE))
            if not piece:
                raise ConnectionError("the client went away in the middle of a body")
            size -= len(piece)
            yield piece


def _decompressor(encoding: str) -> _Decompressor | None:
    if encoding in {"", "identity"}:
        return None
    if encoding in {"gzip", "deflate"}:
        return zlib.decompressobj(wbits=47)
    if encoding == "lz4":
        return import_module("lz4.frame").LZ4FrameDecompressor()  # type: ignore[no-any-return] # only clients with compression on
    raise EngineError(f"Content-Encoding {encoding!r} is not known here; use gzip, deflate, lz4 or none (UNKNOWN_COMPRESSION_METHOD)", 89)


def _unpacked(unpack: Any, raw: bytes) -> Iterator[bytes]:
    while True:
        piece = unpack.decompress(raw, _PIECE)
        if piece:
            yield piece
        raw = getattr(unpack, "unconsumed_tail", b"")  # zlib hands back what it did not reach; lz4 keeps it inside
        if not raw and (getattr(unpack, "needs_input", True) or getattr(unpack, "eof", False)):
            return


def too_long() -> EngineError:
    """Return the refusal of a query that is too long."""
    return EngineError(f"the query is longer than {QUERY_BYTES:,} bytes (QUERY_IS_TOO_LARGE)", 62)


def gather(pieces: Iterator[bytes], size: int) -> bytes:
    """Return the next pieces together, until they have at least so many bytes or end."""
    gathered = bytearray()
    while len(gathered) < size and (piece := next(pieces, b"")):
        gathered += piece
    return bytes(gathered)


def write_all(descriptor: int, piece: bytes) -> None:
    """Write every byte of a piece to a file descriptor."""
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]
