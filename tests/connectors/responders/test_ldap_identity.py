"""Accounts in a real slapd: disabled as Active Directory and OpenLDAP do it, so that log-ins truly fail; and directories that hang."""

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from watchword.connectors.ldap_identity import MODIFY_REPLACE, Connection, Server
from watchword.kit.errors import InputError
from watchword.model.action import Action

BASE = "dc=watchword,dc=test"
ROOT, SERVICE = f"cn=root,{BASE}", f"cn=watchword,{BASE}"
CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.1.1 NAME 'adAccount' SUP top AUXILIARY MAY ( userAccountControl $ sAMAccountName ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/pid
database mdb
suffix "{base}"
rootdn "cn=root,{base}"
rootpw root-password
directory {folder}/data
overlay ppolicy
ppolicy_default "cn=policy,{base}"
access to attrs=userPassword by dn="cn=watchword,{base}" write by anonymous auth by * none
access to * by dn="cn=watchword,{base}" manage by * read
"""
LDIF = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Watchword
dc: watchword

dn: cn=policy,{BASE}
objectClass: pwdPolicy
objectClass: device
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE

dn: {SERVICE}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: watchword
userPassword: service-password

dn: uid=lena,{BASE}
objectClass: inetOrgPerson
uid: lena
cn: Lena
sn: Lerch
userPassword: lena-password

dn: uid=twin,{BASE}
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: One

dn: cn=other,{BASE}
objectClass: inetOrgPerson
uid: twin
cn: other
sn: Two

dn: cn=adam,{BASE}
objectClass: inetOrgPerson
objectClass: adAccount
cn: adam
sn: Adam
sAMAccountName: adam
userAccountControl: 66048
employeeType: on

dn: cn=step-up,{BASE}
objectClass: groupOfNames
cn: step-up
member: {SERVICE}
"""


@pytest.fixture(scope="module")
def slapd() -> Iterator[str]:
    """The address of a private slapd; its program runs as a copy, so that no system profile for the original confines it."""
    found = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert found, "slapd is not installed. Remedy: sudo apt-get install -y --no-install-recommends slapd"
    folder = Path(tempfile.mkdtemp(prefix="wwldap", dir="/tmp"))
    try:
        (folder / "data").mkdir()
        program = Path(shutil.copy(found, folder / "slapd"))
        (folder / "slapd.conf").write_text(CONF.format(folder=folder, base=BASE))
        subprocess.run([program, "-T", "add", "-f", folder / "slapd.conf"], input=LDIF, text=True, check=True, capture_output=True)
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            port = trial.getsockname()[1]
        url = f"ldap://127.0.0.1:{port}"
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([program, "-h", url, "-f", folder / "slapd.conf", "-d", "0"], stdout=log, stderr=log)
        try:
            until = time.monotonic() + 30
            while True:
                assert server.poll() is None, (folder / "log").read_text()
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert time.monotonic() < until, "slapd did not answer within 30 s"
                    time.sleep(0.05)
            yield url
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def lets_in(url: str, who: str, password: str) -> bool:
    connection = Connection(Server(url), who, password)
    try:
        return bool(connection.bind())
    finally:
        connection.unbind()


@contextmanager
def as_root(url: str) -> Iterator[Connection]:
    connection = Connection(Server(url), ROOT, "root-password")
    assert connection.bind()
    try:
        yield connection
    finally:
        connection.unbind()


def attribute(url: str, who: str, name: str) -> str:
    with as_root(url) as connection:
        connection.search(who, "(objectClass=*)", "BASE", attributes=[name])
        values = connection.response[0]["raw_attributes"].get(name, [])
        return values[0].decode() if values else ""


@pytest.fixture
def options(slapd, tmp_path) -> dict[str, str]:
    (tmp_path / "ldap.password").write_text("service-password\n")
    return {"url": slapd, "bind": SERVICE, "base": BASE, "password_file": "ldap.password"}


@pytest.fixture
def openldap(make, options):
    return make("ldap_identity", flavour="openldap", **options, step_up_group=f"cn=step-up,{BASE}")


@pytest.fixture
def active_directory(make, options):
    return make("ldap_identity", flavour="active_directory", filter="(sAMAccountName={account})", **options)


def test_the_gateway_disables_an_account_so_that_its_log_in_fails_and_enables_it(openldap, slapd, perform):
    who = f"uid=lena,{BASE}"
    assert lets_in(slapd, who, "lena-password")
    outcome = perform(openldap, "account.disable", "account:lena")
    assert (outcome.status, outcome.verified, outcome.observed) == ("done", True, {"enabled": "false"})
    assert not lets_in(slapd, who, "lena-password")
    assert "already" in openldap.do(Action("account.disable", "account:lena", key="k9")).said
    assert perform(openldap, "account.enable", "account:lena", "k2").verified is True
    assert lets_in(slapd, who, "lena-password")


def test_active_directory_keeps_the_other_bits_of_the_account(active_directory, slapd, perform):
    who = f"cn=adam,{BASE}"
    assert perform(active_directory, "account.disable", "account:adam").verified is True
    assert attribute(slapd, who, "userAccountControl") == str(66048 | 2)
    assert perform(active_directory, "account.enable", "account:adam", "k2").verified is True
    assert attribute(slapd, who, "userAccountControl") == "66048"


def test_another_administrators_change_is_not_written_over(active_directory, slapd, monkeypatch):
    original = active_directory._find

    def found(connection, action):
        entry = original(connection, action)
        with as_root(slapd) as other:
            other.modify(f"cn=adam,{BASE}", {"userAccountControl": [(MODIFY_REPLACE, ["512"])]})
        return entry

    monkeypatch.setattr(active_directory, "_find", found)
    outcome = active_directory.do(Action("account.disable", "account:adam", key="k"))
    assert (outcome.status, outcome.code) == ("failed", "modify")
    assert attribute(slapd, f"cn=adam,{BASE}", "userAccountControl") == "512"


def test_a_directory_of_ones_own_names_its_attribute(make, options, slapd):
    own = make(
        "ldap_identity", flavour="attribute", attribute="employeeType", disabled="off", enabled="on",
        filter="(cn={account})", accounts={"account:a.adam": "adam"}, **options,
    )  # fmt: skip
    action = Action("account.disable", "account:a.adam", key="k")
    assert own.do(action).status == "done"
    assert own.read(action) == {"enabled": "false"}
    assert attribute(slapd, f"cn=adam,{BASE}", "employeeType") == "off"
    assert own.do(Action("account.enable", "account:a.adam", key="k2")).status == "done"
    assert own.read(action) == {"enabled": "true"}
    assert not own.serves(Action("account.disable", "account:adam", key="k"))


def test_a_second_factor_is_asked_for_by_group_once(openldap, slapd, perform):
    assert openldap.read(Action("account.require_step_up", "account:lena", key="k")) == {"step_up": "none"}
    assert perform(openldap, "account.require_step_up", "account:lena").verified is True
    assert openldap.do(Action("account.require_step_up", "account:lena", key="k2")).status == "done"


@pytest.mark.parametrize("name", ["nobody", "twin", "*", "lena)(uid=*", "\\2a"])
def test_only_one_account_is_ever_meant(openldap, name):
    outcome = openldap.do(Action("account.disable", f"account:{name}", key="k"))
    assert (outcome.status, outcome.code) == ("failed", "no-account")


def test_our_own_account_and_those_named_are_protected(make, options):
    given = make("ldap_identity", flavour="openldap", filter="(cn={account})", never=["Adam"], **options)
    assert given.do(Action("account.disable", "account:adam", key="k")).code == "protected"
    assert given.do(Action("account.disable", "account:watchword", key="k")).code == "protected"


def test_sessions_are_left_to_products_that_have_them(openldap, active_directory):
    assert not openldap.serves(Action("account.end_sessions", "account:lena", key="k"))
    assert not active_directory.serves(Action("account.require_step_up", "account:adam", key="k"))


def test_a_dry_run_binds_nowhere(make, options, slapd):
    given = make("ldap_identity", flavour="openldap", **{**options, "url": "ldap://127.0.0.1:1"})
    said = given.do(Action("account.disable", "account:lena)(x", key="k"), dry_run=True)
    assert said.status == "done"
    assert "uid=lena\\29\\28x" in said.said
    assert "service-password" not in said.said
    assert given.do(Action("account.disable", "account:lena", key="k")).code == "unreachable"


def test_a_wrong_password_is_named_and_never_shown(make, options, tmp_path):
    (tmp_path / "ldap.password").write_text("wrong-password")
    outcome = make("ldap_identity", flavour="openldap", **options).do(Action("account.disable", "account:lena", key="k"))
    assert (outcome.status, outcome.code) == ("failed", "bind")
    assert "wrong-password" not in outcome.said


def test_a_directory_that_hangs_is_left_in_time(make, options):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        held: list[socket.socket] = []
        taking = threading.Thread(target=lambda: held.append(silent.accept()[0]), daemon=True)
        taking.start()
        given = make(
            "ldap_identity", flavour="openldap", **{**options, "url": f"ldap://127.0.0.1:{silent.getsockname()[1]}", "time": "500ms"}
        )
        began = time.monotonic()
        outcome = given.do(Action("account.disable", "account:lena", key="k"))
        assert (outcome.status, outcome.code) == ("failed", "broken-off")
        assert time.monotonic() - began < 8
        taking.join(5)
        for each in held:
            each.close()


@pytest.mark.parametrize(
    ("options_given", "said"),
    [
        ({"flavour": "novell"}, "not one of"),
        ({"flavour": "openldap", "url": "ldap://ldap.example"}, "in clear"),
        ({"flavour": "openldap", "filter": "(uid=lena)"}, "account} in it once"),
        ({"flavour": "attribute"}, "attribute: is missing"),
    ],
)
def test_a_wrong_option_is_named(make, options, options_given, said):
    with pytest.raises(InputError, match=said):
        make("ldap_identity", **{**options, **options_given})


def test_it_says_whether_it_is_let_in(openldap):
    assert "lets" in openldap.reach()
