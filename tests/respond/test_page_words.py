"""The words of a page and of answers, quiet windows and quiet hours, sealed addresses."""

from datetime import UTC, datetime, time, timedelta
from email import message_from_string
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.kit.errors import Corrupt
from watchword.respond.page_text import BODY, TITLE, Words, clean, heartbeat_text, page_text, sms_length
from watchword.respond.quiet import QuietHours, Window, faults, muting, rests
from watchword.respond.reply_text import acknowledged_token, reference
from watchword.respond.sealed import derived_key, seal, unseal

T0 = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINK = "https://watchword.example.org/ack/AbCdEfGhIjKlMnOpQrStUv"
TOKEN = "AbCdEfGhIjKlMnOpQrStUv"


def test_a_page_opens_with_real_or_exercise_severity_place_and_says_what_to_do():
    text = page_text(Words(1, "Door forced", "Harbour house", "Go there, look, report"), "push", link=LINK, how="Acknowledge:")
    assert text.title == "REAL sev 1, Harbour house: Door forced"
    assert text.body.splitlines() == [text.title, "What to do: Go there, look, report", "", "Acknowledge:", LINK]
    assert page_text(Words(2, "x", "", "y", exercise=True), "sms").body.startswith("EXERCISE sev 2, place unknown: x. y")
    assert "LIFE SAFETY" in page_text(Words(1, "x", "y", "z", life_safety=True), "mail").title
    assert heartbeat_text("desk", "2026-03-02").title.startswith("TEST")


def test_no_secret_no_suspect_and_no_link_of_others_leaves_the_house():
    said = clean(
        "Mara Voss (Voss, Mara; mara) used password=hunter2 and token: abc, Bearer eyJhbGciOi.eyJzdWIi.sig, card 4111 1111 1111 1111,"
        " key AKIAIOSFODNN7EXAMPLE at https://evil.example/x and www.evil.example",
        ("Mara Voss",),
    )
    for leaked in ("mara", "voss", "hunter2", "abc", "eyJ", "4111", "AKIA", "evil"):
        assert leaked not in said.lower() if leaked.islower() else leaked not in said
    assert clean("one\nSubject: two\u202e\x00 three") == "one Subject: two three"
    assert clean("Vossen works", ("Mara Voss",)) == "Vossen works"
    assert "[name withheld] opened" in clean("Mara Voss opened", ("Mara Voss",))


@settings(deadline=None)
@given(st.text(max_size=3000), st.text(max_size=3000), st.text(max_size=300), st.booleans())
def test_every_text_keeps_its_bounds_and_its_link(title, do, place, exercise):
    words = Words(1, title, place, do, exercise=exercise)
    start = "EXERCISE sev 1" if exercise else "REAL sev 1"
    mail = page_text(words, "mail", link=LINK, reference=reference(TOKEN), how="Acknowledge:")
    assert mail.title.startswith(start)
    assert mail.title.endswith(reference(TOKEN))
    assert len(mail.title) <= TITLE + 1 + len(reference(TOKEN))
    assert len(mail.body) <= BODY + 200
    assert "\n" not in mail.title
    sms = page_text(words, "sms", link=LINK)
    used, most = sms_length(sms.body)
    assert used <= most
    assert sms.body.startswith(start)
    assert sms.body.endswith(LINK)


def mail(subject: str, body: str, **headers: str) -> str:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return acknowledged_token(message_from_string("\n".join([f"Subject: {subject}", *lines, "", body]), policy=default))


def test_only_a_person_who_writes_the_word_acknowledges():
    subject = f"Re: REAL sev 1, Harbour house: Door forced {reference(TOKEN)}"
    assert mail(subject, "ack, on my way\n\n> REAL sev 1") == TOKEN
    assert mail(subject, "\n> quoted first\nACK") == TOKEN
    assert mail(subject, "I am out of office until Monday.\n> ACK") == ""
    assert mail(subject, "ACK", Auto_Submitted="auto-replied") == ""
    assert mail(subject, "ACK", Precedence="bulk") == ""
    assert mail(subject, "ACK", X_Autoreply="yes") == ""
    assert mail(subject, "ACK", Return_Path="<>") == ""
    assert mail("Re: hello", "ACK") == ""
    assert mail(subject, "ACK", Content_Type="text/html") == ""
    assert mail(subject, "ACK", Content_Type="text/plain; charset=nonsense-9") in {"", TOKEN}
    assert mail("Re: [ww:short]", "ACK") == ""


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=500))
def test_hostile_answers_never_break_the_reader(subject, body):
    clean_subject = "".join(each for each in subject if each.isprintable())
    assert isinstance(mail(clean_subject, body), str)


def window(**changes) -> Window:
    values = {
        "uid": "w",
        "place": "harbour/main",
        "since": T0,
        "until": T0 + timedelta(hours=2),
        "ticket": "CHG-1",
        "planned_by": "ann",
        "approved_by": "ben",
    }
    return Window(**(values | changes))


def test_a_window_mutes_its_place_while_it_runs_and_never_what_is_about_lives():
    one = window()
    assert muting([one], ["harbour/main/door-1"], T0, life_safety=False) == one
    assert muting([one], ["harbour/main/door-1"], T0, life_safety=True) is None
    assert muting([one], ["harbour/mainland"], T0, life_safety=False) is None
    assert muting([one], ["harbour/main", "mill"], T0, life_safety=False) is None
    assert muting([one], [], T0, life_safety=False) is None
    assert muting([one], ["harbour/main"], T0 + timedelta(hours=2), life_safety=False) is None
    assert muting([window(approved_by="")], ["harbour/main"], T0, life_safety=False) is None


def test_faults_of_windows():
    assert faults(window(), T0) == []
    assert len(faults(window(place="", ticket=" ", until=T0 - timedelta(hours=1)), T0)) == 4
    assert len(faults(window(until=T0 + timedelta(days=8)), T0)) == 1


@given(st.integers(1, 4), st.booleans(), st.times(), st.times(), st.integers(0, 1439))
def test_quiet_hours_never_hold_back_what_is_grave_or_about_lives(severity, life, since, until, minute):
    hours = QuietHours("Europe/Berlin", since, until)
    held = rests(hours, T0 + timedelta(minutes=minute), severity=severity, life_safety=life)
    assert not held or (severity >= 3 and not life)


def test_quiet_hours_run_past_midnight():
    night = QuietHours("Europe/Berlin", time(22), time(7))
    assert night.holds(datetime(2026, 3, 2, 22, tzinfo=UTC))
    assert not night.holds(datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert not QuietHours("UTC", time(9), time(9)).holds(datetime(2026, 3, 2, 9, tzinfo=UTC))


def test_sealed_addresses_open_only_where_they_were_sealed():
    key = derived_key(b"s" * 32, "contact")
    sealed = seal(key, "ntfys://secret@host/topic", "uid-1", b"n" * 12)
    assert "secret" not in sealed
    assert unseal(key, sealed, "uid-1") == "ntfys://secret@host/topic"
    for wrong in (
        (key, sealed, "uid-2"),
        (derived_key(b"s" * 32, "other"), sealed, "uid-1"),
        (key, sealed[:-4] + "AAA=", "uid-1"),
        (key, "?", "uid-1"),
        (key, "", "uid-1"),
    ):
        with pytest.raises(Corrupt):
            unseal(*wrong)
