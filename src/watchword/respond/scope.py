"""Where a variable of a running playbook is found and written: step, composite, branch overlay, playbook; never across its edge."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from watchword.respond.plan import Declared, Plan
from watchword.respond.run_state import Flow, FlowKind, Step, Write
from watchword.respond.variables import fits


class ScopeFault(Exception):
    """A variable cannot be written as asked; `code` is the step's, the text says why."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


class Scopes:
    """The open steps and flows of a run, as places where variables live. Changes are made in the mappings that it was given."""

    def __init__(self, books: Mapping[str, Plan], steps: dict[str, Step], flows: dict[str, Flow]) -> None:
        self._books = books
        self._steps = steps
        self._flows = flows

    def visible(self, path: str) -> dict[str, Declared]:
        """Return every variable that a step sees, with its value now; an inner declaration hides an outer one of its name.

        A branch of a parallel step sees the values as of the fork and what it wrote itself: writes of others stay in their own overlays.
        """
        found: dict[str, Declared] = {}
        overlays: list[Mapping[Write, str | None]] = []
        for place in self._outwards(path):
            if isinstance(place, Flow) and place.kind is FlowKind.BRANCH:
                overlays.append(place.writes)
                continue
            scope, declared, values = self._here(place)
            for name, one in declared.items():
                if name not in found:
                    kept = next((overlay[scope, name] for overlay in overlays if (scope, name) in overlay), values.get(name, one.value))
                    found[name] = replace(one, value=kept)
        return found

    def write(self, path: str, name: str, value: str | None) -> None:
        """Write a variable where the nearest declaration outwards from a step puts it.

        Raises:
            ScopeFault: nothing visible has this name, it is constant, or the value is not of its type.
        """
        for place in self._outwards(path):
            scope, declared, _ = self._here(place)
            if name in declared:
                if declared[name].constant:
                    raise ScopeFault("constant_output", f"{name} is constant: nothing may be written to it")
                if value is not None and not fits(declared[name].type, value):
                    raise ScopeFault("variable_type", f"{value[:60]!r} for {name} is no {declared[name].type}")
                self._store(path, scope, name, value)
                return
        raise ScopeFault("undeclared_variable", f"{name} is declared nowhere that this step sees")

    def join(self, path: str) -> None:
        """Carry the writes of a parallel step's branches outwards, in the order of its branches: the last one named stands."""
        branches = [flow for flow in self._flows.values() if flow.owner == path and flow.kind is FlowKind.BRANCH]
        for branch in sorted(branches, key=lambda flow: flow.number):
            for (scope, name), value in branch.writes.items():
                self._store(path, scope, name, value)

    def _outwards(self, path: str) -> Iterator[Step | Flow]:
        step = self._steps[path]
        while True:
            yield step
            flow = self._flows[step.flow]
            if flow.kind is FlowKind.EXCEPTION:
                flow = self._flows[flow.owner]
            yield flow
            if flow.kind is FlowKind.PLAYBOOK:
                return
            step = self._steps[flow.owner]

    def _here(self, place: Step | Flow) -> tuple[str, Mapping[str, Declared], Mapping[str, str | None]]:
        if isinstance(place, Step):
            return place.path, self._books[place.book].steps[place.step].variables, place.values
        if place.kind is FlowKind.PLAYBOOK:
            return place.scope, self._books[place.book].variables, place.values
        return place.scope, {}, {}

    def _store(self, path: str, scope: str, name: str, value: str | None) -> None:
        for place in self._outwards(path):
            if isinstance(place, Flow) and place.kind is FlowKind.BRANCH:
                self._flows[place.path] = replace(place, writes={**place.writes, (scope, name): value})
                return
            if isinstance(place, Step) and place.path == scope:
                self._steps[place.path] = replace(place, values={**place.values, name: value})
                return
            if isinstance(place, Flow) and place.scope == scope:
                self._flows[place.path] = replace(place, values={**place.values, name: value})
                return
