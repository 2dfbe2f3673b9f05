"""Help: the keys, the glossary of both trades, how to connect a source."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.principal import PERMISSIONS
from watchword.web.pages import LoggedIn

router = APIRouter()
KEYS: Final = (
    ("j k", "next and previous row"),
    ("Enter", "open the row"),
    ("x", "select the row"),
    ("a", "acknowledge the row, the selected rows or the finding"),
    ("n", "go to the note or reason field"),
    ("/", "search"),
    ("g o", "go to Overview"),
    ("g f", "go to Findings"),
    ("g i", "go to Timeline (what came in)"),
    ("g p", "go to Places"),
    ("g w", "go to People (who)"),
    ("g e", "go to Ranking (entities)"),
    ("g s", "go to Sources"),
    ("g m", "go to Account (mine)"),
    ("arrows", "walk from door to door on a floor plan"),
    ("?", "this page"),
    ("Esc", "leave a field or row"),
)
GLOSSARY: Final = (
    ("acknowledge", "Someone has seen the finding and looks after it."),
    ("account", "A name with which one logs on to computers; it belongs to a person for a time."),
    ("alibi", "That the badge log places a person elsewhere, or not on site, at the moment of a deed."),
    ("anti-passback", "A badge goes in twice without going out between: lent, copied, or someone slipped out behind another."),
    ("audit", "The log of who read or did what; each entry binds the one before it, so that a changed or missing one shows."),
    ("badge", "A card or phone that opens doors; shown with its last four digits only."),
    ("confidence", "How sure the rule is, from 0 to 1, in words and number."),
    ("egress", "A way of escape. Nothing here ever locks one against leaving."),
    ("event", "One thing that a device or program reported, in the common form of both sides (OCSF)."),
    ("finding", "A rule's verdict on some events: something looks wrong, and why."),
    ("flow", "A connection between two network addresses, with bytes sent and received."),
    ("forced door", "A door opened with no badge granted and no exit button pressed."),
    ("held open", "A door that stayed open longer than it may."),
    ("lag", "How far a source's newest event lies behind its newest record."),
    ("late", "Arrived long after it happened: door controllers keep events and upload them in bulk."),
    ("link", "That a badge, account or machine belongs to a person, from and until a time, with a confidence."),
    ("pivot", "From a finding to other events that share its external address, credential or asset."),
    ("presence", "What is known of a person and a place: in, out or unknown; it fades with time."),
    ("provisional", "Rests on something not having come yet; late records may still withdraw it."),
    ("reader", "The device at a door that reads badges, for going in or for going out."),
    ("request to exit", "The button or sensor inside a door that opens it for leaving, without a badge."),
    ("rhythm", "The longest gap to be expected between two records of a source."),
    ("session", "A log-in, until it ends or is idle for too long."),
    ("severity", "How bad it would be, from 1 info to 5 critical (OCSF)."),
    ("silent", "A source from which nothing came for three times its rhythm: nobody knows what it would have said."),
    ("source", "A sender of records: a door controller, a firewall, an identity provider."),
    ("tailgating", "Someone walks in behind another's badge."),
    ("trail", "Where a person was and what their accounts did. Reading one needs a reason, and is logged."),
    ("unknown", "Nobody can say. Shown as such, hatched or dashed, and never counted as fine."),
    ("unparsed", "A record that was kept though nothing could be made of it yet; it can be read again after the mapping is mended."),
    ("unmapped", "Well formed, but no mapping makes more of it than a line of text."),
    ("unresolved", "Names a person, machine or place that no site or people file describes."),
    ("verdict", "What people found a finding to be: true, true but allowed, false, or undecided."),
    ("VPN", "A tunnel from outside into the organisation's network."),
    ("zone", "A room or area between doors."),
)


@router.get("/help")
def help_page(ask: LoggedIn) -> Response:
    """Show the page."""
    return ask.page("help.html", keys=KEYS, glossary=GLOSSARY, permissions=PERMISSIONS)
