"""A page by real mail and HTTP on loopback, beside an endpoint that hangs, answered by mail and read back by IMAP."""

import importlib.util
import threading
import time
from email import message_from_string
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from watchword.connectors.apprise_channel import AppriseChannels, Gateways, warm
from watchword.connectors.reply_mailbox import Mailbox, look
from watchword.respond.reach_service import DeskChannel
from watchword.stores.records import open_records


def load(*path: str):
    file = Path(__file__).parents[1].joinpath(*path)
    spec = importlib.util.spec_from_file_location(f"peers_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def peers():
    web, mail = load("connectors", "test_apprise_channel.py"), load("connectors", "test_reply_mailbox.py")
    running = [web.Peer(), web.Smtp(), mail.Imap()]
    threads = [threading.Thread(target=each.serve_forever, args=(0.05,), daemon=True) for each in running]
    for thread in threads:
        thread.start()
    yield running
    running[0].leave.set()
    for each, thread in zip(running, threads, strict=True):
        each.shutdown()
        each.server_close()
        thread.join()


def test_a_page_goes_out_within_seconds_and_an_answer_by_mail_acknowledges_it(tmp_path, peers):
    peer, smtp, imap = peers
    paging = load("respond", "test_paging.py")
    records = open_records(f"sqlite:///{tmp_path}/records.sqlite3")
    records.migrate()
    house = paging.House(records)
    desks = [(DeskChannel("hangs", "webhook", "it"), peer.url("hang")), (DeskChannel("control", "webhook", "physical"), peer.url("ok"))]
    gateway = f"mailto://127.0.0.1:{smtp.server_address[1]}?from=watchword@example.org&mode=insecure"
    house.lines = AppriseChannels(desks, Gateways(mail=gateway), bound=8)
    house.contacts._channels = house.lines
    for each in house.contacts.contacts():
        house.contacts.remove(each.uid, by="adm")
    for name in ("ann", "pia"):
        house.contacts.add(name, "mail", f"{name} mail", f"{name}@example.org", by="adm")
    house.pager = house.make()
    warm()
    house.page()
    started = time.monotonic()
    while len(smtp.mails) < 2 or not peer.taken:
        house.pager.step(house.clock.now())
        time.sleep(0.05)
        assert time.monotonic() - started < 8, "the hanging desk held up the others"
    text = next(text for to, text in smtp.mails if to == "ann@example.org")
    got = message_from_string(text, policy=default)
    assert got["subject"].startswith("REAL sev 1, Harbour: Door forced [ww:")
    answer = EmailMessage()
    answer["Subject"] = "Re: " + got["subject"]
    answer.set_content("Ack, on my way\n\n> " + got["subject"])
    imap.mails.append(answer.as_bytes())
    mailbox = Mailbox("127.0.0.1", imap.server_address[1], "watchword", "right", security="none")
    assert look(mailbox, lambda token: house.pager.acknowledge_by_token(token, "reply")).acknowledged == 1
    (page,) = house.pager.pages("i1")
    assert [(track.team, track.by, track.how) for track in page.tracks] == [("it", "ann", "reply"), ("physical", "", "")]
    peer.leave.set()
    assert house.pager.drain(20)
    hung = [each for each in house.pager.reached("i1") if each.channel == "hangs"]
    assert {each.status for each in hung} <= {"timed_out", "failed", "due"}
    records.close()
