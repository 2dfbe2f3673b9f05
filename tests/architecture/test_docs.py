"""What can be chosen, typed, asked or shown has its heading in docs/."""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GROUPS = {"watchword.source", "watchword.detector", "watchword.responder"}
"""The entry-point groups that this release offers."""


def headings(*path: str) -> set[str]:
    text = DOCS.joinpath(*path).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return {found.strip().strip("`") for found in re.findall(r"^#{2,4} (.+)$", text, re.MULTILINE)}


def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "watchword").rglob("*.py"))


def everything() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md")))


def test_every_setting_has_its_heading():
    from watchword.app.settings import settings_list

    assert headings("reference", "settings.md") - {"Variables that are no settings"} == {each.key for each in settings_list()}


def test_every_problem_has_its_heading():
    from watchword.api.problems import PROBLEMS

    assert headings("reference", "problems.md") == set(PROBLEMS)
    text = (DOCS / "reference" / "problems.md").read_text(encoding="utf-8")
    for name, kind in PROBLEMS.items():
        assert f"## {name}\n{kind.status}." in text, name


def test_every_command_has_its_heading():
    import typer

    from watchword.cli.main import app

    found, text = set(), (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")

    def walk(command, path: str) -> None:
        inner = getattr(command, "commands", None)
        if command.hidden:
            return
        if inner is None:
            found.add(path)
            section = text.partition(f"## {path}\n")[2].partition("\n## ")[0]
            options = [each.opts[0] for each in command.params if each.param_type_name == "option"]
            assert not [option for option in options if f"`{option}`" not in section], path
            return
        for name, each in inner.items():
            walk(each, f"{path} {name}")

    walk(typer.main.get_command(app), "watchword")
    assert headings("reference", "commands.md") - {"Global options", "Options of every list"} == found


def test_every_operation_has_its_heading():
    from fastapi import FastAPI

    from watchword.api.router import make_router

    app = FastAPI()
    app.include_router(make_router(), prefix="/api/v1")
    operations = {f"{method.upper()} {path}" for path, each in app.openapi()["paths"].items() for method in each}
    assert {each for each in headings("reference", "api.md") if "/" in each} == operations | {"GET /metrics"}


def test_every_rule_has_its_page():
    from watchword.detect.loader import shipped_rules

    pages = everything()
    for path, text in shipped_rules():
        rule = yaml.safe_load(text)
        assert rule["id"] in pages, f"{path}: no page in docs/detections names {rule['id']}"


def test_every_room_is_named():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for room in sorted(each.name for each in (ROOT / "src" / "watchword").iterdir() if (each / "__init__.py").is_file()):
        assert f"`{room}`" in text, room


def test_every_seam_is_named():
    groups = {name for name in re.findall(r'"(watchword\.[a-z]+)"', sources()) if name in GROUPS}
    assert headings("reference", "seams.md") == groups == GROUPS


def test_every_page_is_described():
    from watchword.web.application import PAGES

    text = (DOCS / "reference" / "pages.md").read_text(encoding="utf-8")
    shown = {route.path for module in PAGES for route in module.router.routes if "GET" in route.methods}
    for address in sorted(shown - {"/charts/events", "/findings/{uid}/related", "/places"}):
        pattern = re.sub(r"\\{[^}]*\\}", "[A-Z]+", re.escape(address))
        assert re.search(rf"`{pattern}[`?]", text), f"{address} is not described"


def test_every_decision_is_listed():
    listed = (DOCS / "index.md").read_text(encoding="utf-8")
    for path in sorted((DOCS / "decisions").glob("*.md")):
        assert path.name in listed, path.name


def test_the_glossary_of_the_help_page_is_that_of_the_docs():
    source = ROOT / "src" / "watchword" / "content" / "glossary.md"
    assert (DOCS / "glossary.md").read_bytes() == source.read_bytes(), f"write in {source}, then: cp {source} {DOCS}"


def test_the_terms_of_both_trades_are_explained():
    terms = headings("glossary.md")
    assert {"badge", "finding", "anti-passback", "flow", "presence", "rhythm"} <= terms
    assert sys.version_info >= (3, 11)
