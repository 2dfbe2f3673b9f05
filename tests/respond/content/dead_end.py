"""A playbook for tests of drills that cannot take its every branch."""

from tests.respond.playbooks import document, manual, name_of, variable


def untakeable():
    """A playbook with a branch to which no answer leads."""
    start, choice, yes, end, inner = (
        name_of(kind, place) for place, kind in enumerate(("start", "if-condition", "action", "end", "end"), 1)
    )
    steps = {
        start: {"type": "start", "on_completion": choice},
        choice: {"type": "if-condition", "name": "Never", "condition": "__n__:value = 1", "on_true": yes, "on_completion": end},
        yes: manual("Do it", name="Not reached", on_completion=inner),
        inner: {"type": "end"},
        end: {"type": "end"},
    }
    return document(7, "With a way that is never taken", steps, variables={"__n__": variable("integer", "2")})
