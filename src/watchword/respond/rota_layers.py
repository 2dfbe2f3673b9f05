"""The layers of a rota as one JSON text: how they are kept and how faces send them."""

import json
from collections.abc import Sequence
from datetime import date, time
from typing import Any

from watchword.kit.errors import InputError
from watchword.respond.rota import Hours, Layer


def layers_text(layers: Sequence[Layer]) -> str:
    """Return the layers as JSON."""
    return json.dumps([layer_value(each) for each in layers], ensure_ascii=False)


def layer_value(layer: Layer) -> dict[str, Any]:
    """Return a layer as plain values: ISO dates and times, days from 0 (Monday)."""
    return {
        "name": layer.name,
        "people": list(layer.people),
        "first": layer.first.isoformat(),
        "hand_over": layer.hand_over.isoformat("minutes"),
        "days": layer.days,
        "hours": [
            {"since": each.since.isoformat("minutes"), "until": each.until.isoformat("minutes"), "days": sorted(each.days)}
            for each in layer.hours
        ],
        "until": None if layer.until is None else layer.until.isoformat(),
    }


def layers_of(text: str) -> tuple[Layer, ...]:
    """Return the layers of a JSON text.

    Raises:
        InputError: it is none; the message says which layer.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise InputError(f"the layers are no JSON: {error}", "layers") from error
    if not isinstance(values, list):
        raise InputError("the layers are a list", "layers")
    return tuple(layer_of(each, number) for number, each in enumerate(values, 1))


def layer_of(value: Any, number: int = 1) -> Layer:
    """Return the layer that plain values say.

    Raises:
        InputError: a value is missing or of the wrong kind.
    """
    try:
        hours = tuple(
            Hours(
                time.fromisoformat(each["since"]),
                time.fromisoformat(each["until"]),
                frozenset(int(day) for day in each.get("days", range(7))),
            )
            for each in value.get("hours", ())
        )
        ends = value.get("until")
        return Layer(
            str(value["name"]),
            tuple(str(each) for each in value["people"]),
            date.fromisoformat(value["first"]),
            time.fromisoformat(value.get("hand_over", "09:00")).replace(tzinfo=None),
            int(value.get("days", 7)),
            hours,
            date.fromisoformat(ends) if ends else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"layer {number} lacks something or holds a wrong value: {error}", "layers") from error
