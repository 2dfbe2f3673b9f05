"""The habits of the repository: directions of import, sizes, locks without hosts, no paths of one machine, README and Makefile agree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "watchword"
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-node.txt", "ui/package-lock.json")
MOST_LINES = 400
LONGER_FILES = {"src/watchword/detect/selection.py": "the words of a selection are one table"}
"""Path → why it may be longer than `MOST_LINES`."""
BANNED_NAMES = {"utils", "helpers", "common", "manager", "base", "misc"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("no git checkout: an installed source archive")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        try:
            found.append((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def python_files() -> list[Path]:
    return sorted(path for path in SRC.rglob("*.py"))


def test_imports_go_towards_the_entrance():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", LOCKS)
def test_locks_name_no_host(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".json"):
        text = re.sub(r'"(url|funding)": "https?://[^"]*"', "", text)
    assert "://" not in text
    assert "sha" in text


def test_no_registry_and_no_machine_path_in_any_file():
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "docker" + ".io", "ghcr" + ".io"]
    machine = re.compile(r"(?<![\w./-])/(?:work|root|home|Users|tmp)/[\w.-]+")
    wrong = []
    for name, text in texts():
        wrong += [f"{name}: names {host}" for host in hosts if host in text]
        if not name.startswith("tests/") and not name.endswith((".json", ".svg")):
            wrong += [f"{name}: names {found}" for found in machine.findall(text)]
    assert not wrong, "\n".join(wrong)


def test_files_are_read_in_one_sitting():
    long = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    over = {name: lines for name, lines in long.items() if lines > MOST_LINES}
    assert set(over) <= set(LONGER_FILES), f"{over}: name the two ideas in it and part them"


def test_names_say_what_is_in_a_file():
    assert not [path for path in python_files() if path.stem in BANNED_NAMES]


def test_every_module_starts_with_one_sentence():
    wrong = []
    for path in python_files():
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        first = words.split("\n\n")[0]
        if not first.endswith((".", ":", "!", "?")) and not first.endswith("`"):
            wrong.append(f"{path.relative_to(ROOT)}: {first[:60]!r}")
    assert not wrong, "\n".join(wrong)


def test_the_readme_names_only_targets_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        used = set(re.findall(r"\bmake ([a-z-]+)\b(?=`|\s+#|$|;)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        assert used <= targets, f"{name}: {used - targets}"


def test_make_lists_every_public_target():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "env", "ui", "lint", "types", "contracts", "format", "bench", "lock", "clean"):
        assert re.search(rf"^  make {target} ", listed, re.MULTILINE), target
        assert re.search(rf"^{target}:", text, re.MULTILINE)


def test_ci_does_what_the_readme_says():
    commands = [line for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert commands == ['cd "$(dirname "$0")/.." && exec make test']


def test_links_in_the_docs_lead_somewhere():
    wrong = []
    for name, text in texts():
        if not name.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in target or target.startswith(("#", "mailto:")):
                continue
            if not (ROOT / name).parent.joinpath(target.split("#")[0]).exists():
                wrong.append(f"{name}: {target}")
    assert not wrong, "\n".join(wrong)


SHELL = {
    "ingest": {"tables", "ledger", "segments", "sealing"},
    "resolve": {"service", "tables"},
    "detect": {"service", "tables", "insight", "gaps"},
    "respond": {"ports", *(path.stem for path in (SRC / "respond").glob("*.py") if path.stem.endswith(("_service", "_tables")))},
    **{
        room: {path.stem for path in (SRC / room).glob("*.py") if path.stem.endswith(("_service", "_tables"))}
        for room in ("learn", "measure", "govern")
    },
    "simulate": set(),
}
"""What reads and writes in each room; everything else is its core."""


def test_every_module_of_a_rooms_core_is_under_the_contract():
    contract = (ROOT / ".importlinter").read_text().partition("contract:pure-cores]")[2]
    for room, shell in SHELL.items():
        core = {path.stem for path in (ROOT / "src" / "watchword" / room).glob("*.py")} - shell - {"__init__"}
        missing = sorted(name for name in core if f"    watchword.{room}.{name}\n" not in contract)
        assert missing == [], f"add these modules of {room} to the contract pure-cores in .importlinter, or name them as its shell"
