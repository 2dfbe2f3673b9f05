"""Sigma: rules compiled once, matched against records under their product's own names, routed by logsource and event id."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from watchword.detect.finding_text import event_parts, make_finding
from watchword.detect.sigma_load import LoadReport, SigmaEntry, SigmaLoader
from watchword.detect.sigma_tree import DISCRIMINATOR, reasons
from watchword.detect.sigma_values import View
from watchword.ingest.native import Native
from watchword.model import Event, Finding
from watchword.model.ocsf import EventClass, is_physical
from watchword.resolve.directory import Directory

__all__ = ["LoadReport", "SigmaEntry", "SigmaSet", "check", "load_sigma", "own_view"]

OWN_PRODUCT = "watchword"
OWN_CATEGORIES: Mapping[int, str] = {
    EventClass.PHYSICAL_ACCESS: "physical_access",
    EventClass.ALARM_SIGNAL: "alarm",
    EventClass.ALARM_DISPOSITION: "alarm",
    EventClass.VISITOR: "visitor",
    EventClass.VIDEO_ANALYTIC: "video",
    EventClass.BUILDING_CONTROL: "building",
    EventClass.DEVICE_HEALTH: "device_health",
}
"""Categories of rules that are written for our own events: ``logsource: {product: watchword, category: …}``."""
_REASONS = 2


class SigmaSet:
    """The loaded rules, routed by logsource and event id."""

    def __init__(self, report: LoadReport) -> None:
        """Take what was loaded."""
        self.report = report
        self.loaded, self.rejected, self.warnings = report.loaded, report.rejected, report.warnings
        self._by_logsource: dict[tuple[str, str, str], list[SigmaEntry]] = {}
        for entry in report.loaded:
            self._by_logsource.setdefault((entry.product, entry.category, entry.service), []).append(entry)
        self._routes: dict[tuple[str, frozenset[str], str], _Route] = {}
        self.unrouted = 0
        """Records that had no logsource, or one that no rule is for."""

    def match(self, native: Native) -> list[SigmaEntry]:
        """Return the rules that match a record, by id."""
        route = self._route(native)
        if not route.entries:
            self.unrouted += 1
            return []
        view = View(native.fields)
        return [entry for entry in route.candidates(view) if entry.matches(view)]

    def finding(self, entry: SigmaEntry, event: Event, directory: Directory, native: Native | None = None) -> Finding:
        """Return the finding of a match. With the record, the sentence names what was found."""
        rule = entry.rule
        parts = event_parts(event, directory)
        parts["title"] = rule.title
        who = f" by {parts['person']}" if event.person else ""
        where = parts["asset"] if event.asset or not event.place else parts["place"]
        found = blindness = ""
        if native is not None:
            view = View(native.fields)
            says = [says for tree in entry.trees if tree.holds(view) for says, _ in reasons(tree, view)]
            found = f"Seen: {'; '.join(dict.fromkeys(says[:_REASONS]))}." if says else ""
            blind = sorted(native.blind & frozenset().union(*(tree.fields for tree in entry.trees)))
            blindness = f"The source cannot supply {', '.join(blind)}, so that was not checked." if blind else ""
        author = f"Sigma rule by {rule.author}." if rule.author else ""
        sentence = f"{rule.title}: on {where}{who}, {parts['time']}."
        return make_finding(
            rule,
            [event],
            directory,
            because="{sentence}",
            parts={"sentence": sentence},
            notes=tuple(note for note in (found, blindness, author) if note),
        )

    def _route(self, native: Native) -> "_Route":
        categories = frozenset(native.categories or ((native.category,) if native.category else ()))
        key = (native.product, categories, native.service)
        route = self._routes.get(key)
        if route is None:
            if len(self._routes) > 10_000:  # services may come from records: keep the cache bounded
                self._routes.clear()
            route = self._routes[key] = _Route(list(self._entries(*key)))
        return route

    def _entries(self, product: str, categories: frozenset[str], service: str) -> Iterator[SigmaEntry]:
        if not product and not categories and not service:
            return
        for one_product in {"", product}:
            for category in {"", *categories}:
                for one_service in {"", service}:
                    yield from self._by_logsource.get((one_product, category, one_service), ())


class _Route:
    """The rules of one logsource, by the event ids that they pin."""

    __slots__ = ("_by_id", "_free", "entries")

    def __init__(self, entries: list[SigmaEntry]) -> None:
        self.entries = sorted(entries, key=lambda entry: entry.id)
        self._free = [entry for entry in self.entries if entry.pins() is None]
        self._by_id: dict[str, list[SigmaEntry]] = {}
        for value in {value for entry in self.entries for value in entry.pins() or ()}:
            self._by_id[value] = [entry for entry in self.entries if (pins := entry.pins()) is None or value in pins]

    def candidates(self, view: View) -> list[SigmaEntry]:
        """Return the rules that a record with this event id can match."""
        values = view.lowered(DISCRIMINATOR)
        if len(values) == 1:
            return self._by_id.get(values[0], self._free)
        return self.entries if values else self._free


def own_view(event: Event) -> Native | None:
    """Return how rules for ``product: watchword`` see one of our own physical events; None for events of other products."""
    if not is_physical(event.class_uid):
        return None
    fields = {**event.data, "class_uid": event.class_uid, "activity_id": event.activity_id, "severity_id": event.severity_id}
    fields |= {"ww_person_uid": event.person or None, "ww_asset_uid": event.asset or None}
    fields |= {"ww_place_uid": event.place or None, "ww_site_uid": event.site or None}
    return Native(OWN_PRODUCT, OWN_CATEGORIES.get(event.class_uid, ""), "", fields)


def load_sigma(files: Iterable[tuple[str, str]], lists: Mapping[str, Iterable[str]] | None = None) -> SigmaSet:
    """Load rule files.

    Args:
        files: (path, text) of each; a file may hold several documents.
        lists: Values for ``%placeholders%`` of ``expand``, by name.
    """
    loader = SigmaLoader({name: tuple(values) for name, values in (lists or {}).items()})
    for path, text in files:
        loader.take(path, text)
    return SigmaSet(loader.report())


def check(paths: Iterable[Path], lists: Mapping[str, Iterable[str]] | None = None) -> LoadReport:
    """Read every ``.yml`` and ``.yaml`` file at or below the paths, and report what became of each document."""
    files: list[tuple[str, str]] = []
    for path in paths:
        found = sorted(item for item in path.rglob("*") if item.suffix in {".yml", ".yaml"}) if path.is_dir() else [path]
        files.extend((str(item), item.read_text("utf-8", "replace")) for item in found)
    return load_sigma(files, lists).report
