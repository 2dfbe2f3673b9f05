"""The native view: a record under its product's own names, as Sigma rules read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchword.ingest.condition import Test
from watchword.ingest.mapping_values import Get, Row, text_of


@dataclass(frozen=True, slots=True)
class Native:
    """What Sigma rules are matched against. A rule fits when each part of its logsource is empty or equal to one named here."""

    product: str
    category: str
    """The first category; empty: none, so that a rule which names one does not fit."""
    service: str
    fields: Mapping[str, Any]
    """Flat: name → value, the product's own names."""
    categories: tuple[str, ...] = ()
    """Every category that the record counts under."""
    blind: frozenset[str] = frozenset()
    """Fields that this source can never supply, though rules of the category ask for them."""


@dataclass(frozen=True, slots=True)
class CategoryCase:
    """One item of ``logsource.category``."""

    test: Test | None
    get: Get
    """Gives a category or a list of them."""
    fields: tuple[tuple[str, Get], ...] = ()
    blind: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NativeView:
    """How the view is made of a decoded record."""

    product: str
    service: Get
    cases: tuple[CategoryCase, ...]
    under: tuple[Get, ...] = ()
    """Objects whose members are the fields (``winlog.event_data``); none: the record itself."""
    fields: tuple[tuple[str, Get], ...] = ()

    def of(self, row: Row) -> Native:
        """Return the view of a record."""
        fields: Mapping[str, Any]
        if self.under:
            merged: dict[str, Any] = {}
            for get in self.under:
                part = get(row)
                if isinstance(part, Mapping):
                    merged.update(part)
            fields = merged
        else:
            fields = row
        categories: list[str] = []
        added: list[tuple[str, Get]] = list(self.fields)
        blind: frozenset[str] = frozenset()
        for case in self.cases:
            if case.test is not None and not case.test(row):
                continue
            named = case.get(row)
            if named is None:
                continue
            categories.extend(named if isinstance(named, list) else [text_of(named)])
            added.extend(case.fields)
            blind |= case.blind
        flat = flatten(fields)
        if added:
            flat = dict(flat)
            for name, get in added:
                value = get(row)
                if value is not None:
                    flat[name] = value
        service = self.service(row)
        return Native(
            self.product,
            categories[0] if categories else "",
            "" if service is None else text_of(service),
            flat,
            tuple(categories),
            blind,
        )


def flatten(row: Row) -> Mapping[str, Any]:
    """Return nested objects under dotted names; blanks in names left out, as Sigma writes ``Threat Name`` as ThreatName.

    A record that is flat already is returned as it is.
    """
    if " " not in "".join(row):
        for value in row.values():
            if type(value) is dict:
                break
        else:
            return row
    flat: dict[str, Any] = {}
    stack: list[tuple[str, Row]] = [("", row)]
    while stack:
        prefix, part = stack.pop()
        for name, value in part.items():
            whole = prefix + name.replace(" ", "")
            if isinstance(value, dict):
                stack.append((whole + ".", value))
            else:
                flat.setdefault(whole, value)
    return flat
