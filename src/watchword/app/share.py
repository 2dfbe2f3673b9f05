"""Share links: an address with a secret by which others read the dashboard, without a log-in, without names, until it expires."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select, update

from watchword.app.audit import Audit
from watchword.app.dashboard_tables import dashboard_share as table
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.kit.secrets import new_token, token_digest

LEAST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=90)
"""A link that should last longer is made anew: somebody looks at it then."""
MOST: Final = 100
"""Links that work at once."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share link as kept, without its secret."""

    uid: str
    title: str
    by: str
    made: datetime
    expires: datetime
    revoked: datetime | None = None
    last_read: datetime | None = None
    readings: int = 0

    def works(self, now: datetime) -> bool:
        """Tell whether it still opens the page."""
        return self.revoked is None and now < self.expires


class Shares:
    """Makes, lists, revokes and recognises share links. Making and revoking are audited; readings are counted."""

    def __init__(self, records: Records, clock: Clock, audit: Audit) -> None:
        self._records, self._clock, self._audit = records, clock, audit

    def create(self, title: str, life: timedelta, by: str) -> tuple[Share, str]:
        """Make a link; the secret of its address is returned once and only its digest is kept.

        Raises:
            InputError: it does not say for whom it is, lives for less than an hour or more than 90 days, or there are too many.
        """
        title = " ".join("".join(char if char.isprintable() else " " for char in title).split())[:100]
        if not title:
            raise InputError("a link needs words that say for whom it is", "title")
        if not LEAST <= life <= LONGEST:
            raise InputError("a link lives for one hour to 90 days", "days")
        now, secret = self._now(), new_token()
        share = Share(random_uid(), title, by, now, now + life)
        if sum(1 for each in self.list() if each.works(now)) >= MOST:
            raise InputError(f"{MOST} links work already: revoke some first", "title")
        with self._records.begin() as connection:
            row = {"uid": share.uid, "title": title, "by": by, "made": now, "expires": share.expires, "readings": 0}
            connection.execute(insert(table).values(**row, digest=token_digest(secret)))
            detail = {"title": title, "expires": share.expires.isoformat()}
            self._audit.write(by, "dashboard.share", share.uid, detail=detail, connection=connection)
        return share, secret

    def list(self, limit: int = 200) -> Sequence[Share]:
        """Return links, the newest first, those that work no longer too."""
        with self._records.read() as connection:
            rows = connection.execute(select(table).order_by(table.c.made.desc(), table.c.uid).limit(limit))
            return [_share(row) for row in rows]

    def revoke(self, uid: str, by: str) -> None:
        """Make a link useless from now on.

        Raises:
            NotFound: no such link works.
        """
        with self._records.begin() as connection:
            wanted = (table.c.uid == uid) & table.c.revoked.is_(None)
            if not connection.execute(update(table).where(wanted).values(revoked=self._now())).rowcount:
                raise NotFound(f"no share link {uid!r} works")
            self._audit.write(by, "dashboard.unshare", uid, connection=connection)

    def open(self, secret: str) -> Share | None:
        """Return the link that a secret belongs to and count the reading; None: it is unknown, expired or revoked."""
        now = self._now()
        with self._records.begin() as connection:
            row = connection.execute(select(table).where(table.c.digest == token_digest(secret))).first()
            if row is None or not _share(row).works(now):
                return None
            counted = {"last_read": now, "readings": table.c.readings + 1}
            connection.execute(update(table).where(table.c.uid == row.uid).values(**counted))
        return _share(row)

    def _now(self) -> datetime:
        return to_millisecond(self._clock.now())


def _share(row: Any) -> Share:
    return Share(row.uid, row.title, row.by, row.made, row.expires, row.revoked, row.last_read, row.readings)
