"""What bodies need done by time: rounds that end, meetings planned ahead, agendas frozen, invitations and reminders sent."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from watchword.app.response import address_of
from watchword.app.watchword import Watchword
from watchword.connectors.mail_server import MailServer
from watchword.govern.body import Body
from watchword.govern.meeting import Meeting, MeetingState
from watchword.govern.meeting_calendar import Appointment, invitation
from watchword.kit.errors import Unavailable, WatchwordError


def end_rounds(watchword: Watchword, now: datetime) -> None:
    """End the rounds whose time is over."""
    watchword.governance.proposals.end_rounds(now)


def prepare_meetings(watchword: Watchword, now: datetime) -> None:
    """Plan the meetings ahead, freeze agendas that are near, and send the invitations that are due."""
    faults = []
    house = watchword.governance
    for body in house.committees.list():
        try:
            house.meetings.plan(body.uid)
            for meeting in house.meetings.list(body.uid, ahead=True):
                _prepare(watchword, body, meeting, now)
        except WatchwordError as error:
            faults.append(f"{body.name}: {error}")
    if faults:
        raise WatchwordError("; ".join(faults))


def _prepare(watchword: Watchword, body: Body, meeting: Meeting, now: datetime) -> None:
    house = watchword.governance
    near = meeting.starts - timedelta(days=body.rules.invite_days) <= now
    if near and meeting.state is MeetingState.PLANNED and meeting.ends > now:
        house.agendas.freeze(meeting, by="watchword")
        meeting = house.meetings.get(meeting.uid)
    if near and meeting.state is MeetingState.FROZEN and meeting.ends > now:
        invite(watchword, body, meeting, now)


def invite(watchword: Watchword, body: Body, meeting: Meeting, now: datetime) -> int:
    """Send the invitation of a meeting to every member who has a mail address and has not got it; return how many were sent.

    Raises:
        Unavailable: the mail server did not take some; what failed is kept, and tried again.
    """
    settings, house = watchword.settings, watchword.governance
    if not settings.committees_mail:
        return 0
    before = house.meetings.invitations(meeting.uid)
    appointment = appointment_of(watchword, body, meeting)
    waiting = {
        member.person: member.mail
        for member in body.members
        if member.mail and before.get(member.person, (0, "never")) != (meeting.version, "")
    }
    server = MailServer(settings.committees_mail, settings.committees_sender)
    sent = {}
    for person, mail in waiting.items():
        calendar = invitation(appointment, server.sender, mail, now)
        sent[person] = _sent(server, mail, appointment.title, appointment.text, calendar)
    if sent:
        house.meetings.invited(meeting.uid, sent)
    _complain(f"the invitation to meeting {meeting.number}", sent)
    return len(sent)


def remind(watchword: Watchword, now: datetime) -> None:
    """Tell the members of each body, once, that a decision's review is due.

    Raises:
        Unavailable: the mail server did not take some; what failed is kept, and tried again.
    """
    settings, house = watchword.settings, watchword.governance
    bodies = {each.uid: each for each in house.committees.list()}
    for decision in house.decisions.due(now.date()):
        body = bodies.get(decision.body)
        before = house.meetings.invitations(decision.uid)
        if body is None or not settings.committees_mail:
            continue
        server = MailServer(settings.committees_mail, settings.committees_sender)
        title = f"{body.name}: the review of decision {decision.number} is due"
        address = f"{address_of(settings)}/decisions/{decision.uid}"
        text = (
            f"{decision.question}\n\nDid it do what was expected? Its review was set for {decision.review_on.isoformat()}.\n\n{address}\n"
        )
        sent = {
            member.person: _sent(server, member.mail, title, text)
            for member in body.members
            if member.mail and before.get(member.person, (0, "never"))[1]
        }
        if sent:
            house.meetings.reminded(decision.uid, sent)
        _complain(f"the reminder of decision {decision.number}", sent)


def _sent(server: MailServer, mail: str, title: str, text: str, calendar: bytes = b"") -> str:
    """Send a letter; return what went wrong, empty when the server took it."""
    try:
        server.send(mail, title, text, calendar)
    except Unavailable as error:
        return str(error)
    return ""


def _complain(what: str, sent: Mapping[str, str]) -> None:
    failed = [person for person, fault in sent.items() if fault]
    if failed:
        raise Unavailable(f"{what} did not reach {', '.join(failed)}: {sent[failed[0]]}")


def appointment_of(watchword: Watchword, body: Body, meeting: Meeting) -> Appointment:
    """Return a meeting as a calendar shows it."""
    items = [each for each in watchword.governance.agendas.items(meeting.uid) if each.position]
    address = f"{address_of(watchword.settings)}/meetings/{meeting.uid}"
    lines = [f"{each.position}. {each.title} ({each.minutes} min)" for each in items] or ["The agenda is built a week before."]
    lines += ["", *(f"{role}: {person}" for role, person in meeting.roles.items()), "", address]
    cancelled = meeting.state is MeetingState.CANCELLED
    title = f"{body.name}, meeting {meeting.number}"
    return Appointment(meeting.uid, title, meeting.starts, meeting.ends, "\n".join(lines), address, meeting.version, cancelled)


def appointments(watchword: Watchword, body: Body, since: datetime) -> list[Appointment]:
    """Return the meetings of a body from a moment on, for its calendar."""
    return [appointment_of(watchword, body, each) for each in watchword.governance.meetings.list(body.uid) if each.ends >= since]
