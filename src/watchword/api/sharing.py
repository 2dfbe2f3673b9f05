"""Routes of the dashboard's share links."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Line, Uid
from watchword.api.identity import House, Measurer
from watchword.api.problems import RESPONSES, also
from watchword.app.share import Share

routes = APIRouter(tags=["metrics"])


class ShareShown(BaseModel):
    """A share link, without its secret."""

    uid: str
    title: str
    by: str
    made: datetime
    expires: datetime
    revoked: datetime | None
    last_read: datetime | None
    readings: int
    works: bool


class SharesShown(BaseModel):
    """Share links, the newest first."""

    items: list[ShareShown]


class ShareMade(BaseModel):
    """A new share link. Its address is shown this once."""

    share: ShareShown
    path: str


class ShareGiven(BaseModel):
    """For whom a link is, and for how many days it works."""

    model_config = ConfigDict(extra="forbid")

    title: Line
    days: int = Field(7, ge=1, le=90, strict=True)


def _share(share: Share, now: datetime) -> ShareShown:
    return ShareShown(
        uid=share.uid,
        title=share.title,
        by=share.by,
        made=share.made,
        expires=share.expires,
        revoked=share.revoked,
        last_read=share.last_read,
        readings=share.readings,
        works=share.works(now),
    )


@routes.get("/shares", responses=RESPONSES, summary="Share links of the dashboard")
def list_shares(watchword: House, _: Measurer) -> SharesShown:
    """For whom each is, until when it works, and how often it was read; the secrets are not kept."""
    now = watchword.clock.now()
    return SharesShown(items=[_share(each, now) for each in watchword.measures.shares.list()])


@routes.post("/shares", status_code=201, responses=RESPONSES, summary="Make a share link")
def make_share(given: ShareGiven, watchword: House, caller: Measurer) -> ShareMade:
    """Make a link that opens the dashboard read only, without a log-in and without names; its path is shown this once."""
    share, secret = watchword.measures.shares.create(given.title, timedelta(days=given.days), caller.actor)
    return ShareMade(share=_share(share, watchword.clock.now()), path=f"/shared/{secret}")


@routes.delete("/shares/{uid}", status_code=204, responses=also(404), summary="Revoke a share link")
def revoke_share(uid: Uid, watchword: House, caller: Measurer) -> Response:
    """Make a link useless from now on."""
    watchword.measures.shares.revoke(uid, caller.actor)
    return Response(status_code=204)
