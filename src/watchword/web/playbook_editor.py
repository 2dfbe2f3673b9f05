"""The editor of playbooks: a draft of one's own, changed by forms, checked as one types, saved as a new version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from watchword.kit.errors import Conflict, ContentError, InputError, NotFound
from watchword.respond import playbook_edit as edit
from watchword.respond.cacao import write_json
from watchword.respond.draft_service import Drafts
from watchword.respond.json_text import JsonFault, read_json
from watchword.respond.lint import Fault, validate
from watchword.web.pages import Ask
from watchword.web.playbook_fields import Typed, one, set_agents, set_head, set_step, set_variables, to_person
from watchword.web.playbook_form import editor_context
from watchword.web.playbooks import Authoring

router = APIRouter()
MOST_FIELDS: Final = 1_500


async def typed_of(request: Request) -> dict[str, list[str]]:
    """Return every value of every field of a form."""
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
    return found


Form_ = Annotated[dict[str, list[str]], Depends(typed_of)]
PARTS: Final = ("head", "variables", "agents", "step")


@dataclass(frozen=True, slots=True)
class Draft:
    """A playbook as it is being written."""

    id: str
    value: edit.Value
    base: str
    since: datetime | None
    """When it was last changed; None: nothing is changed yet."""


def _ids() -> str:
    return str(uuid4())


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def drafts_of(ask: Ask) -> Drafts:
    """Return where drafts are kept."""
    return Drafts(ask.watchword.records, ask.watchword.clock)


def _draft(ask: Ask, identifier: str) -> Draft:
    """Return the asker's draft, or the newest version as one that is not changed yet."""
    kept = drafts_of(ask).get(identifier, ask.who.account)
    if kept is not None:
        return Draft(identifier, dict(read_json(kept.text).value), kept.base, kept.at)
    version = ask.watchword.response.library.get(identifier)
    return Draft(identifier, dict(read_json(version.text).value), version.modified, None)


# beginning


@router.get("/playbooks/new")
def new_form(ask: Authoring, source: str = "") -> Response:
    """Show how a playbook begins: from nothing, or from another."""
    return _new(ask, source)


def _new(ask: Ask, source: str, status: int = 200, fault: str = "", name: str = "") -> Response:
    names = ask.watchword.response.library.names()
    drafts = [(draft, names.get(draft.id) or _name(draft.text)) for draft in drafts_of(ask).of(ask.who.account)]
    listed = sorted(names.items(), key=lambda pair: pair[1])
    return ask.page("playbooks/new.html", status, names=listed, source=source, fault=fault, name=name, drafts=drafts)


def _name(text: str) -> str:
    try:
        return str(read_json(text).value.get("name") or "without a name")[:200]
    except JsonFault:
        return "unreadable"


@router.post("/playbooks/new")
def begin(ask: Authoring, name: Annotated[str, Form()] = "", source: Annotated[str, Form()] = "") -> Response:
    """Begin a draft; it is no version until it is saved."""
    name = name.strip()[:300]
    if not name:
        return _new(ask, source, 422, "Give it a name: what happened, in the words in which people will look for it", name)
    if source:
        origin = read_json(ask.watchword.response.library.get(source).text).value
        value = edit.copy_of(origin, name, _ids, _stamp(ask.now))
    else:
        value = edit.new_playbook(name, _ids, _stamp(ask.now))
    try:
        drafts_of(ask).put(value["id"], ask.who.account, write_json(value), "")
    except InputError as error:
        return _new(ask, source, 422, str(error), name)
    return ask.see(f"/playbooks/{value['id']}/edit")


# writing


@router.get("/playbooks/{id}/edit")
def editor(ask: Authoring, id: str, part: str = "", step: str = "") -> Response:  # noqa: A002 - the standard's word for it
    """Show the draft: its picture, and the form of what is chosen."""
    return _page(ask, _draft(ask, id), part, step)


def _page(ask: Ask, draft: Draft, part: str = "", step: str = "", status: int = 200, fault: str = "") -> Response:
    part = part if part in PARTS else "step" if step else "head"
    return ask.page("playbooks/edit.html", status, **editor_context(ask, draft, part, step, faults_of(draft.value)), fault=fault)


def faults_of(value: edit.Value) -> list[Fault]:
    """Return what both stages of the validation find in a draft."""
    return validate(write_json(value), "draft")


@router.post("/playbooks/{id}/edit")
def change(ask: Authoring, id: str, typed: Form_) -> Response:  # noqa: A002 - the standard's word for it
    """Take over what was typed, then do what the button says; the draft is kept."""
    draft = _draft(ask, id)
    part, step = one(typed, "part", 20), one(typed, "step", 250)
    try:
        step = _apply(ask, draft.value, typed, part, step)
        edit.finish(draft.value)
        drafts_of(ask).put(id, ask.who.account, write_json(draft.value), draft.base)
    except InputError as error:
        return _page(ask, _draft(ask, id), part, step, 422, str(error))
    return ask.see(ask.url(f"/playbooks/{id}/edit", part=part, step=step) + "#form")


def _apply(ask: Ask, value: edit.Value, typed: Typed, part: str, step: str) -> str:
    """Change a draft, and return the step to show next."""
    _take(ask, value, typed, part, step)
    deed, _, rest = one(typed, "deed", 600).partition(" ")
    act = DEEDS.get(deed)
    if deed and act is None:
        raise InputError("This button is not known: open the editor again", "deed")
    return act(value, step, rest, typed) if act else step


def _take(ask: Ask, value: edit.Value, typed: Typed, part: str, step: str) -> None:
    if part == "head":
        set_head(value, typed)
    elif part == "variables":
        set_variables(value, typed)
    elif part == "agents":
        set_agents(value, typed, _ids())
    elif part == "step":
        set_step(edit.step_of(value, step), typed, ask.watchword.response.gateway.catalogue)
    else:
        raise InputError("Choose what to change", "part")


def _add(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    del rest
    return edit.insert_after(value, step, one(typed, "kind", 40), _ids)


def _first(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    return edit.insert_first(value, step, rest, one(typed, "kind", 40), _ids)


def _way(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    del rest
    edit.add_way(value, step, _ids, one(typed, "case", 250))
    return step


def _unway(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    del typed
    edit.remove_way(value, step, rest)
    return step


def _remove(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    del rest, typed
    before = next((name for name, each in edit.steps_of(value).items() if each.get(edit.next_key(each)) == step), "")
    edit.remove(value, step)
    return before if before in edit.steps_of(value) and edit.step_of(value, before).get("type") != "start" else ""


def _move(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    del rest
    after, _, way = one(typed, "to", 600).partition(" ")
    edit.move(value, step, after, way)
    return step


def _up(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    del rest, typed
    edit.move_up(value, step)
    return step


def _down(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    del rest, typed
    edit.move_down(value, step)
    return step


def _catch(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    del step, rest, typed
    return edit.catch_failures(value, _ids)


def _person(value: edit.Value, step: str, rest: str, typed: Typed) -> str:
    del rest
    to_person(edit.step_of(value, step), one(typed, "instead"))
    return step


Deed = Callable[[edit.Value, str, str, Typed], str]
DEEDS: Final[Mapping[str, Deed]] = {
    "add": _add,
    "first": _first,
    "way": _way,
    "unway": _unway,
    "remove": _remove,
    "move": _move,
    "up": _up,
    "down": _down,
    "catch": _catch,
    "person": _person,
}
"""What the buttons beside a form do, after what was typed is taken over."""


@router.post("/playbooks/{id}/edit/check")
def check(ask: Authoring, id: str, typed: Form_) -> Response:  # noqa: A002 - the standard's word for it
    """Say what the linter finds in what is typed, beside each field; nothing is kept."""
    draft = _draft(ask, id)
    part, step = one(typed, "part", 20), one(typed, "step", 250)
    try:
        _take(ask, draft.value, typed, part, step)
        edit.finish(draft.value)
    except InputError as error:
        return HTMLResponse(ask.html("playbooks/check.html", said=str(error)))
    context = editor_context(ask, draft, part, step, faults_of(draft.value))
    return HTMLResponse(ask.html("playbooks/check.html", **context, said=""))


@router.post("/playbooks/{id}/edit/save")
def save(ask: Authoring, id: str) -> Response:  # noqa: A002 - the standard's word for it
    """Keep the draft as the newest version."""
    drafts, draft = drafts_of(ask), _draft(ask, id)
    if draft.since is None:
        return ask.see(f"/playbooks/{id}")
    newest = _newest(ask, id)
    if newest != draft.base:
        began = draft.base or "nothing"
        said = (
            f"Somebody saved version {newest} since you began from {began}: look at it, then discard your draft and make your changes again"
        )
        return _page(ask, draft, status=409, fault=said)
    try:
        kept = ask.watchword.response.library.put(write_json(draft.value), ask.who.actor, restamp=True)
    except (ContentError, Conflict) as error:
        return _page(ask, draft, status=409 if isinstance(error, Conflict) else 422, fault=str(error))
    drafts.drop(id, ask.who.account)
    return ask.see(f"/playbooks/{kept.id}")


def _newest(ask: Ask, identifier: str) -> str:
    try:
        return ask.watchword.response.library.get(identifier).modified
    except NotFound:
        return ""


@router.post("/playbooks/{id}/edit/discard")
def discard(ask: Authoring, id: str) -> Response:  # noqa: A002 - the standard's word for it
    """Forget the draft; what is saved stays."""
    drafts_of(ask).drop(id, ask.who.account)
    return ask.see(f"/playbooks/{id}" if _newest(ask, id) else "/playbooks")
