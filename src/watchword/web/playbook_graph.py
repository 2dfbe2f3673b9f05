"""The picture of a playbook: its steps from top to bottom, drawn on the server; where a run stands is said by mark and word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from watchword.model.playbook import ActionStep, IfStep, ParallelStep, Playbook, PlaybookActionStep, Step, SwitchStep, WhileStep
from watchword.respond.playbook_flow import Edge, Flow, flow_of
from watchword.respond.playbook_words import said_of
from watchword.web.layered_layout import Layout, Point, TooLarge, layered
from watchword.web.words import plural

WIDE: Final = 204
HIGH: Final = 62
ACROSS: Final = 26
DOWN: Final = 44
SIDE: Final = 30
"""Room beside the steps, for edges that lead back."""
TOP: Final = 18
TERMINAL_INSET: Final = 14
"""How much lower than other steps' tops a start or end begins."""
MOST_DRAWN: Final = 150
"""Steps of a picture; a larger playbook is a list."""
LINE_CHARACTERS: Final = 25
NOTE_CHARACTERS: Final = 31
TEAM_SHORT: Final = {"it": "IT", "physical": "Physical", "management": "Management"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands at one step."""

    state: str
    """``done``, ``now``, ``waits``, ``failed`` or ``off`` (skipped, cancelled)."""
    word: str
    times: int = 1


def playbook_svg(
    playbook: Playbook,
    *,
    flow: Flow | None = None,
    standings: Mapping[str, Standing] | None = None,
    link: str = "#step-{}",
    beyond: str = "",
    chosen: str = "",
    faulty: frozenset[str] = frozenset(),
) -> Markup | None:
    """Return the picture; None when it would be too large for one.

    Args:
        playbook: what is drawn.
        flow: of the playbook, when it is known already.
        standings: where a run stands, by step; a step that it has not reached is not in it.
        link: where a step leads, with ``{}`` for its number.
        beyond: where a step leads that a run has not reached, where that is elsewhere.
        chosen: the step that is being edited.
        faulty: steps that have errors.
    """
    flow = flow or flow_of(playbook)
    if len(flow.order) > MOST_DRAWN or flow.left_out:
        return None
    steps = playbook.workflow
    try:
        layout = layered(flow.order, ((edge.source, edge.target) for edge in flow.edges), wide=WIDE, high=HIGH, across=ACROSS, down=DOWN)
    except TooLarge:
        return None
    known, size = standings or {}, (layout.width + 2 * SIDE, layout.height + 2 * TOP)
    parts = [
        Markup('<svg class="flow" id="flow" viewBox="{} {} {:g} {:g}" width="{:g}" height="{:g}" role="group" aria-label="{}">').format(
            -SIDE, -TOP, *size, *size, _summary(playbook, flow, known)
        )
    ]
    terminals = frozenset(name for name in flow.order if steps[name].type in {"start", "end"})
    parts += [Markup('<g aria-hidden="true">'), *_edges(flow, layout, known, terminals), Markup("</g>")]
    for name in flow.order:
        leads = beyond if beyond and name not in known else link
        address = leads.format(flow.numbers[name]) if name in flow.numbers else ""
        more = " chosen" if name == chosen else ""
        more += " faulty" if name in faulty else ""
        number = flow.numbers.get(name, 0)
        body = _node(playbook, steps[name], layout.at[name], known.get(name), more, number, exception=name == flow.exception)
        parts.append(Markup('<a href="{}">{}</a>').format(address, body) if address else body)
    return Markup("").join([*parts, Markup("</svg>")])


def _summary(playbook: Playbook, flow: Flow, standings: Mapping[str, Standing]) -> str:
    words = [f"Steps of {playbook.name[:80]}", plural(len(flow.numbers), "step")]
    now = [playbook.workflow[name].name[:60] or name for name, one in standings.items() if one.state in {"now", "waits"}]
    now = [name for name in now if name]
    return ": ".join(words[:2]) + (f"; now at {', '.join(now[:5])}" if now else "")


def team_of(step: Step) -> str:
    """Return the team that a step names as responsible; empty when it names none, or cannot be read."""
    raci = said_of(step).raci
    return raci.responsible if raci else ""


def _node(playbook: Playbook, step: Step, at: Point, standing: Standing | None, more: str, number: int, *, exception: bool) -> Markup:
    x, y = at[0] - WIDE / 2, at[1] - HIGH / 2
    if step.type in {"start", "end"}:
        word = "Start" if step.type == "start" else "End"
        return Markup(
            '<g class="node terminal" transform="translate({:g} {:g})"><rect class="shape" x="57" y="14" width="90" height="34" rx="17"/>'
            '<text x="102" y="36" text-anchor="middle">{}</text></g>'
        ).format(x, y, word)
    team, kind = team_of(step), _kind(step)
    agent = playbook.agent_definitions.get(step.agent) if isinstance(step, ActionStep) else None
    title = step.name or _unnamed(step)
    state = standing.state if standing else ""
    note = _note(step, standing, team, agent.name if agent else "")
    said = (
        f"{number}. {title[:200]}: {_kind_word(step)}" + (f", {standing.word}" if standing else "") + (f"; {note}" if not standing else "")
    )
    parts = [
        Markup('<g class="node {} {}{}" transform="translate({:g} {:g})"><title>{}</title>').format(
            kind, f"at-{state}" if state else "at-none", more, x, y, said
        ),
        _shape(kind),
    ]
    if team in TEAM_SHORT:
        parts.append(Markup('<rect class="stripe {}" x="0" y="0" width="5" height="{}" rx="2"/>').format(team, HIGH))
    if exception:
        parts.append(Markup('<text class="flag" x="2" y="-5">If nothing else catches a failure</text>'))
    for line_number, line in enumerate(wrapped(f"{number}. {title}", LINE_CHARACTERS, 2)):
        parts.append(Markup('<text class="name" x="14" y="{}">{}</text>').format(19 + 15 * line_number, line))
    parts.append(
        Markup('<text class="note" x="14" y="{}">{}</text>').format(
            HIGH - 9, note if len(note) <= NOTE_CHARACTERS else note[: NOTE_CHARACTERS - 1] + "…"
        )
    )
    parts += [_mark(state), Markup("</g>")]
    return Markup("").join(parts)


def _kind(step: Step) -> str:
    if isinstance(step, ActionStep):
        return "machine" if said_of(step).catalogue_action else "person"
    if isinstance(step, PlaybookActionStep):
        return "call"
    return "parallel" if isinstance(step, ParallelStep) else "choice" if isinstance(step, IfStep | SwitchStep | WhileStep) else "person"


def _kind_word(step: Step) -> str:
    words = {"machine": "an action", "person": "a person does it", "call": "another playbook", "parallel": "all at once"}
    if isinstance(step, WhileStep):
        return "repeated"
    return words.get(_kind(step), "a choice")


def _unnamed(step: Step) -> str:
    if isinstance(step, IfStep | WhileStep):
        return step.condition
    if isinstance(step, SwitchStep):
        return step.switch
    return step.description or {"parallel": "All at once"}.get(_kind(step), step.type[:40] or "step")


def _note(step: Step, standing: Standing | None, team: str, agent: str) -> str:
    """Return the small words of a node: where a run stands, else who does it and what it asks for."""
    words = [TEAM_SHORT[team]] if team in TEAM_SHORT else []
    if standing:
        words.append(standing.word + (f", {standing.times} times" if standing.times > 1 else ""))
        return " · ".join(words)
    said = said_of(step)
    if said.approvals and said.approvals.rule.count:
        words.append(f"{said.approvals.rule.count} agree")
    if said.catalogue_action:
        words.append(said.catalogue_action.name)
    elif not words:
        words.append(agent or _kind_word(step))
    return " · ".join(words)


def _shape(kind: str) -> Markup:
    if kind == "choice":
        return Markup('<path class="shape" d="M12 0H{}L{} {}L{} {}H12L0 {}Z"/>').format(
            WIDE - 12, WIDE, HIGH // 2, WIDE - 12, HIGH, HIGH // 2
        )
    body = Markup('<rect class="shape" x="0" y="0" width="{}" height="{}" rx="5"/>').format(WIDE, HIGH)
    if kind == "machine":
        body += Markup('<path class="detail" d="M{0} 1V{1}M{2} 1V{1}"/>').format(WIDE - 8, HIGH - 1, WIDE - 4)
    elif kind == "parallel":
        body += Markup('<path class="detail bar" d="M1 {0}H{1}M1 {2}H{1}"/>').format(HIGH - 6, WIDE - 1, HIGH - 2)
    elif kind == "call":
        body += Markup('<rect class="detail" x="4" y="4" width="{}" height="{}" rx="3"/>').format(WIDE - 8, HIGH - 8)
    return body


MARKS: Final = {
    "done": "M-5 0l4 4 7-8",
    "now": "M-4-6 6 0-4 6z",
    "waits": "M-5-6H5L-5 6H5z",
    "failed": "M-5-5 5 5M5-5-5 5",
    "off": "M-5 5 5-5",
}


def _mark(state: str) -> Markup:
    if state not in MARKS:
        return Markup("")
    return Markup('<g class="state" transform="translate({} 15)"><circle r="10"/><path d="{}"/></g>').format(WIDE - 20, MARKS[state])


def wrapped(text: str, longest: int, lines: int) -> list[str]:
    """Return a text in at most so many lines of so many characters, cut with an ellipsis."""
    found: list[str] = [""]
    for word in text[:400].split():
        joined = f"{found[-1]} {word}".strip()
        if len(joined) <= longest or not found[-1]:
            found[-1] = joined
        else:
            found.append(word)
    over = len(found) > lines or len(text) > 400
    found = [line if len(line) <= longest else line[: longest - 1] + "…" for line in found[:lines]]
    if over and not found[-1].endswith("…"):
        found[-1] = found[-1][: longest - 1].rstrip() + "…"
    return found


def _edges(flow: Flow, layout: Layout, standings: Mapping[str, Standing], terminals: frozenset[str]) -> list[Markup]:
    """Draw every edge; several at one side of a node are spread along it, in the order of where they lead."""
    forward = [edge for edge in flow.edges if (edge.source, edge.target) not in layout.back and edge.source != edge.target]
    out = _spread(forward, layout, by_source=True)
    into = _spread(forward, layout, by_source=False)
    drawn = []
    for edge in flow.edges:
        taken = " taken" if edge.source in standings and edge.target in standings else ""
        if edge in out:
            drawn.append(_down(edge, layout, out[edge], into[edge], taken, terminals))
        elif edge.source != edge.target:
            drawn.append(_up(edge, layout, taken))
    return drawn


def _spread(edges: list[Edge], layout: Layout, *, by_source: bool) -> dict[Edge, float]:
    sides: dict[str, list[Edge]] = {}
    for edge in dict.fromkeys(edges):
        sides.setdefault(edge.source if by_source else edge.target, []).append(edge)
    found = {}
    for name, group in sides.items():

        def towards(edge: Edge) -> float:
            passing = layout.bends.get((edge.source, edge.target), ())
            if by_source:
                return (passing[0] if passing else layout.at[edge.target])[0]
            return (passing[-1] if passing else layout.at[edge.source])[0]

        group.sort(key=towards)
        room = min(40.0, (WIDE - 40) / len(group))
        for number, edge in enumerate(group):
            found[edge] = layout.at[name][0] + (number - (len(group) - 1) / 2) * room
    return found


def _down(edge: Edge, layout: Layout, x1: float, x2: float, more: str, terminals: frozenset[str]) -> Markup:
    steps = layout.bends.get((edge.source, edge.target), ())
    y1, y2 = layout.at[edge.source][1] + HIGH / 2, layout.at[edge.target][1] - HIGH / 2
    y1 -= TERMINAL_INSET if edge.source in terminals else 0
    y2 += TERMINAL_INSET if edge.target in terminals else 0
    path, here = f"M{x1:.1f} {y1:.1f}", (x1, y1)
    for bend_x, bend_y in steps:
        path += _curve(here, (bend_x, bend_y - HIGH / 2)) + f"V{bend_y + HIGH / 2:.1f}"
        here = (bend_x, bend_y + HIGH / 2)
    path += _curve(here, (x2, y2 - 6))
    label = Markup("")
    if edge.label:
        # Beside a straight piece of the line: above where it arrives, or at the first layer that it passes.
        at_x, at_y = (steps[0][0], steps[0][1] - HIGH / 2 + 12) if steps else (x2, y2 - 11)
        label = Markup('<text class="way" x="{:.1f}" y="{:.1f}">{}</text>').format(at_x + 6, at_y, edge.label)
    return Markup('<g class="edge {}{}"><path d="{}"/><path class="tip" d="M{:.1f} {:.1f}l-4.500-8h9z"/>{}</g>').format(
        edge.kind, more, path, x2, y2, label
    )


def _curve(here: Point, there: Point) -> str:
    if abs(here[0] - there[0]) < 0.5:
        return f"L{there[0]:.1f} {there[1]:.1f}"
    half = max((there[1] - here[1]) / 2, 8)
    return f"C{here[0]:.1f} {here[1] + half:.1f} {there[0]:.1f} {there[1] - half:.1f} {there[0]:.1f} {there[1]:.1f}"


def _up(edge: Edge, layout: Layout, more: str) -> Markup:
    (x1, y1), (x2, y2) = layout.at[edge.source], layout.at[edge.target]
    side = 1 if x1 > x2 + 1 else -1
    out = (max(x1, x2) if side > 0 else min(x1, x2)) + side * (WIDE / 2 + SIDE - 4)
    x1, x2 = x1 + side * WIDE / 2, x2 + side * WIDE / 2
    path = f"M{x1:.1f} {y1:.1f}C{out:.1f} {y1:.1f} {out:.1f} {y2:.1f} {x2 + side * 6:.1f} {y2:.1f}"
    return Markup(
        '<g class="edge back{}"><path d="{}"/><path class="tip" d="M{:.1f} {:.1f}l{}-4.500v9z"/>'
        '<text class="way" x="{:.1f}" y="{:.1f}" text-anchor="{}">again</text></g>'
    ).format(more, path, x2, y2, 8 * side, x1 + 4 * side, y1 - 18, "start" if side > 0 else "end")
