"""The bundle: it verifies with the bare interpreter, and no byte of it can be changed."""

import hashlib
import io
import json
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import update

from watchword.kit.errors import Corrupt, InputError
from watchword.respond import bundle_check
from watchword.respond.bundle_check import L, check, directory, local_header, manifest_message, signed
from watchword.respond.evidence_tables import custody
from watchword.stores.records import open_records

VECTORS = (  # RFC 8032, section 7.1, tests 1 to 3
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A bundle of two pieces, one of them handed on, and the house's key."""
    from tests.respond.evidence.conftest import room_in

    folder = tmp_path_factory.mktemp("bundle")
    records = open_records(f"sqlite:///{folder}/records.sqlite3")
    records.migrate()
    room = room_in(folder, records)
    one = room.acquire()
    room.clock.advance(timedelta(seconds=1))  # pieces stand in order of time; of two of one instant, the order is by chance
    room.acquire(b"a log\n" * 50, "../../etc/pass wd\u202e.log", by="ana", note='quotes " and \\ and \u00fc')
    room.evidence.transfer(one.uid, "ana", by="otto", team="physical", reason="end of shift")
    room.evidence.accept(one.uid, by="ana", team="it")
    room.incidents.note(room.incident, "Line one\nline two \u2028 and a NUL \x00", by="ana", team="it")
    out = folder / "bundle.zip"
    manifest = room.evidence.export(room.incident, out, by="ana", team="it", reason="for the court")
    yield out, manifest, room
    records.close()


def run(path, *more):
    script = path.with_name("verify.py")
    if not script.exists():
        with zipfile.ZipFile(path) as bundle:
            script.write_bytes(bundle.read("verify.py"))
    return subprocess.run([sys.executable, "-I", "-S", script, path, *more], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_vectors_of_the_rfc_verify(key, message, signature):
    assert signed(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))


def test_our_ed25519_agrees_with_a_library():
    random.seed(8032)
    for _ in range(12):
        key, message = Ed25519PrivateKey.generate(), random.randbytes(random.randrange(200))
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        assert signed(public, message, signature)
        bit = 1 << random.randrange(512)
        assert not signed(public, message, (int.from_bytes(signature) ^ bit).to_bytes(64))
        assert not signed(public, message + b"x", signature)
        assert not signed((int.from_bytes(public) ^ 1 << random.randrange(256)).to_bytes(32), message, signature)
        scalar = int.from_bytes(signature[32:], "little") + L  # the same residue, written otherwise: refused by the RFC
        assert not signed(public, message, signature[:32] + scalar.to_bytes(32, "little"))


def test_a_bundle_verifies_with_the_bare_interpreter(made):
    out, manifest, room = made
    done = run(out, "--key", room.evidence.public_key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("INTACT: 2 originals, ")
    assert manifest["key"] == room.evidence.public_key in done.stdout
    with zipfile.ZipFile(out) as bundle:
        assert bundle.testzip() is None
        first = manifest["evidence"][0]
        assert hashlib.sha256(bundle.read(first["path"])).hexdigest() == first["sha256"]
    assert [entry["deed"] for entry in first["custody"]] == ["acquired", "transfer offered", "transfer accepted", "copied"]
    assert (first["clock_offset_ms"], first["clock"], first["player"]) == (-2500, "2.500 s behind ours", "any; H.264")
    assert manifest["evidence"][1]["path"] == "originals/0002-pass_wd_.log"


def test_the_wrong_key_is_said(made):
    done = run(made[0], "--key", "0" * 64)
    assert done.returncode == 1
    assert "NOT INTACT" in done.stdout


def test_no_byte_can_be_changed(made):
    content = made[0].read_bytes()
    assert check(io.BytesIO(content))[0] == []
    step = 7  # every seventh byte and every byte of what is not an original; all of them took 40 s
    middle = range(content.index(b"originals/") + 100, content.rindex(b"timeline.ndjson") - 100)
    for at in [at for at in range(len(content)) if at % step == 0 or (at % 3 == 0 and at not in middle)]:
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        assert check(io.BytesIO(changed))[0], f"byte {at} can be changed"


def test_the_script_itself_says_so(made, tmp_path):
    content = made[0].read_bytes()
    random.seed(1)
    for at in [*random.sample(range(len(content)), 12), len(content) - 1]:
        changed = bytearray(content)
        changed[at] ^= 0x20
        path = tmp_path / "bundle.zip"
        path.write_bytes(changed)
        (tmp_path / "verify.py").write_bytes(Path(bundle_check.__file__).read_bytes())  # the trusted copy
        done = run(path)
        assert (done.returncode, done.stderr) == (1, ""), f"byte {at}: {done}"
        assert "NOT INTACT" in done.stdout


@pytest.mark.parametrize("change", [b"", b"\x00"])
def test_nothing_can_be_cut_off_or_added(made, change):
    content = made[0].read_bytes()
    for cut in (content[:-1], content[:100], content[: len(content) // 2], b"", content + b"x", content[1:]):
        assert check(io.BytesIO(change + cut if change else cut))[0]


def rebuilt(files):
    out, listed = b"", []
    for name, content in files:
        crc = zlib.crc32(content)
        listed.append((name, crc, len(content), len(out)))
        out += local_header(name, crc, len(content)) + content
    return out + directory(listed, len(out))


def read(content):
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return [(name, bundle.read(name)) for name in bundle.namelist()]


def test_a_forger_who_mends_checksums_is_found(made):
    files = read(made[0].read_bytes())
    assert check(io.BytesIO(rebuilt(files)))[0] == []
    for number, (name, content) in enumerate(files):
        for changed in ([(name, content + b" ")], [], [(name + "x", content)], [(name, content), ("further.txt", b"hello")]):
            assert check(io.BytesIO(rebuilt(files[:number] + changed + files[number + 1 :])))[0], name
    assert check(io.BytesIO(rebuilt([*files[1:], files[0]])))[0]


def forged(made, change):
    """Return the bundle with a changed manifest, signed by the house's own key: even the house cannot bend a chain."""
    _, _, room = made
    files = dict(read(made[0].read_bytes()))
    manifest = json.loads(files["manifest.json"])
    change(manifest)
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode()
    files["manifest.json"] = text
    files["manifest.sig"] = Ed25519PrivateKey.from_private_bytes(room.evidence.signing_key).sign(manifest_message(text))
    return check(io.BytesIO(rebuilt(list(files.items()))))[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: chain.pop(1),
        lambda chain: chain.pop(),
        lambda chain: chain.__setitem__(slice(1, 3), [chain[2], chain[1]]),
        lambda chain: chain[2].update(by="eve"),
        lambda chain: chain[1].update(to="eve"),
        lambda chain: chain[0].update(at=0),
        lambda chain: chain[2].update(signature=chain[1]["signature"]),
        lambda chain: chain[2].update(key=chain[1]["key"]),
        lambda chain: chain.append(chain[-1]),
        lambda chain: chain.clear(),
        lambda chain: chain[3].update(deed="burned"),
    ],
)
def test_a_chain_of_custody_cannot_be_bent_by_whoever_signs_the_bundle(made, change):
    assert forged(made, dict) == []
    assert forged(made, lambda manifest: change(manifest["evidence"][0]["custody"]))


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["evidence"][0].update(sha256=manifest["evidence"][1]["sha256"]),
        lambda manifest: manifest["evidence"][0].update(path=manifest["evidence"][1]["path"]),
        lambda manifest: manifest["timeline"].update(entries=1),
        lambda manifest: manifest["timeline"].update(head="0" * 64),
        lambda manifest: manifest["timeline"].update(incident="other"),
        lambda manifest: manifest.update(format="watchword-evidence-2"),
        lambda manifest: manifest.pop("evidence"),
        lambda manifest: manifest.update(files="all"),
    ],
)
def test_a_manifest_cannot_say_what_is_not_so(made, change):
    assert forged(made, change)


def test_garbage_is_said_and_not_raised():
    for content in (b"", b"PK\x03\x04", b"PK\x03\x04" + b"\xff" * 60, b"x" * 1000, struct.pack("<I", 0x04034B50) * 40):
        assert check(io.BytesIO(content))[0]


def test_what_is_damaged_stops_an_export_until_it_is_left_out_by_name(room, tmp_path):
    one, two = room.acquire(), room.acquire(b"other", "b.txt")
    path = room.evidence.originals.path(two.sha256)
    path.chmod(0o600)
    path.write_bytes(b"OTHER")
    with pytest.raises(Corrupt, match="not what was acquired"):
        room.evidence.export(room.incident, tmp_path / "out.zip", by="ana", reason="for the court")
    assert not list(tmp_path.glob("out*"))
    with pytest.raises(InputError):
        room.evidence.export(room.incident, tmp_path / "out.zip", by="ana", reason=" ")
    manifest = room.evidence.export(room.incident, tmp_path / "out.zip", by="ana", reason="for the court", without=[two.uid])
    left = {piece["uid"]: piece["left_out"] for piece in manifest["evidence"]}
    assert left == {one.uid: "", two.uid: "its file is damaged or gone"}
    done = run(tmp_path / "out.zip")
    assert done.returncode == 0, done.stdout
    assert "left out: b.txt" in done.stdout


def test_memory_stays_flat_while_a_large_original_passes(room, tmp_path):
    import tracemalloc

    class Zeros(io.RawIOBase):
        left = 96 * 1024**2

        def read(self, size=-1):
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    tracemalloc.start()
    try:
        from watchword.respond.evidence_view import About, EvidenceKind

        room.evidence.acquire(Zeros(), About(EvidenceKind.CLIP, "long.mp4"), incident=room.incident, by="otto", team="physical")
        room.evidence.export(room.incident, tmp_path / "out.zip", by="ana", reason="for the court")
        with (tmp_path / "out.zip").open("rb") as file:
            assert check(file)[0] == []
        assert tracemalloc.get_traced_memory()[1] < 24 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_row_changed_in_the_database_shows(room):
    piece = room.acquire()
    room.clock.advance(timedelta(minutes=1))
    room.evidence.transfer(piece.uid, "ana", by="otto")
    assert room.evidence.verify(piece.uid) == []
    with room.records.begin() as connection:
        connection.execute(update(custody).where(custody.c.seq == 2).values(to="eve"))
    assert any("changed" in fault for fault in room.evidence.verify(piece.uid))
