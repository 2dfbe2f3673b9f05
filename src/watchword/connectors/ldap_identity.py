"""Accounts in a directory over LDAP: disabled, enabled, put into the group that needs a second factor, and read back; AD and OpenLDAP."""

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from watchword.connectors.product import Maker, Parts, PeerFault, Product, clipped
from watchword.connectors.responder_options import Ids, Options, Secret
from watchword.kit.clock import Clock
from watchword.kit.errors import InputError
from watchword.model.action import Action

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # ldap3 asks pyasn1 for names that it has newer ones for
    from ldap3 import ALL_ATTRIBUTES, BASE, MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, NONE, SUBTREE, Connection, Server, Tls
    from ldap3.core.exceptions import LDAPException, LDAPSocketOpenError
    from ldap3.utils.conv import escape_filter_chars

PREFIX: Final = "account:"
DISABLED: Final = 0x2
"""ADS_UF_ACCOUNTDISABLE, the bit of ``userAccountControl`` that means disabled."""
LOCKED_FOR_GOOD: Final = "000001010000Z"
"""The value of ``pwdAccountLockedTime`` (draft-behera-ldap-password-policy) for a lock that only an administrator ends."""
FLAVOURS: Final = ("active_directory", "openldap", "attribute")
WAITS: Final = 5
"""Exchanges for which one action may wait: connect, bind, search, change, unbind."""
SUCCESS: Final = 0
NO_SUCH_VALUE: Final = frozenset({16, 20})
"""noSuchAttribute and attributeOrValueExists: the directory says that it is so already."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory is, who we are there, and how it says that an account is disabled."""

    url: str
    bind: str
    password: Secret
    search: str
    """Distinguished name below which accounts are looked for."""
    wanted: str
    """LDAP filter with ``{account}`` for the name."""
    flavour: str
    seconds: float
    authority: Path | None = None
    start_tls: bool = False
    attribute: str = ""
    """Of flavour ``attribute``: the attribute, and its values."""
    disabled: str = ""
    enabled: str = ""
    """Empty: enabled is when the attribute is absent."""
    step_up_group: str = ""
    """Distinguished name of the group whose members the sign-in asks for a second factor."""
    step_up_member: str = "member"


class LdapIdentity(Product):
    """Disables and enables accounts. A directory has no sessions to end: that verb is left to products that do."""

    kind = "ldap_identity"

    def __init__(self, name: str, clock: Clock, directory: Directory, accounts: Ids, never: frozenset[str]) -> None:
        verbs = {"account.disable", "account.enable", *(["account.require_step_up"] if directory.step_up_group else [])}
        super().__init__(name, frozenset(verbs), clock)
        self._directory, self._accounts, self._never = directory, accounts, never

    def serves(self, action: Action) -> bool:
        """Tell whether the target is an account that may be known here."""
        return super().serves(action) and bool(self._name(action))

    def would(self, action: Action) -> str:
        """Say the change, without the password."""
        given = self._directory
        place = f"{given.url}: where {self._filter(action)} below {given.search}"
        if action.verb == "account.require_step_up":
            return f"{place}: add to {given.step_up_group}"
        return f"{place}: set {self._attribute()} to {'disabled' if self._disables(action) else 'enabled'}"

    def carry_out(self, action: Action) -> str:
        """Make the change, unless it is so already."""
        with self._bound() as connection:
            entry = self._find(connection, action)
            who = str(entry["dn"])
            if self._disables(action) and (self._name(action).lower() in self._never or _same_dn(who, self._directory.bind)):
                raise PeerFault("protected", f"{who} is never disabled by Watchword: it is named under never, or is our own", sent=False)
            if action.verb == "account.require_step_up":
                changes: dict[str, Any] = {self._directory.step_up_member: [(MODIFY_ADD, [who])]}
                self._modify(connection, self._directory.step_up_group, changes)
                return f"{who} is in {self._directory.step_up_group}"
            wanted = "false" if self._disables(action) else "true"
            if self._state(entry) == wanted:
                return f"{who} was {'disabled' if wanted == 'false' else 'enabled'} already"
            self._modify(connection, who, self._changes(entry, wanted))
        return f"{who} is {'disabled' if wanted == 'false' else 'enabled'}"

    def observe(self, action: Action) -> Mapping[str, str] | None:
        """Read the account."""
        with self._bound() as connection:
            entry = self._find(connection, action)
            if action.verb != "account.require_step_up":
                return {"enabled": self._state(entry)}
            given = self._directory
            who = escape_filter_chars(str(entry["dn"]))
            self._search(connection, given.step_up_group, f"({given.step_up_member}={who})", BASE, ["1.1"])
            return {"step_up": "required" if _entries(connection) else "none"}

    def reach(self) -> str:
        """Bind."""
        with self._bound():
            return f"{self._directory.url} lets {self._directory.bind} in"

    # what the flavours differ in

    def _attribute(self) -> str:
        known = {"active_directory": "userAccountControl", "openldap": "pwdAccountLockedTime"}
        return known.get(self._directory.flavour, self._directory.attribute)

    def _state(self, entry: Mapping[str, Any]) -> str:
        """Return ``enabled`` as the catalogue writes it: ``true`` or ``false``."""
        value = _first(entry, self._attribute())
        match self._directory.flavour:
            case "active_directory":
                if not value.lstrip("-").isdigit():
                    raise PeerFault("bad-answer", f"userAccountControl of {entry['dn']} is {clipped(value)!r}", sent=False)
                return "false" if int(value) & DISABLED else "true"
            case "openldap":
                return "false" if value == LOCKED_FOR_GOOD else "true"
        return "false" if value.lower() == self._directory.disabled.lower() else "true"

    def _changes(self, entry: Mapping[str, Any], wanted: str) -> dict[str, Any]:
        attribute, value = self._attribute(), _first(entry, self._attribute())
        if self._directory.flavour == "active_directory":
            new = int(value) | DISABLED if wanted == "false" else int(value) & ~DISABLED
            # The old value is named, so that another administrator's change in between is not written over.
            return {attribute: [(MODIFY_DELETE, [value]), (MODIFY_ADD, [str(new)])]}
        on = self._directory.enabled if self._directory.flavour == "attribute" else ""
        off = self._directory.disabled if self._directory.flavour == "attribute" else LOCKED_FOR_GOOD
        text = off if wanted == "false" else on
        return {attribute: [(MODIFY_REPLACE, [text] if text else [])]}

    # the directory

    def _name(self, action: Action) -> str:
        return self._accounts.get(action.target) or (
            action.target.removeprefix(PREFIX) if action.target.startswith(PREFIX) and not self._accounts else ""
        )

    def _filter(self, action: Action) -> str:
        return self._directory.wanted.replace("{account}", escape_filter_chars(self._name(action)))

    @staticmethod
    def _disables(action: Action) -> bool:
        return action.verb == "account.disable"

    @contextmanager
    def _bound(self) -> Iterator[Connection]:
        given = self._directory
        parts = urlsplit(given.url)
        secure = parts.scheme == "ldaps"
        tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(given.authority) if given.authority else None)
        port = parts.port or (636 if secure else 389)
        server = Server(
            parts.hostname or "", port, use_ssl=secure, tls=tls if secure or given.start_tls else None,
            get_info=NONE, connect_timeout=given.seconds,
        )  # fmt: skip
        password = given.password.value()
        connection = Connection(
            server,
            given.bind,
            password,
            receive_timeout=ceil(given.seconds),
            auto_referrals=False,
            raise_exceptions=False,
            check_names=False,
        )
        # The library bounds each wait, not the whole: a directory that trickles is cut off all the same.
        whole = threading.Timer(WAITS * given.seconds, _cut, [connection])
        whole.daemon = True
        whole.start()
        try:
            try:
                connection.open()
                if given.start_tls and not connection.start_tls():
                    raise PeerFault("tls", f"{given.url} does not start TLS", sent=False)
                if not connection.bind():
                    raise PeerFault("bind", f"{given.url} does not let {given.bind} in: {_said(connection)}", sent=False)
            except LDAPSocketOpenError as error:
                raise PeerFault("unreachable", f"{given.url} could not be reached: {clipped(str(error))}", sent=False) from None
            except (LDAPException, OSError) as error:
                raise PeerFault("broken-off", f"{given.url}: {type(error).__name__} while binding", sent=False) from None
            yield connection
        finally:
            whole.cancel()
            with suppress(LDAPException, OSError):
                connection.unbind()
            with suppress(OSError, AttributeError):
                connection.socket.close()  # a bind that was refused or timed out leaves it open

    def _find(self, connection: Connection, action: Action) -> Mapping[str, Any]:
        attributes = [ALL_ATTRIBUTES, self._attribute()]
        self._search(connection, self._directory.search, self._filter(action), SUBTREE, attributes)
        found = _entries(connection)
        if len(found) != 1:
            count = "no account" if not found else "more than one account"
            raise PeerFault("no-account", f"{self._directory.url} has {count} for {action.target}", sent=False)
        return found[0]

    def _search(self, connection: Connection, base: str, wanted: str, scope: Any, attributes: list[Any]) -> None:
        try:
            connection.search(base, wanted, scope, attributes=attributes, size_limit=2, time_limit=max(1, int(self._directory.seconds)))
        except (LDAPException, OSError) as error:
            raise PeerFault("broken-off", f"{self._directory.url}: {type(error).__name__} while searching", sent=False) from None
        if connection.result["result"] not in {SUCCESS, 4}:  # 4: more than the two that were asked for
            raise PeerFault("search", f"{self._directory.url} does not search: {_said(connection)}", sent=False)

    def _modify(self, connection: Connection, who: str, changes: dict[str, Any]) -> None:
        try:
            connection.modify(who, changes)
        except (LDAPException, OSError) as error:
            raise PeerFault("broken-off", f"{self._directory.url}: {type(error).__name__} while changing {who}", sent=True) from None
        code = connection.result["result"]
        added = all(operation == MODIFY_ADD for each in changes.values() for operation, _ in each)
        if code != SUCCESS and not (added and code in NO_SUCH_VALUE):
            raise PeerFault("modify", f"{self._directory.url} does not change {who}: {_said(connection)}", sent=False)


def _cut(connection: Connection) -> None:
    with suppress(OSError, AttributeError):
        connection.socket.shutdown(socket.SHUT_RDWR)


def _entries(connection: Connection) -> list[Mapping[str, Any]]:
    return [each for each in connection.response or [] if each.get("type") == "searchResEntry"]


def _first(entry: Mapping[str, Any], attribute: str) -> str:
    for name, values in entry["raw_attributes"].items():
        if name.lower() == attribute.lower() and values:
            return bytes(values[0]).decode("utf-8", "replace")
    return ""


def _said(connection: Connection) -> str:
    return clipped(f"{connection.result.get('description', '')} {connection.result.get('message', '')}".strip())


def _same_dn(one: str, other: str) -> bool:
    return one.replace(" ", "").lower() == other.replace(" ", "").lower()


def plan(name: str, options: Options) -> Maker:
    """Read the options of an ``ldap_identity``."""
    flavour = options.text("flavour", choices=FLAVOURS)
    start_tls = options.flag("start_tls")
    url = options.url(schemes=("ldaps", "ldap"), plain=() if start_tls else ("ldap",))
    default = "(&(objectClass=user)(sAMAccountName={account}))" if flavour == "active_directory" else "(uid={account})"
    wanted = options.text("filter", default)
    if wanted.count("{account}") != 1 or not (wanted.startswith("(") and wanted.endswith(")")):
        raise InputError("filter: write an LDAP filter in brackets with {account} in it once")
    own = flavour == "attribute"
    directory = Directory(
        url=url,
        bind=options.text("bind"),
        password=options.secret("password"),
        search=options.text("base"),
        wanted=wanted,
        flavour=flavour,
        seconds=options.seconds("time", "10s", most=60),
        authority=options.file("authority"),
        start_tls=start_tls,
        attribute=options.text("attribute", pattern="[A-Za-z][A-Za-z0-9-]{0,99}") if own else "",
        disabled=options.text("disabled") if own else "",
        enabled=options.text("enabled", "") if own else "",
        step_up_group=options.text("step_up_group", ""),
        step_up_member=options.text("step_up_member", "member", pattern="[A-Za-z][A-Za-z0-9-]{0,99}"),
    )
    accounts, never = options.ids("accounts"), frozenset(each.lower() for each in options.texts("never"))

    def make(parts: Parts) -> Product:
        return LdapIdentity(name, parts.clock, directory, accounts, never)

    return make
