"""What people did with findings, read from the audit log: the only place that keeps every deed and not just the last."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import select

from watchword.app.tables import audit
from watchword.kit.records import Records
from watchword.measure.closure_log import Deed, Verb
from watchword.respond.incident_state import is_person

VERBS: Final = {"finding.acknowledge": Verb.TAKE, "finding.close": Verb.CLOSE, "finding.reopen": Verb.REOPEN}


class FindingDeeds:
    """Reads them."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def __call__(self, since: datetime) -> Iterable[Deed]:
        """Return the deeds since a moment, in order."""
        query = select(audit.c.time, audit.c.actor, audit.c.action, audit.c.target, audit.c.detail)
        query = query.where(audit.c.action.in_(list(VERBS)), audit.c.time >= since).order_by(audit.c.seq)
        with self._records.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            person = row.actor.partition(" (token ")[0]
            detail = orjson.loads(row.detail) if row.detail else {}
            yield Deed(row.time, person if is_person(person) else "", VERBS[row.action], row.target, detail.get("disposition", ""))
