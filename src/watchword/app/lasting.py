"""Lasting longer: a temporary state is extended as it was set, asked for first and agreed to by others; the same for every face."""

from dataclasses import replace
from datetime import timedelta

from watchword.app.by_hand import Asked
from watchword.app.watchword import Watchword
from watchword.kit.errors import InputError, NotFound
from watchword.respond.approval import ApprovalState


def ask_longer(watchword: Watchword, deed: str, total: timedelta, *, by: str, reason: str) -> Asked:
    """Ask that a state in force lasts `total`, counted from when it was set; asked again once people agreed, it does so.

    Raises:
        NotFound: nothing temporary of this uid is in force.
        InputError: no reason is given, or a time that is none.
    """
    if len(reason.strip()) < 3:
        raise InputError("Say in a few words why it must last longer: those who agree read it", "reason")
    if not timedelta() < total <= timedelta(days=400):
        raise InputError("is no time that a state can last", "lasts")
    gateway, approvals = watchword.response.gateway, watchword.response.approvals
    found = next((each for each in gateway.in_force() if each.uid == deed), None)
    if found is None:
        raise NotFound("This state is not in force any more")
    asked = replace(gateway.extension(found.key, total), requested_by=by, reason=reason.strip())
    rule = gateway.catalogue.verb(asked.verb).rule
    approval = ""
    if rule.needed:
        with watchword.records.begin() as connection:
            approval = approvals.ask(connection, asked, rule, run=asked.run, path=asked.path, asked_by=by)
            state = approvals.read(connection, approval).state
            if state in {ApprovalState.EXPIRED, ApprovalState.VETOED}:
                approval = approvals.ask(connection, asked, rule, run=asked.run, path=asked.path, asked_by=by, again=True)
        if approvals.get(approval).state is not ApprovalState.GRANTED:
            return Asked(approval=approval)
    return Asked(outcome=gateway.extend(found.key, total, approval, by, reason.strip()))
