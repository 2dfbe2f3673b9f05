"""Source keys: the token or signing key with which each source proves itself over HTTP."""

import base64
import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, delete, insert, select

from watchword.app.audit import Audit
from watchword.app.tables import source_key as table
from watchword.connectors.webhook import WebhookSecrets
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.kit.secrets import new_token, token_digest

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

PREFIX: Final = "wws_"
"""Tokens of sources begin so, tokens of accounts with ``ww_``."""
SIGNING_PREFIX: Final = "whsec_"


@dataclass(frozen=True, slots=True)
class SourceKeys:
    """Makes and finds what sources prove themselves with."""

    records: Records
    clock: Clock
    audit: Audit
    site_key: bytes

    def new_token(self, source: str, *, actor: str) -> str:
        """Make the source's token, in place of the one before; only its digest is kept."""
        token = PREFIX + new_token()
        self._put(source, actor, "source.token", token_digest=token_digest(token))
        return token

    def new_signing_key(self, source: str, *, actor: str) -> str:
        """Make the secret (``whsec_<base64>``) with which the source must sign from now on, in place of the one before."""
        identity = random_uid()
        self._put(source, actor, "source.signing_key", signing_id=identity)
        return SIGNING_PREFIX + base64.b64encode(self._signing_key(source, identity)).decode()

    def revoke(self, source: str, *, actor: str) -> None:
        """Forget the source's token and signing key: it cannot send over HTTP any more."""
        with self.records.begin() as connection:
            connection.execute(delete(table).where(table.c.source == source))
            self.audit.write(actor, "source.revoke", source, connection=connection)

    def secrets_of(self, source: str) -> WebhookSecrets:
        """Return what a request of this source is checked against; empty when there is nothing yet."""
        with self.records.read() as connection:
            row = _row(connection, source)
        if row is None:
            return WebhookSecrets()
        return WebhookSecrets(row.token_digest, self._signing_key(source, row.signing_id) if row.signing_id else b"")

    def _signing_key(self, source: str, identity: str) -> bytes:
        return hmac.new(self.site_key, f"signing\0{source}\0{identity}".encode(), sha256).digest()

    def _put(self, source: str, actor: str, action: str, **values: str) -> None:
        with self.records.begin() as connection:
            row = _row(connection, source)
            kept = {"token_digest": row.token_digest, "signing_id": row.signing_id} if row is not None else {}
            connection.execute(delete(table).where(table.c.source == source))
            connection.execute(insert(table).values(source=source, made=to_millisecond(self.clock.now()), **{**kept, **values}))
            self.audit.write(actor, action, source, connection=connection)


def _row(connection: Connection, source: str) -> Any:
    return connection.execute(select(table).where(table.c.source == source)).one_or_none()


def keys_of(watchword: "Watchword") -> SourceKeys:
    """Return the source keys of a running Watchword."""
    return SourceKeys(watchword.records, watchword.clock, watchword.audit, watchword.site_key)
