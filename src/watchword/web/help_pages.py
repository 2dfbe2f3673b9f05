"""Help: the keys, the glossary of both trades, how to connect a source."""

import re
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from markupsafe import Markup, escape
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
    ("g n", "go to Incidents (now)"),
    ("g a", "go to Approvals"),
    ("g c", "go to On call"),
    ("g h", "go to the Phone page (handheld)"),
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


@cache
def glossary() -> tuple[tuple[str, Markup], ...]:
    """Return the words of both trades with what they mean: ``docs/glossary.md`` as it lies in the package."""
    text = files("watchword").joinpath("content", "glossary.md").read_text(encoding="utf-8")
    sections = (section.partition("\n") for section in text.split("\n## ")[1:])
    return tuple((word.strip(), _marked_up(meaning.strip())) for word, _, meaning in sections)


def _marked_up(text: str) -> Markup:
    """Return a meaning as HTML: ``**strong**``, ``*emphasis*``, nothing else."""
    strong = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text)))
    return Markup(re.sub(r"\*(.+?)\*", r"<em>\1</em>", strong))  # noqa: S704 - escaped above


@router.get("/help")
def help_page(ask: LoggedIn) -> Response:
    """Show the page."""
    return ask.page("help.html", keys=KEYS, glossary=glossary(), permissions=PERMISSIONS)
