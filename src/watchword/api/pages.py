"""Pages over HTTP: what nobody has answered, one page, and a person taking it."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from watchword.api.bounds import Password, Uid
from watchword.api.identity import House, Reader, Responder
from watchword.api.paging import After, Limit, Page, in_time
from watchword.api.person import person_of
from watchword.api.problems import also
from watchword.model import Team
from watchword.respond.page_rows_service import PageView

routes = APIRouter(tags=["pages"])


class PageTaken(BaseModel):
    """That somebody takes a page, and for which team."""

    model_config = ConfigDict(extra="forbid")

    team: Team | None = None
    password: Password = ""


@routes.get("/pages", responses=also(404), summary="List unanswered pages")
def list_pages(
    request: Request, response: Response, watchword: House, _: Reader, limit: Limit = 100, after: After = None
) -> Page[PageView]:
    """Pages that some team has not taken yet, oldest first; the gravest 200 of them."""
    found = watchword.response.pager.unanswered()
    return in_time(found, lambda each: (each.made, each.uid), limit, after, request, response)


@routes.get("/pages/{uid}", responses=also(404), summary="Read a page")
def read_page(watchword: House, _: Reader, uid: Uid) -> PageView:
    """One page with where calling each team stands."""
    return watchword.response.pager.get(uid)


@routes.post("/pages/{uid}/acknowledge", responses=also(404, 409), summary="Take a page")
def acknowledge(request: Request, watchword: House, caller: Responder, uid: Uid, said: PageTaken) -> PageView:
    """Take a page as a person: calling of the team stops. Only a human stops it, so a token needs the account's `password`."""
    watchword.response.pager.get(uid)
    person = person_of(request, watchword, caller, said.password)
    return watchword.response.pager.acknowledge(uid, person.name, "api", said.team.value if said.team else "")
