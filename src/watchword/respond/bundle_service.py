"""The export bundle: originals, custody, timeline and clock offsets in one signed ZIP that anybody can check with nothing but Python."""

import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from watchword.kit.clock import to_ms
from watchword.kit.errors import Corrupt
from watchword.model.incident import Incident
from watchword.respond import bundle_check as layout
from watchword.respond.custody import CustodyEntry, public_hex, row_of
from watchword.respond.evidence_view import Piece, offset_words
from watchword.respond.originals_service import CHUNK, Originals

ORIGINALS: Final = "originals"
LONGEST_NAME: Final = 80
README: Final = """Evidence of incident {number}: {title}
Made {made_at} by {made_by}. {pieces} originals.

originals/        the files as they were acquired, byte for byte, never re-encoded
manifest.json     their SHA-256, where they come from, by how much each source's clock was off, what opens them,
                  and who had them in hand (the chain of custody; each entry is signed by the one who did it)
timeline.ndjson   the incident's timeline, one entry a line, each bound to the one before it
manifest.sig      Ed25519 signature of the manifest
public_key.txt    the key that it was signed with
verify.py         checks all of it; needs Python 3.9 or later and nothing else

To check, take verify.py out of the bundle, better still get it from the house that made the bundle, and run:

    python3 -I -S verify.py BUNDLE.zip --key {key}

The key above is only worth something if you have it from that house by another way than this file.
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle is made of, as of one moment."""

    incident: Incident
    entries: int
    """Of the timeline."""
    head: str
    pieces: Sequence[tuple[Piece, Sequence[CustodyEntry]]]
    left_out: Mapping[str, str]
    """Uid of a piece that goes without its file → why."""
    made_at: datetime
    made_by: str


def write_bundle(
    out: Path, contents: Contents, timeline: Iterable[Mapping[str, Any]], originals: Originals, key: Ed25519PrivateKey
) -> dict[str, Any]:
    """Write a bundle and return its manifest; the file is there whole, or not at all. Memory does not grow with the originals.

    Args:
        out: where.
        contents: of the bundle.
        timeline: rows of the incident's timeline, in order.
        originals: where the files are read from.
        key: that signs.

    Raises:
        Corrupt: an original is not what was acquired; it can be left out by name.
    """
    part = out.with_name(out.name + ".part")
    try:
        with part.open("w+b") as file:
            manifest = _write(_Zip(file), contents, timeline, originals, key)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _write(
    bundle: "_Zip", contents: Contents, timeline: Iterable[Mapping[str, Any]], originals: Originals, key: Ed25519PrivateKey
) -> dict[str, Any]:
    named, stamp = public_hex(key), _z(contents.made_at)
    said = README.format(
        number=contents.incident.number,
        title=" ".join(contents.incident.title.split()),
        made_at=stamp,
        made_by=contents.made_by,
        pieces=len(contents.pieces) - len(contents.left_out),
        key=named,
    )
    bundle.add(layout.README, [said.encode()])
    bundle.add(layout.SCRIPT, [Path(layout.__file__).read_bytes()])
    bundle.add(layout.KEY, [f"{named}\n".encode()])
    evidence = []
    for number, (piece, custody) in enumerate(contents.pieces, 1):
        path = "" if piece.uid in contents.left_out else f"{ORIGINALS}/{number:04d}-{_safe(piece.about.name)}"
        if path:
            _copy(bundle, path, piece, originals)
        evidence.append(_said(piece, custody, path, contents.left_out.get(piece.uid, "")))
    bundle.add(layout.TIMELINE, (_json(row) + b"\n" for row in timeline))
    manifest = {
        "format": layout.FORMAT,
        "made_at": stamp,
        "made_by": contents.made_by,
        "key": named,
        "incident": _incident(contents.incident),
        "evidence": evidence,
        "timeline": {"path": layout.TIMELINE, "incident": contents.incident.uid, "entries": contents.entries, "head": contents.head},
        "files": bundle.listed,
    }
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode()
    bundle.add(layout.MANIFEST, [text])
    bundle.add(layout.SIGNATURE, [key.sign(layout.manifest_message(text))])
    bundle.finish()
    return manifest


def _copy(bundle: "_Zip", path: str, piece: Piece, originals: Originals) -> None:
    with originals.open(piece.sha256, piece.size) as file:
        found = bundle.add(path, iter(lambda: file.read(CHUNK), b""))
    if found != piece.sha256:
        raise Corrupt(
            f"the original of {piece.about.name} ({piece.uid}) is not what was acquired: restore it from a backup, or leave it out"
        )


class _Zip:
    """Writes the ZIP of `bundle_check`: each file's header is written again once its size and checksum are known."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._files: list[tuple[str, int, int, int]] = []
        self.listed: list[dict[str, Any]] = []

    def add(self, name: str, chunks: Iterable[bytes]) -> str:
        """Add a file and return its SHA-256."""
        at, digest, crc, size = self._out.tell(), sha256(), 0, 0
        self._out.write(layout.local_header(name, 0, 0))
        for chunk in chunks:
            self._out.write(chunk)
            digest.update(chunk)
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        end = self._out.tell()
        self._out.seek(at)
        self._out.write(layout.local_header(name, crc, size))
        self._out.seek(end)
        self._files.append((name, crc, size, at))
        self.listed.append({"path": name, "sha256": digest.hexdigest(), "size": size})
        return digest.hexdigest()

    def finish(self) -> None:
        """Write the directory."""
        self._out.write(layout.directory(self._files, self._out.tell()))


def timeline_row(row: Any) -> dict[str, Any]:
    """Return a row of the timeline as it stands in a bundle: times as milliseconds, `refs` as the text that the chain binds."""
    return {
        "incident": row.incident,
        "seq": row.seq,
        "kind": row.kind,
        "text": row.text,
        "occurred_at": to_ms(row.occurred_at),
        "entered_at": to_ms(row.entered_at),
        "recorded_by": row.recorded_by,
        "team": row.team,
        "refs": row.refs,
        "corrects": row.corrects,
        "head": row.head,
    }


def _said(piece: Piece, custody: Sequence[CustodyEntry], path: str, left_out: str) -> dict[str, Any]:
    about = piece.about
    return {
        "uid": piece.uid,
        "path": path,
        "left_out": left_out,
        "name": about.name,
        "kind": about.kind.value,
        "media": about.media,
        "sha256": piece.sha256,
        "size": piece.size,
        "source": about.source,
        "place": about.place,
        "since": _z(about.since),
        "until": _z(about.until),
        "clock_offset_ms": None if about.clock_offset is None else round(about.clock_offset.total_seconds() * 1000),
        "clock": offset_words(about.clock_offset),
        "player": about.player,
        "note": about.note,
        "acquired_at": _z(piece.acquired_at),
        "acquired_by": piece.by,
        "custodian": piece.custodian,
        "sealed": piece.sealed,
        "released": piece.released,
        "entries": piece.entries,
        "head": piece.head,
        "custody": [row_of(entry) for entry in custody],
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "uid": incident.uid,
        "number": incident.number,
        "title": incident.title,
        "state": incident.state.value,
        "severity": incident.severity,
        "exercise": incident.exercise,
        "opened_at": _z(incident.opened_at),
        "places": list(incident.places),
    }


def _safe(name: str) -> str:
    """Return a name that every system takes: letters, digits, dot, hyphen, underscore of ASCII."""
    kept = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in name).lstrip(".")
    return kept[-LONGEST_NAME:] or "file"


def _json(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def _z(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
