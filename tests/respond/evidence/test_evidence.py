"""Evidence: taken in whole or not at all, held by one person, handed on by two, kept through kills."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import func, select, update

from watchword.kit.errors import Conflict, Corrupt, Forbidden, InputError, NotFound, TooLarge
from watchword.kit.ids import uid_of
from watchword.model import Event, RawRecord
from watchword.model.action import Action
from watchword.respond.custody import Deed
from watchword.respond.evidence_tables import evidence
from watchword.respond.evidence_view import About, EvidenceKind
from watchword.respond.open_items_service import evidence_of

ORPHANED = 7200


def deeds(room, uid):
    return [(entry.deed.value, entry.by) for entry in room.evidence.custody(uid)]


def test_what_is_acquired_is_kept_byte_for_byte_and_stands_in_the_timeline(room):
    piece = room.acquire()
    path = room.evidence.originals.path(piece.sha256)
    assert path.relative_to(room.folder).as_posix() == f"{piece.sha256[:2]}/{piece.sha256}"
    assert path.read_bytes() == bytes(range(256)) * 40
    assert path.stat().st_mode & 0o777 == 0o400
    assert (piece.custodian, piece.entries, piece.about.clock_offset) == ("otto", 1, timedelta(seconds=-2.5))
    entry = next(each for each in room.incidents.timeline(room.incident) if each.kind == "evidence")
    assert piece.sha256 in entry.text
    assert entry.refs == {"evidence": piece.uid}
    assert room.evidence.verify(piece.uid) == []
    assert [each.uid for each in room.evidence.list(room.incident)] == [piece.uid]
    assert room.audit.entries(action="evidence.acquired")[0].target == piece.uid


def test_two_parties_sign_a_transfer(room):
    piece = room.acquire()
    with pytest.raises(Forbidden, match="otto"):
        room.evidence.transfer(piece.uid, "mia", by="ana")
    with pytest.raises(InputError, match="Nobody"):
        room.evidence.transfer(piece.uid, "nobody", by="otto")
    with pytest.raises(InputError, match="already"):
        room.evidence.transfer(piece.uid, "otto", by="otto")
    room.evidence.transfer(piece.uid, "ana", by="otto", team="physical", reason="end of shift")
    assert room.evidence.get(piece.uid).custodian == "otto"
    with pytest.raises(Conflict, match="withdraw"):
        room.evidence.transfer(piece.uid, "mia", by="otto")
    with pytest.raises(Forbidden, match="not offered to you"):
        room.evidence.accept(piece.uid, by="mia")
    room.evidence.accept(piece.uid, by="ana", team="it")
    piece = room.evidence.get(piece.uid)
    assert (piece.custodian, piece.offered_to) == ("ana", "")
    offer, accepted = room.evidence.custody(piece.uid)[1:]
    assert offer.key != accepted.key
    assert accepted.detail == {"offer": "2", "offer_head": offer.head}
    with pytest.raises(Forbidden):
        room.evidence.accept(piece.uid, by="ana")
    assert room.evidence.verify(piece.uid) == []


def test_an_offer_can_be_declined_or_taken_back(room):
    piece = room.acquire()
    for whose in ("ana", "otto"):
        room.evidence.transfer(piece.uid, "ana", by="otto")
        with pytest.raises(Forbidden):
            room.evidence.withdraw(piece.uid, by="mia")
        room.evidence.withdraw(piece.uid, by=whose)
        assert room.evidence.get(piece.uid).custodian == "otto"
    with pytest.raises(Forbidden, match="No offer"):
        room.evidence.accept(piece.uid, by="ana")
    assert room.evidence.verify(piece.uid) == []


def test_reading_needs_a_reason_and_a_seal_ends_it(room):
    piece = room.acquire()
    with pytest.raises(InputError, match="why"):
        room.evidence.open(piece.uid, by="ana", reason="  ")
    found, file = room.evidence.open(piece.uid, by="ana", team="it", reason="to see the face")
    with file:
        assert (found.uid, file.read(4)) == (piece.uid, b"\x00\x01\x02\x03")
    assert room.audit.entries(action="evidence.viewed")[0].reason == "to see the face"
    with pytest.raises(Forbidden):
        room.evidence.seal(piece.uid, by="ana", reason="for the court")
    room.evidence.seal(piece.uid, by="otto", reason="for the court")
    with pytest.raises(Conflict, match="sealed"):
        room.evidence.open(piece.uid, by="otto", reason="again")
    room.evidence.release(piece.uid, "Police, Sgt. Moor", by="otto", reason="case 12/26")
    with pytest.raises(Conflict, match="released"):
        room.evidence.transfer(piece.uid, "ana", by="otto")
    assert deeds(room, piece.uid) == [("acquired", "otto"), ("viewed", "ana"), ("sealed", "otto"), ("released", "otto")]
    assert room.evidence.verify(piece.uid) == []


def test_what_a_machine_or_a_leaver_holds_is_taken_over_with_a_reason(room):
    action = Action("camera.fetch_clip", "cam-03", incident=room.incident, run="r" * 32, key="k1", reason="step 3")
    about = About(EvidenceKind.CLIP, "cam-03.mp4", source="cam-03")
    piece = room.evidence.keep(action, BytesIO(b"clip"), about)
    again = room.evidence.keep(action, BytesIO(b"never read"), about)
    assert (again.uid, again.sha256) == (piece.uid, piece.sha256)
    with pytest.raises(InputError):
        room.evidence.take_over(piece.uid, by="ana", reason="")
    room.evidence.take_over(piece.uid, by="ana", team="it", reason="fetched by the run")
    with pytest.raises(Forbidden, match="hand it over"):
        room.evidence.take_over(piece.uid, by="otto", reason="mine")
    del room.people["ana"]
    room.evidence.take_over(piece.uid, by="otto", team="physical", reason="Ana has left")
    assert room.evidence.get(piece.uid).custodian == "otto"
    assert room.evidence.verify(piece.uid) == []


def test_what_cannot_be_kept_is_refused_whole(room):
    with pytest.raises(InputError, match="empty"):
        room.acquire(b"")
    with pytest.raises(InputError, match="name"):
        room.acquire(name="..")
    with pytest.raises(NotFound):
        room.evidence.acquire(BytesIO(b"x"), About(EvidenceKind.LOG, "x"), incident="none", by="ana")
    assert room.evidence.list() == []
    assert [path for path in room.folder.rglob("*") if path.is_file() and path.name != ".lock"] == []


def test_too_much_is_refused(records, room_on):
    room = room_on(records, largest=1000)
    with pytest.raises(TooLarge, match="at most"):
        room.acquire(b"x" * 1001)
    assert room.acquire(b"x" * 1000).size == 1000
    assert list((room.folder / ".incoming").iterdir()) == []


def test_a_changed_or_lost_file_is_said(room):
    piece = room.acquire()
    path = room.evidence.originals.path(piece.sha256)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert "changed" in room.evidence.verify(piece.uid)[0]
    path.unlink()
    assert "cannot be read" in room.evidence.verify(piece.uid)[0]
    with pytest.raises(Corrupt):
        room.evidence.open(piece.uid, by="ana", reason="to see it")
    assert room.acquire().sha256 == piece.sha256  # acquired again, the file is there for both
    assert room.evidence.verify(piece.uid) == []


def test_raw_records_are_kept_as_lines(records, room_on):
    bodies = {uid_of("r", str(n)): b"\xff\xfe raw" if n == 3 else f"door forced {n} \u00fc".encode() for n in range(1200)}
    asked = []

    def raw(uids):
        asked.append(len(uids))
        return [RawRecord(uid, "doors", room.clock.now(), bodies[uid]) for uid in uids]

    room = room_on(records, raw=raw)
    events = [
        Event(f"e{n}", uid, "doors", room.clock.now() + timedelta(seconds=n), room.clock.now(), 6003, 1) for n, uid in enumerate(bodies)
    ]
    piece = room.evidence.acquire_events(room.incident, events, by="ana", team="it", reason="what the doors said")
    lines = room.evidence.originals.path(piece.sha256).read_bytes().splitlines()
    assert len(lines) == 1200
    assert b'"body_base64":"//4gcmF3"' in lines[3]
    assert max(asked) == 500
    assert (piece.about.kind, piece.about.until) == (EvidenceKind.LOG, events[-1].time)
    with pytest.raises(InputError):
        room.evidence.acquire_events(room.incident, [], by="ana")


def test_evidence_in_hand_is_on_the_list_of_a_hand_over(room):
    piece = room.acquire()
    room.evidence.transfer(piece.uid, "ana", by="otto")
    with room.records.read() as connection:
        item = evidence_of(connection, room.incident)[0]
    assert (item.uid, item.owner, item.link) == (piece.uid, "otto", f"/evidence/{piece.uid}")
    assert "offered to ana" in item.text
    room.evidence.release(piece.uid, "Police", by="otto", reason="done")
    with room.records.read() as connection:
        assert evidence_of(connection, room.incident) == []


def test_pieces_come_along_with_a_merged_incident(room):
    piece = room.acquire()
    other = room.incidents.open("Same door", by="ana", team="it", because="Again.", severity=2)
    room.incidents.merge(other, [room.incident], by="ana", reason="one story")
    assert [each.uid for each in room.evidence.list(other)] == [piece.uid]


def test_what_nobody_names_is_swept_and_nothing_else(room):
    piece = room.acquire()
    orphan = room.evidence.originals.path("ab" + "0" * 62)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"left behind")
    half = room.folder / ".incoming" / "half"
    half.write_bytes(b"left")
    assert room.evidence.sweep() == 0  # they are young: somebody may be at it
    for path in (orphan, half, room.evidence.originals.path(piece.sha256)):
        os.utime(path, (time.time() - ORPHANED,) * 2)
    assert room.evidence.sweep() == 2
    assert not orphan.exists()
    assert not half.exists()
    assert room.evidence.verify(piece.uid) == []


CHILD = """
import sys, time
from pathlib import Path
sys.path[:0] = [{root!r}]
from tests.respond.evidence.conftest import room_in
from watchword.stores.records import open_records
room = room_in(Path({folder!r}), open_records({url!r}), incident={incident!r})
for number in range(10000):
    room.acquire(b"%d " % number * 20000, f"{{number}}.bin")
    print(number, flush=True)
"""


def test_a_kill_at_any_moment_leaves_no_row_without_its_file(records, records_url, room, tmp_path):
    from pathlib import Path

    root = str(Path(__file__).parents[3])
    code = textwrap.dedent(CHILD).format(root=root, folder=str(tmp_path), url=records_url, incident=room.incident)
    for pause in (0.002, 0.011, 0.023, 0.031):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert child.stdout.readline()
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    pieces = room.evidence.list(room.incident, limit=1000)
    assert pieces
    assert [fault for piece in pieces for fault in room.evidence.verify(piece.uid)] == []
    assert room.incidents.verify(room.incident) == []
    for path in room.folder.rglob("*"):
        if path.is_file() and path.name != ".lock":
            os.utime(path, (time.time() - ORPHANED,) * 2)
    room.evidence.sweep()
    kept = {path.name for path in room.folder.rglob("*") if path.is_file() and path.name != ".lock"}
    with records.read() as connection:
        assert kept == set(connection.execute(select(evidence.c.sha256)).scalars())
        assert connection.execute(select(func.count()).select_from(evidence)).scalar_one() == len(pieces)


def test_an_unknown_deed_in_the_database_is_said_not_raised(room):
    from watchword.respond.evidence_tables import custody

    piece = room.acquire()
    room.evidence.open(piece.uid, by="ana", reason="to see the face")[1].close()
    with room.records.begin() as connection:
        connection.execute(update(custody).where(custody.c.seq == 2).values(deed="burned"))
    assert room.evidence.verify(piece.uid)
    assert room.evidence.custody(piece.uid)[1].deed is Deed.VIEWED
