"""Checks an evidence bundle with nothing but Python's standard library: layout, hashes, signature, custody, timeline; travels inside it.

Run it as ``python3 -I -S verify.py BUNDLE.zip [--key HEX]``. Take this file and the key's 64 hex digits from the house that made the
bundle, by another way than the bundle itself: a script that came with a forgery says what the forger likes.

Ed25519 as RFC 8032, section 5.1. The ZIP is of the plainest kind (stored, fixed times, ZIP64 throughout), so that every byte of it follows
from the files' names and contents: whatever differs was changed.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zlib
from pathlib import Path
from typing import Any, BinaryIO

README, SCRIPT, KEY, TIMELINE, MANIFEST, SIGNATURE = (
    "README.txt",
    "verify.py",
    "public_key.txt",
    "timeline.ndjson",
    "manifest.json",
    "manifest.sig",
)
FORMAT = "watchword-evidence-1"
GENESIS = "0" * 64
CHUNK = 1 << 20
LARGEST_TEXT = 1 << 30
"""Bytes of a manifest that are read into memory."""


class Broken(Exception):
    """Something in the bundle is not as it was made."""


# Ed25519 (RFC 8032, section 5.1): points are extended coordinates (X, Y, Z, T) over the field of 2^255 - 19

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _add(one: Any, two: Any) -> Any:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Any) -> Any:
    found = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = _add(found, point)
        point = _add(point, point)
        scalar >>= 1
    return found


def _same(one: Any, two: Any) -> bool:
    return bool((one[0] * two[2] - two[0] * one[2]) % P == 0 and (one[1] * two[2] - two[1] * one[2]) % P == 0)


def _point(text: bytes) -> Any:
    """Return the point of 32 bytes, None where they are none (section 5.1.3)."""
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (not x and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


_BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = _point(_BASE_Y.to_bytes(32, "little"))


def signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether an Ed25519 signature (64 bytes) fits a message under a public key (32 bytes)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    public, first = _point(key), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if public is None or first is None or scalar >= L:
        return False
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return _same(_times(scalar, BASE), _add(first, _times(hashed, public)))


# The layout of the ZIP (APPNOTE 6.3.9, sections 4.3 and 4.5.3): one way to write each part

_FLAGS, _TIME, _DATE, _VERSION = 0x0800, 0, 0x21, 45
_MANY, _MOST = 0xFFFF, 0xFFFFFFFF


def local_header(name: str, crc: int, size: int) -> bytes:
    """Return what stands before a file's bytes."""
    said = name.encode()
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, _VERSION, _FLAGS, 0, _TIME, _DATE, crc, _MOST, _MOST, len(said), 20)
    return head + said + struct.pack("<HHQQ", 1, 16, size, size)


def directory(files: list[tuple[str, int, int, int]], at: int) -> bytes:
    """Return what stands behind the files, at offset `at`: (name, crc, size, offset) each, and the end records."""
    out = b""
    for name, crc, size, offset in files:
        said = name.encode()
        out += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x0300 | _VERSION, _VERSION, _FLAGS, 0, _TIME, _DATE, crc, _MOST, _MOST,
                           len(said), 28, 0, 0, 0, 0o100644 << 16, _MOST)  # fmt: skip
        out += said + struct.pack("<HHQQQ", 1, 24, size, size, offset)
    count, size = len(files), len(out)
    out += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0x0300 | _VERSION, _VERSION, 0, 0, count, count, size, at)
    out += struct.pack("<IIQI", 0x07064B50, 0, at + size, 1)
    return out + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, _MANY, _MANY, _MOST, _MOST, 0)


class _Bundle:
    """A bundle read from its first byte to its last."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._seen = file, 0
        self.files: list[tuple[str, int, int, int]] = []
        self.digests: dict[str, str] = {}
        self.kept: dict[str, bytes] = {}
        self._all()

    def _take(self, size: int) -> bytes:
        found = self._file.read(size)
        self._seen += len(found)
        if len(found) != size:
            raise Broken("the bundle is cut short")
        return found

    def _all(self) -> None:
        head = self._take(30)
        while head[:4] == b"PK\x03\x04":
            self._one(head)
            head = self._take(30)
        at = self._seen - 30
        wanted = directory(self.files, at)
        if head + self._file.read(len(wanted)) != wanted:
            raise Broken("the directory of the ZIP, or what stands behind it, is not as it was made")

    def _one(self, head: bytes) -> None:
        offset = self._seen - 30
        crc, length = struct.unpack_from("<I", head, 14)[0], struct.unpack_from("<H", head, 26)[0]
        rest = self._take(length + 20)
        name, size = rest[:length].decode(), struct.unpack_from("<Q", rest, length + 4)[0]
        if head + rest != local_header(name, crc, size):
            raise Broken(f"the ZIP's header of {name!r} is not as it was made")
        if name in self.digests:
            raise Broken(f"{name!r} stands twice in the bundle")
        keep = name in {KEY, MANIFEST, SIGNATURE, TIMELINE}
        if keep and size > LARGEST_TEXT:
            raise Broken(f"{name!r} is too large to be true")
        digest, check, left, parts = hashlib.sha256(), 0, size, []
        while left:
            part = self._take(min(left, CHUNK))
            digest.update(part)
            check, left = zlib.crc32(part, check), left - len(part)
            if keep:
                parts.append(part)
        if check != crc:
            raise Broken(f"the bytes of {name!r} were changed")
        self.files.append((name, crc, size, offset))
        self.digests[name] = digest.hexdigest()
        if keep:
            self.kept[name] = b"".join(parts)


# Chains


def link(previous: str, content: bytes) -> str:
    """Return the next head of a hash chain."""
    return hashlib.sha256(bytes.fromhex(previous) + hashlib.sha256(content).digest()).hexdigest()


DEEDS = frozenset(
    {
        "acquired", "viewed", "copied", "transfer offered", "transfer accepted", "transfer withdrawn", "taken over", "sealed", "released",
    }
)  # fmt: skip
ENDS_OFFER = frozenset({"transfer accepted", "transfer withdrawn", "taken over", "released"})
OF_HOLDER = frozenset({"transfer offered", "sealed", "released"})


def custody_content(row: dict[str, Any]) -> bytes:
    """Return the bytes of a custody entry that its chain binds: all but head and signature."""
    names = ("evidence", "seq", "deed", "by", "team", "to", "reason", "at", "detail", "key")
    return json.dumps([row[name] for name in names], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def custody_faults(uid: str, rows: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the chain of custody of one piece: links, signatures, and whether each was the one to do what they did."""
    faults, head = [], link(GENESIS, b"custody " + uid.encode())
    now: dict[str, Any] = {"holder": "", "offer": None, "sealed": False, "released": False}
    for number, row in enumerate(rows, 1):
        found = []
        if row["seq"] != number or row["evidence"] != uid:
            found.append(f"it is not the {number}th of this piece: entries are missing or out of order")
        if link(head, custody_content(row)) != row["head"]:
            found.append("it was changed, or one before it was")
        head = row["head"]
        if not signed(bytes.fromhex(row["key"]), custody_message(head), bytes.fromhex(row["signature"])):
            found.append("its signature does not fit")
        found += [said for wrong, said in ORDER if wrong(row, now)]
        faults += [f"custody entry {number} of {uid}: {said}" for said in found]
        _follow(row, now)
    return faults if rows else [f"{uid}: it has no chain of custody"]


def _follow(row: dict[str, Any], now: dict[str, Any]) -> None:
    deed = row["deed"]
    if deed in {"acquired", "transfer accepted", "taken over"}:
        now["holder"] = row["by"]
    if deed == "transfer offered":
        now["offer"] = row
    elif deed in ENDS_OFFER:
        now["offer"] = None
    now["sealed"] |= deed == "sealed"
    now["released"] |= deed == "released"


def _alone(row: dict[str, Any], now: dict[str, Any]) -> bool:
    offer = now["offer"]
    return row["deed"] == "transfer accepted" and (offer is None or offer["to"] != row["by"] or offer["key"] == row["key"])


def _not_theirs(row: dict[str, Any], now: dict[str, Any]) -> bool:
    offer = now["offer"]
    return row["deed"] == "transfer withdrawn" and (offer is None or row["by"] not in {offer["by"], offer["to"]})


ORDER: Any = (
    (lambda row, _: row["deed"] not in DEEDS, "what was done is no deed that this script knows"),
    (lambda row, _: (row["deed"] == "acquired") != (row["seq"] == 1), "a chain begins with the acquisition, and has no other"),
    (lambda row, now: now["released"] and row["deed"] != "copied", "it comes after the release"),
    (lambda row, now: row["deed"] in OF_HOLDER and row["by"] != now["holder"], "whoever did it did not hold the piece"),
    (lambda row, now: row["deed"] == "transfer offered" and now["offer"] is not None, "another offer stood"),
    (lambda row, _: row["deed"] == "transfer offered" and row["to"] in {"", row["by"]}, "it was offered to nobody else"),
    (_alone, "accepted by somebody to whom it was not offered, or signed by one party alone"),
    (_not_theirs, "no offer of theirs stood"),
    (lambda row, now: row["deed"] == "viewed" and now["sealed"], "opened under seal"),
)
"""(what may not be, what to say of it): who may do what after what."""


def custody_message(head: str) -> bytes:
    """Return what a custody entry's signature is over."""
    return b"watchword custody\n" + head.encode()


def manifest_message(manifest: bytes) -> bytes:
    """Return what a bundle's signature is over."""
    return b"watchword bundle\n" + manifest


def timeline_faults(incident: str, text: bytes, entries: int, head: str) -> list[str]:
    """Return what is wrong with an incident's timeline: its chain, its length, its newest head."""
    names = ("incident", "seq", "kind", "text", "occurred_at", "entered_at", "recorded_by", "team", "refs", "corrects")
    found, number = link(GENESIS, b"incident " + incident.encode()), 0
    for number, line in enumerate(text.splitlines(), 1):
        row = json.loads(line)
        content = json.dumps([row[name] for name in names], ensure_ascii=False, separators=(",", ":")).encode()
        found = link(found, content)
        if row["seq"] != number or found != row["head"]:
            return [f"timeline entry {number} was changed, or one before it was, or is missing"]
    return [] if (number, found) == (entries, head) else ["the newest entries of the timeline are missing"]


# The bundle


def check(file: BinaryIO, key: str = "") -> tuple[list[str], dict[str, Any]]:
    """Check a bundle; return every fault (none: it is as it was made) and the manifest. `key`: the maker's public key in hex, if known."""
    try:
        bundle = _Bundle(file)
        manifest = _manifest(bundle, key.strip().lower())
        return _contents(bundle, manifest), manifest
    except Broken as error:
        return [str(error)], {}
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError, MemoryError) as error:
        return [f"the bundle cannot be read: {type(error).__name__}: {error}"], {}


def _manifest(bundle: _Bundle, key: str) -> dict[str, Any]:
    for name in (KEY, MANIFEST, SIGNATURE):
        if name not in bundle.kept:
            raise Broken(f"there is no {name}: this is no evidence bundle, or it was cut")
    public = bundle.kept[KEY].decode("ascii")
    if public != bytes.fromhex(public.strip()).hex() + "\n":
        raise Broken(f"{KEY} is not as it was made")
    if key and public.strip() != key:
        raise Broken(f"the bundle is signed by the key {public.strip()}, not by the one that you named")
    if not signed(bytes.fromhex(public.strip()), manifest_message(bundle.kept[MANIFEST]), bundle.kept[SIGNATURE]):
        raise Broken("the signature does not fit the manifest")
    manifest: dict[str, Any] = json.loads(bundle.kept[MANIFEST])
    if manifest["format"] != FORMAT:
        raise Broken(f"the bundle is of a kind that this script does not know: {manifest['format']!r}")
    return manifest


def _contents(bundle: _Bundle, manifest: dict[str, Any]) -> list[str]:
    faults = []
    listed = [each["path"] for each in manifest["files"]] + [MANIFEST, SIGNATURE]
    found = [name for name, _, _, _ in bundle.files]
    if listed != found:
        faults.append(f"files that the manifest does not have in this place: {sorted(set(found) ^ set(listed)) or found}")
    sizes = {name: size for name, _, size, _ in bundle.files}
    seen = {each["path"]: (bundle.digests.get(each["path"]), sizes.get(each["path"])) for each in manifest["files"]}
    changed = [each["path"] for each in manifest["files"] if seen[each["path"]] != (each["sha256"], each["size"])]
    faults += [f"{path}: its bytes are not those that were signed" for path in changed]
    for piece in manifest["evidence"]:
        uid, rows = piece["uid"], piece["custody"]
        faults += custody_faults(uid, rows)
        if len(rows) != piece["entries"] or (rows and rows[-1]["head"] != piece["head"]):
            faults.append(f"{uid}: the newest entries of its custody are missing")
        said = (rows[0]["detail"]["sha256"], rows[0]["detail"]["size"]) if rows else ("", "")
        if said != (piece["sha256"], str(piece["size"])):
            faults.append(f"{uid}: what was acquired is not what is listed")
        if not piece["left_out"] and bundle.digests.get(piece["path"]) != piece["sha256"]:
            faults.append(f"{piece['path']}: it is not what was acquired")
    told = manifest["timeline"]
    return faults + timeline_faults(told["incident"], bundle.kept.get(TIMELINE, b""), told["entries"], told["head"])


def main(arguments: list[str]) -> int:
    """Check the bundle that is named and say what was found; 0: it is as it was made, 1: it is not, 2: usage."""
    say = sys.stdout.write
    key = ""
    if "--key" in arguments:
        at = arguments.index("--key")
        key, arguments = "".join(arguments[at + 1 : at + 2]), arguments[:at] + arguments[at + 2 :]
        if len(key) != 64:
            say("--key takes 64 hex digits\n")
            return 2
    if len(arguments) != 1:
        say("usage: python3 -I -S verify.py BUNDLE.zip [--key HEX]\n")
        return 2
    try:
        with Path(arguments[0]).open("rb") as file:
            faults, manifest = check(file, key)
    except OSError as error:
        say(f"{arguments[0]}: {error.strerror}\n")
        return 1
    for fault in faults:
        say(ascii(fault)[1:-1] + "\n")
    if faults:
        say(f"NOT INTACT: {len(faults)} faults. Do not rely on this bundle.\n")
        return 1
    left = [piece for piece in manifest["evidence"] if piece["left_out"]]
    say(f"INTACT: {len(manifest['evidence']) - len(left)} originals, {manifest['timeline']['entries']} timeline entries.\n")
    for piece in left:
        say(ascii(f"left out: {piece['name']}: {piece['left_out']}")[1:-1] + "\n")
    known = "the one that you named" if key else "compare it with the one that the house tells you by another way"
    say(f"signed by key {manifest['key']} ({known})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
