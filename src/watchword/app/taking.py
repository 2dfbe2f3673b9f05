"""Taking and closing an incident with its pages: whoever has it is called no longer."""

from watchword.app.watchword import Watchword
from watchword.kit.errors import Conflict
from watchword.model.incident import Closure, Rating
from watchword.respond.page_service import OPEN


def acknowledge(watchword: Watchword, uid: str, *, by: str, team: str) -> None:
    """Say that a person of a team has an incident: its pages to that team are taken, and t4 stands.

    Raises:
        NotFound: there is no such incident.
        Forbidden: nobody active is called so, or the person is of another team.
    """
    response = watchword.response
    uid = response.incidents.get(uid).incident.merged_into or uid
    for page in response.pager.pages(uid):
        if any(track.team == team and track.status in OPEN for track in page.tracks):
            try:
                response.pager.acknowledge(page.uid, by, "page", team)
            except Conflict:  # somebody was quicker: that is what was wanted
                continue
    known = {each.team: each for each in response.incidents.get(uid).teams}
    if team not in known or known[team].acknowledged_at is None:
        response.incidents.acknowledge(uid, by=by, team=team)


def close(watchword: Watchword, uid: str, closure: Closure, rating: Rating, *, by: str, team: str, note: str) -> None:
    """Close an incident and call nobody about it any more.

    Raises:
        See `Verdicts.close`.
    """
    watchword.response.incidents.close(uid, closure, rating, by=by, team=team, note=note)
    with watchword.records.begin() as connection:
        watchword.response.pager.stop(connection, uid, by=by, reason=f"closed: {note}"[:1000])
