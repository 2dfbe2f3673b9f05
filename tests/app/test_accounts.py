"""Accounts: passwords, sessions, the log-in rate limit, tokens, and the reasons that open trails."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from watchword.app.accounts import Accounts, LogInRefused, Passwords, Permission, Role
from watchword.app.audit import Audit
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def clock():
    return ManualClock(START)


@pytest.fixture
def audit(records, clock):
    return Audit(records, clock)


@pytest.fixture
def accounts(records, clock, audit):
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    return Accounts(records, clock, audit, passwords=quick)


@pytest.fixture
def ada(accounts):
    return accounts.create("ada", Role.IT_ANALYST, PASSWORD, actor="test", full_name="Ada L.")


def test_the_first_run_makes_one_administrator_and_says_its_password_once(accounts):
    password = accounts.first_run()
    assert password is not None
    assert accounts.first_run() is None
    principal = accounts.by_session(accounts.log_in("admin", password, address="::1").token)
    assert principal.role is Role.ADMINISTRATOR
    assert principal.must_change


def test_every_role_has_its_permissions():
    from watchword.app.principal import PERMISSIONS

    assert set(PERMISSIONS) == set(Role)
    assert Permission.TRAIL not in PERMISSIONS[Role.MANAGER]
    assert Permission.AUDIT not in PERMISSIONS[Role.IT_ANALYST]
    assert Permission.JUDGE not in PERMISSIONS[Role.AUDITOR]
    assert PERMISSIONS[Role.ADMINISTRATOR] == set(Permission)


@pytest.mark.parametrize("name", ["", "Ada Lovelace", "-x", "a" * 65, "a\x00", "a\nb", "ä"])
def test_names_that_are_refused(accounts, name):
    with pytest.raises(InputError) as caught:
        accounts.create(name, Role.MANAGER, PASSWORD, actor="test")
    assert caught.value.field == "name"


@pytest.mark.parametrize("password", ["short", "x" * 1001, "aaaaaaaaaaaaaaaa", "my name is ada yes"])
def test_passwords_that_are_refused(accounts, password):
    with pytest.raises(InputError) as caught:
        accounts.create("ada", Role.MANAGER, password, actor="test")
    assert caught.value.field == "password"


def test_names_are_unique_whatever_their_case(accounts, ada):
    with pytest.raises(Conflict):
        accounts.create("ADA", Role.MANAGER, PASSWORD, actor="test")


def test_nothing_secret_is_kept_in_the_clear(accounts, ada, records):
    from sqlalchemy import select

    from watchword.app import tables

    log_in = accounts.log_in("ada", PASSWORD, address="::1")
    _, secret = accounts.tokens.create(ada.uid, "script", [Permission.READ], actor="ada")
    with records.read() as connection:
        kept = [tables.account, tables.session, tables.api_token, tables.audit]
        rows = [str(connection.execute(select(table)).all()) for table in kept]
    everything = " ".join(rows)
    assert PASSWORD not in everything
    assert log_in.token not in everything
    assert secret not in everything
    assert "$argon2id$" in everything


def test_a_session_lasts_while_it_is_used_and_ends(accounts, ada, clock):
    token = accounts.log_in("ada", PASSWORD, address="::1").token
    for _ in range(11):
        clock.advance(timedelta(hours=1))
        assert accounts.by_session(token).name == "ada"
    clock.advance(timedelta(hours=1))
    assert accounts.by_session(token) is None


def test_an_idle_session_ends(accounts, ada, clock):
    token = accounts.log_in("ada", PASSWORD, address="::1").token
    clock.advance(timedelta(hours=2))
    assert accounts.by_session(token) is None


def test_logging_out_ends_the_session_and_is_audited(accounts, ada, audit):
    token = accounts.log_in("ada", PASSWORD, address="::1").token
    accounts.log_out(token, actor="ada")
    assert accounts.by_session(token) is None
    assert [entry.action for entry in audit.entries(limit=2)] == ["session.log_out", "session.log_in"]


def test_an_unknown_token_is_nobody(accounts):
    assert accounts.by_session("") is None
    assert accounts.by_session("x" * 100) is None
    assert accounts.by_token("ww_x") is None


def test_wrong_password_and_unknown_name_are_refused_alike(accounts, ada):
    with pytest.raises(LogInRefused) as wrong:
        accounts.log_in("ada", "wrong", address="::1")
    with pytest.raises(LogInRefused) as unknown:
        accounts.log_in("nobody", "wrong", address="::1")
    assert str(wrong.value) == str(unknown.value)


def test_tries_back_off_and_then_even_the_right_password_waits(accounts, ada, clock):
    waits = []
    for _ in range(7):
        with pytest.raises(LogInRefused) as refused:
            accounts.log_in("ada", "wrong", address="10.0.0.9")
        waits.append(refused.value.wait)
        clock.advance(refused.value.wait)
    assert waits[:3] == [timedelta()] * 3
    assert waits[3:] == [timedelta(seconds=s) for s in (2, 4, 8, 16)]
    with pytest.raises(LogInRefused):
        accounts.log_in("ada", "wrong", address="10.0.0.9")
    with pytest.raises(LogInRefused, match="Too many tries"):
        accounts.log_in("ada", PASSWORD, address="10.0.0.9")
    assert accounts.log_in("ada", PASSWORD, address="10.0.0.10").account.name == "ada"
    clock.advance(timedelta(minutes=15))
    assert accounts.log_in("ada", PASSWORD, address="10.0.0.9").account.name == "ada"


def test_trying_many_names_from_one_address_backs_off_too(accounts, clock):
    for number in range(20):
        with pytest.raises(LogInRefused):
            accounts.log_in(f"user{number}", "wrong", address="10.0.0.9")
    with pytest.raises(LogInRefused, match="Too many tries"):
        accounts.log_in("user99", "wrong", address="10.0.0.9")


def test_a_shut_account_is_out_at_once(accounts, ada):
    token = accounts.log_in("ada", PASSWORD, address="::1").token
    _, secret = accounts.tokens.create(ada.uid, "script", [Permission.READ], actor="ada")
    accounts.set_disabled(ada.uid, True, actor="admin")
    assert accounts.by_session(token) is None
    assert accounts.by_token(secret) is None
    with pytest.raises(LogInRefused):
        accounts.log_in("ada", PASSWORD, address="::1")
    accounts.set_disabled(ada.uid, False, actor="admin")
    assert accounts.log_in("ada", PASSWORD, address="::1")


def test_the_last_administrator_stays(accounts):
    accounts.first_run()
    with pytest.raises(Conflict):
        accounts.set_role(accounts.account("admin").uid, Role.MANAGER, actor="admin")
    with pytest.raises(Conflict):
        accounts.set_disabled("admin", True, actor="admin")
    accounts.create("second", Role.ADMINISTRATOR, PASSWORD, actor="admin")
    assert accounts.set_role("admin", Role.MANAGER, actor="admin").role is Role.MANAGER


def test_a_new_password_ends_the_other_sessions(accounts, ada):
    here = accounts.log_in("ada", PASSWORD, address="::1").token
    there = accounts.log_in("ada", PASSWORD, address="::2").token
    principal = accounts.by_session(here)
    with pytest.raises(InputError) as caught:
        accounts.change_password(principal, "wrong", "another long secret")
    assert caught.value.field == "old"
    accounts.change_password(principal, PASSWORD, "another long secret")
    assert accounts.by_session(here) is not None
    assert accounts.by_session(there) is None
    assert accounts.log_in("ada", "another long secret", address="::1")


def test_an_outdated_hash_is_renewed_at_log_in(accounts, ada, records, clock, audit):
    from sqlalchemy import text

    stronger = Accounts(records, clock, audit, passwords=Passwords(PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)))
    stronger.log_in("ada", PASSWORD, address="::1")
    with records.read() as connection:
        assert "t=2" in connection.execute(text("SELECT password FROM account")).scalar_one()


def test_who_is_logged_in(accounts, ada, clock):
    accounts.log_in("ada", PASSWORD, address="::1")
    accounts.log_in("ada", PASSWORD, address="::2")
    assert [(who.name, who.full_name) for who in accounts.logged_in()] == [("ada", "Ada L.")]
    clock.advance(timedelta(minutes=16))
    assert accounts.logged_in() == ()


def test_a_token_holds_its_scopes_only(accounts, ada):
    token, secret = accounts.tokens.create(ada.uid, "script", [Permission.READ], actor="ada")
    principal = accounts.by_token(secret)
    assert principal.permissions == {Permission.READ}
    assert principal.actor == "ada (token script)"
    principal.require(Permission.READ)
    with pytest.raises(Forbidden, match="scope 'judge'"):
        principal.require(Permission.JUDGE)
    accounts.tokens.revoke(token.uid, actor="ada")
    assert accounts.by_token(secret) is None
    with pytest.raises(NotFound):
        accounts.tokens.revoke(token.uid, actor="ada")


def test_a_token_cannot_exceed_its_owner(accounts, ada):
    with pytest.raises(InputError, match="accounts"):
        accounts.tokens.create(ada.uid, "script", [Permission.ACCOUNTS], actor="ada")
    _, secret = accounts.tokens.create(ada.uid, "script", [Permission.JUDGE, Permission.READ], actor="ada")
    accounts.create("root", Role.ADMINISTRATOR, PASSWORD, actor="test")
    accounts.set_role(ada.uid, Role.MANAGER, actor="root")
    assert accounts.by_token(secret).permissions == {Permission.READ}


def test_a_token_ends(accounts, ada, clock):
    _, secret = accounts.tokens.create(ada.uid, "script", [Permission.READ], actor="ada", life=timedelta(days=1))
    assert accounts.by_token(secret)
    clock.advance(timedelta(days=1))
    assert accounts.by_token(secret) is None


def test_a_trail_opens_by_a_reason_for_this_session_and_a_quarter_of_an_hour(accounts, ada, audit, clock):
    here = accounts.by_session(accounts.log_in("ada", PASSWORD, address="::1").token)
    there = accounts.by_session(accounts.log_in("ada", PASSWORD, address="::2").token)
    with pytest.raises(InputError):
        accounts.grant_trail(here, "person:7", " x ")
    assert accounts.trail_until(here, "person:7") is None
    until = accounts.grant_trail(here, "person:7", "badge at two sites within a minute")
    assert until == START + timedelta(minutes=15)
    assert accounts.trail_until(here, "person:7") == until
    assert accounts.trail_until(here, "person:8") is None
    assert accounts.trail_until(there, "person:7") is None
    entry = audit.entries(action="trail")[0]
    assert (entry.actor, entry.target, entry.reason) == ("ada", "person:7", "badge at two sites within a minute")
    clock.advance(timedelta(minutes=15))
    assert accounts.trail_until(here, "person:7") is None


def test_a_manager_reads_no_trail(accounts):
    accounts.create("mia", Role.MANAGER, PASSWORD, actor="test")
    principal = accounts.by_session(accounts.log_in("mia", PASSWORD, address="::1").token)
    with pytest.raises(Forbidden):
        accounts.grant_trail(principal, "person:7", "curiosity of the long kind")


def test_every_change_is_audited(accounts, audit):
    accounts.first_run()
    accounts.create("eve", Role.MANAGER, PASSWORD, actor="admin")
    accounts.set_role("eve", Role.AUDITOR, actor="admin")
    accounts.set_disabled("eve", True, actor="admin")
    actions = [entry.action for entry in reversed(audit.entries())]
    assert actions == ["account.create", "account.create", "account.set_role", "account.disable"]
    assert audit.verify() == []
