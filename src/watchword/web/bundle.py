"""The browser bundle: hashed file names from its manifest, served so that browsers may keep them for ever."""

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOR_EVER: Final = "public, max-age=31536000, immutable"


def dist() -> Path:
    """Return the folder of the bundle (missing when it was installed without)."""
    return Path(str(files("watchword.web") / "static" / "dist"))


@cache
def manifest() -> dict[str, str]:
    """Return bundle names by source names; empty when there is no bundle."""
    path = dist() / "manifest.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def asset(name: str) -> str:
    """Return the address of a bundled file, '' when it was not built."""
    hashed = manifest().get(name, "")
    return f"/static/{hashed}" if hashed else ""


@cache
def build_id() -> str:
    """Return what changes when pages must be loaded anew: a digest of release and bundle."""
    from watchword import __version__  # noqa: PLC0415 - the package's door imports nothing

    return sha256(f"{__version__} {sorted(manifest().items())}".encode()).hexdigest()[:12]


class Bundle(StaticFiles):
    """Serves the bundle; hashed names never change their content. What the build compressed is sent as it lies there."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with the file and leave to keep it."""
        packed = f"{path}.gz"
        if "gzip" in Headers(scope=scope).get("accept-encoding", "") and self.lookup_path(packed)[1] is not None:
            response = await super().get_response(packed, scope)
            response.headers["Content-Type"] = f"{guess_type(path)[0] or 'application/octet-stream'}; charset=utf-8"
            response.headers["Content-Encoding"] = "gzip"
        else:
            response = await super().get_response(path, scope)
        response.headers["Vary"] = "Accept-Encoding"
        if response.status_code in {200, 304}:
            response.headers["Cache-Control"] = FOR_EVER
        return response
