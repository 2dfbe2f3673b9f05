"""Assets: hosts, cameras, sensors, switches: where they stand, whose they are, what they depend on."""

from fastapi import APIRouter
from starlette.responses import Response

from watchword.kit.errors import NotFound
from watchword.model import AssetKind
from watchword.web.pages import Asked
from watchword.web.people import sites_of

router = APIRouter()
ROWS = 200


@router.get("/assets")
def assets(ask: Asked, q: str = "", kind: str = "", site: str = "", page: int = 1) -> Response:
    """List assets by name."""
    low = q.strip().casefold()
    found = [
        asset
        for asset in ask.directory.assets.assets.values()
        if (not low or low in asset.name.casefold() or any(low in address for address in asset.addresses))
        and kind in {"", asset.kind.value}
        and site in {"", asset.place.partition("/")[0]}
    ]
    found.sort(key=lambda asset: asset.name.casefold())
    start = (max(1, min(page, 10_000)) - 1) * ROWS
    return ask.page(
        "assets/list.html",
        assets=found[start : start + ROWS],
        total=len(found),
        everything=len(ask.directory.assets.assets),
        page_number=max(1, page),
        more=len(found) > start + ROWS,
        q=q,
        kind=kind,
        site=site,
        kinds=[(each.value, each.value) for each in AssetKind],
        sites=sites_of(ask),
    )


@router.get("/assets/{uid}")
def asset(ask: Asked, uid: str) -> Response:
    """Show one asset."""
    found = ask.directory.asset(uid)
    if found is None:
        raise NotFound(f"No site file describes {uid!r}.")
    links = [link for link in ask.directory.people.links if link.entity == uid]
    below = [other for other in ask.directory.assets.assets.values() if uid in other.upstream]
    return ask.page(
        "assets/asset.html",
        asset=found,
        owner=ask.directory.owner(uid, ask.now),
        links=sorted(links, key=lambda link: not link.holds(ask.now)),
        below=sorted(below, key=lambda other: other.name)[:50],
        findings=ask.watchword.findings.list(asset=uid, limit=20),
    )
