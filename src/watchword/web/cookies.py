"""Cookies: the session, the wall's token, and how a person wants pages to look."""

from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "__Host-watchword"
WALL: Final = "__Host-watchword-wall"
LOOK: Final = "watchword-look"
YEAR_SECONDS: Final = 365 * 86_400
THEMES: Final = ("system", "light", "dark")
DENSITIES: Final = ("auto", "compact", "comfortable")
CLOCKS: Final = ("site", "mine", "utc")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


def keep_secret(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie that scripts cannot read and that goes to this host alone, over HTTPS or on the machine itself."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def forget(response: Response, name: str) -> None:
    """Delete such a cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def can_keep(request: Request) -> bool:
    """Tell whether a browser will keep our session cookie at this address: HTTPS, or HTTP on the machine itself."""
    host = request.url.hostname or ""
    return request.url.scheme == "https" or host in LOOPBACK or host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Look:
    """How a person wants pages: kept in a cookie of the device, since a phone and a wall of screens want different things."""

    theme: str = "system"
    density: str = "auto"
    clock: str = "site"
    """``site``: the place's own time; ``mine``: `zone`; ``utc``."""
    zone: str = "UTC"
    keys: bool = True

    def mine(self) -> ZoneInfo:
        """Return the person's own time zone."""
        return ZoneInfo(self.zone)

    def with_choice(self, **choices: Any) -> "Look":
        """Return the look with acceptable choices taken over and others ignored."""
        keep: dict[str, Any] = {}
        for name, known in (("theme", THEMES), ("density", DENSITIES), ("clock", CLOCKS)):
            if choices.get(name) in known:
                keep[name] = choices[name]
        if "keys" in choices:
            keep["keys"] = choices["keys"] in {True, "on", "1"}
        zone = choices.get("zone")
        if zone and known_zone(str(zone)):
            keep["zone"] = str(zone)
        return replace(self, **keep)

    def keep(self, response: Response, *, secure: bool) -> None:
        """Write the cookie."""
        value = urlencode(
            {"theme": self.theme, "density": self.density, "clock": self.clock, "zone": self.zone, "keys": "on" if self.keys else "off"}
        )
        response.set_cookie(LOOK, value, max_age=YEAR_SECONDS, path="/", secure=secure, httponly=True, samesite="lax")


def known_zone(name: str) -> bool:
    """Tell whether this is the name of a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def look_of(request: Request) -> Look:
    """Return the look that the request's cookie asks for."""
    return Look().with_choice(**dict(parse_qsl(request.cookies.get(LOOK, "")[:400])))
