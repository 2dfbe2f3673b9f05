"""Framework files: OSCAL catalogues (JSON, XML), baselines, flat lists and maps of ids, as plain controls; the text is the importer's."""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from xml.etree import ElementTree as ET

from watchword.govern.crosswalk import MapRow, Relation
from watchword.kit.errors import ContentError, Fault

LARGEST: Final = 64 * 1024**2
"""Bytes of a file, unpacked: the largest that NIST publishes has 10 MB."""
DEEPEST: Final = 8
NS: Final = "{http://csrc.nist.gov/ns/oscal/1.0}"
KNOWN: Final[tuple[tuple[str, str], ...]] = (("800-53", "sp800-53"), ("cybersecurity framework", "csf-2.0"))
"""Words of a title → the short name of the framework."""
SELECTIONS: Final = ("low", "moderate", "high", "privacy")
MAP_COLUMNS: Final = ("source", "target", "relationship")


@dataclass(frozen=True, slots=True)
class Control:
    """One control, or the group that it stands in."""

    id: str
    title: str
    kind: str
    """group, control, enhancement, function, category, subcategory."""
    parent: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A catalogue: its controls in the order of the file."""

    name: str
    title: str
    version: str
    digest: str
    controls: tuple[Control, ...]

    def count(self, *kinds: str, withdrawn: bool = False) -> int:
        """Return how many controls of these kinds it holds."""
        return sum(each.kind in kinds and each.withdrawn is withdrawn for each in self.controls)


@dataclass(frozen=True, slots=True)
class Selection:
    """A baseline: the controls of a framework that it selects."""

    name: str
    framework: str
    title: str
    version: str
    digest: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MapFile:
    """A crosswalk between two frameworks."""

    source: str
    target: str
    digest: str
    rows: tuple[MapRow, ...]


Framework = Catalogue | Selection | MapFile


def read_framework(raw: bytes, name: str) -> Framework:
    """Read a framework file, gzipped or not: OSCAL catalogue or profile, CSF's flat list, or a map as CSV.

    Raises:
        ContentError: it is none of these, or is faulty.
    """
    if raw[:2] == b"\x1f\x8b":
        raw = _unpacked(raw, name)
    if len(raw) > LARGEST:
        raise _wrong(name, f"is larger than {LARGEST // 2**20} MiB")
    digest = sha256(raw).hexdigest()
    start = raw.lstrip()[:1]
    if start == b"<":
        return _xml(raw, name, digest)
    if start in {b"{", b"["}:
        return _json(raw, name, digest)
    return _map(raw, name, digest)


def _wrong(name: str, text: str, remedy: str = "") -> ContentError:
    return ContentError([Fault(name, 1, text, remedy)])


def _unpacked(raw: bytes, name: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            return file.read(LARGEST + 1)
    except (OSError, EOFError) as error:
        raise _wrong(name, f"cannot be unpacked: {error}") from error


def _named(title: str, name: str) -> str:
    """Return the short name of a framework by its title, else by its file."""
    for words, short in KNOWN:
        if words in title.lower():
            return short
    return re.sub(r"[^a-z0-9.]+", "-", (title or name).lower()).strip("-")[:64]


def _selected(title: str, name: str) -> str:
    """Return the name of the baseline that a title or a file's name speaks of, or ''."""
    for text in (title, name):
        for word in SELECTIONS:
            if re.search(rf"\b{word}\b", text.lower().replace("_", " ")) and "baseline" in text.lower():
                return word
    return ""


def _json(raw: bytes, name: str, digest: str) -> Framework:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _wrong(name, f"is no JSON: {error}") from error
    if isinstance(document, list):
        return _flat(document, name, digest)
    if isinstance(document.get("catalog"), dict):
        return _catalogue(document["catalog"], name, digest)
    if isinstance(document.get("profile"), dict):
        return _profile(document["profile"], name, digest)
    raise _wrong(name, "is no OSCAL catalogue or profile", "give a file with 'catalog' or 'profile' at its top; skills are no controls")


def _catalogue(catalog: Mapping[str, Any], name: str, digest: str) -> Catalogue | Selection:
    head = catalog.get("metadata", {})
    title, version = str(head.get("title", "")), str(head.get("version", ""))
    controls = tuple(_group(catalog, "", 0))
    if not controls:
        raise _wrong(name, "holds no controls")
    found = Catalogue(_named(title, name), title, version, digest, controls)
    baseline = _selected(title, name)
    if baseline and "resolved" in name.lower() + title.lower():
        ids = tuple(each.id for each in controls if each.kind != "group" and not each.withdrawn)
        return Selection(baseline, found.name, title, version, digest, ids)
    return found


def _group(node: Mapping[str, Any], parent: str, depth: int) -> Iterator[Control]:
    if depth > DEEPEST:
        return
    for group in node.get("groups", ()):
        uid = str(group.get("id", ""))
        yield Control(
            uid, str(group.get("title", "")), str(group.get("class", "")) if group.get("class") == "function" else "group", parent
        )
        yield from _group(group, uid, depth + 1)
    for control in node.get("controls", ()):
        yield from _control(control, parent, depth, enhancement=False)


def _control(control: Mapping[str, Any], parent: str, depth: int, *, enhancement: bool) -> Iterator[Control]:
    uid = str(control.get("id", ""))
    props = control.get("props", ())
    withdrawn = any(each.get("name") == "status" and str(each.get("value", "")).lower() == "withdrawn" for each in props)
    shape = str(control.get("class", ""))
    kind = shape if shape in {"function", "category", "subcategory"} else "enhancement" if enhancement else "control"
    yield Control(uid, str(control.get("title", "")), kind, parent, withdrawn)
    if depth < DEEPEST:
        for below in control.get("controls", ()):
            yield from _control(below, uid, depth + 1, enhancement=True)


def _profile(profile: Mapping[str, Any], name: str, digest: str) -> Selection:
    head = profile.get("metadata", {})
    title = str(head.get("title", ""))
    ids = [
        str(uid)
        for part in profile.get("imports", ())
        for included in part.get("include-controls", ())
        for uid in included.get("with-ids", ())
    ]
    if not ids:
        raise _wrong(name, "selects no control by id")
    called = _selected(title, name) or _named(title, name)
    return Selection(called, _named(title, name), title, str(head.get("version", "")), digest, tuple(dict.fromkeys(ids)))


def _flat(rows: list[Any], name: str, digest: str) -> Catalogue:
    needed = {"id", "kind", "active"}
    if not rows or not all(isinstance(row, dict) and needed <= row.keys() for row in rows):
        raise _wrong(name, "is no flat list of controls", "give rows with id, kind, title and active")
    controls = []
    for row in rows:
        parent = {"subcategory": row.get("category", ""), "category": row.get("function", "")}.get(row["kind"], "")
        controls.append(Control(str(row["id"]), str(row.get("title") or row["id"]), str(row["kind"]), str(parent), not row["active"]))
    return Catalogue(_named("Cybersecurity Framework" if "csf" in name.lower() else "", name), "", "", digest, tuple(controls))


def _xml(raw: bytes, name: str, digest: str) -> Catalogue:
    if re.search(rb"<!(DOCTYPE|ENTITY)", raw[:4096] + raw[-4096:]) or b"<!ENTITY" in raw:
        raise _wrong(name, "declares entities", "give a plain OSCAL catalogue")
    try:
        root = ET.fromstring(raw)  # noqa: S314 - entities were refused above
    except ET.ParseError as error:
        raise _wrong(name, f"is no XML: {error}") from error
    if root.tag != f"{NS}catalog":
        raise _wrong(name, f"is no OSCAL catalogue: its top is {root.tag!r}")
    title = (root.findtext(f"{NS}metadata/{NS}title") or "").strip()
    version = (root.findtext(f"{NS}metadata/{NS}version") or "").strip()
    found = list(_element(root, "", 0))
    called = _named(title, name)
    if called == "csf-2.0":
        found = _marked_by_examples(root, found)
    return Catalogue(called, title, version, digest, tuple(found))


def _element(node: ET.Element, parent: str, depth: int) -> Iterator[Control]:
    if depth > DEEPEST:
        return
    for child in node:
        kind = child.tag.removeprefix(NS)
        if kind not in {"group", "control"}:
            continue
        uid, shape = child.get("id", ""), child.get("class", "")
        withdrawn = any(p.get("name") == "status" and (p.get("value") or "").lower() == "withdrawn" for p in child.findall(f"{NS}prop"))
        word = (
            shape
            if shape in {"function", "category", "subcategory"}
            else "enhancement"
            if depth and kind == "control" and _inner(node)
            else kind
        )
        yield Control(uid, " ".join((child.findtext(f"{NS}title") or "").split()), word, parent, withdrawn)
        yield from _element(child, uid, depth + 1)


def _inner(node: ET.Element) -> bool:
    return node.tag == f"{NS}control"


def _marked_by_examples(root: ET.Element, found: list[Control]) -> list[Control]:
    """Mark what CSF's first release does not: a subcategory without an implementation example is withdrawn, a category of such ones too."""
    if any(each.withdrawn for each in found):
        return found
    living = {
        control.get("id", "")
        for control in root.iter(f"{NS}control")
        if any(part.get("name") == "example" for part in control.findall(f"{NS}part"))
    }
    above = {uid.rpartition("-")[0] for uid in living}
    alive = {"subcategory": living, "category": above}
    return [
        Control(each.id, each.title, each.kind, each.parent, withdrawn=each.kind in alive and each.id not in alive[each.kind])
        for each in found
    ]


def _map(raw: bytes, name: str, digest: str) -> MapFile:
    try:
        rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _wrong(name, f"is neither OSCAL nor CSV: {error}") from error
    if not rows or not set(MAP_COLUMNS) <= set(rows[0]):
        raise _wrong(name, "is no framework file", f"give an OSCAL file, or a CSV with the columns {', '.join(MAP_COLUMNS)}")
    faults: list[Fault] = []
    found: dict[tuple[str, str], MapRow] = {}
    for line, row in enumerate(rows, 2):
        source, target, word = ((row.get(key) or "").strip() for key in MAP_COLUMNS)
        if not source or not target or word not in set(Relation):
            faults.append(Fault(name, line, "needs a source, a target and a relation", f"one of: {', '.join(Relation)}"))
        else:
            found[source, target] = MapRow(source, target, Relation(word))
    if faults:
        raise ContentError(faults[:50])
    first, second = _ends(name, rows[0])
    return MapFile(first, second, digest, tuple(found.values()))


def _ends(name: str, row: Mapping[str, str]) -> tuple[str, str]:
    """Return the frameworks that a map joins: by the file's name ``map_A_to_B.csv``, else by the shape of its ids."""
    shapes = (
        (r"[A-Z]{2}\.[A-Z]{2}(-\d+)?", "csf-2.0"),
        (r"[a-z]{2}-\d+(\.\d+)?", "sp800-53"),
        (r"A\.\d+(\.\d+)*|\d+(\.\d+)*", "iso27001-2022"),
    )
    ends = [next((short for shape, short in shapes if re.fullmatch(shape, row[key].strip())), "") for key in MAP_COLUMNS[:2]]
    named = re.fullmatch(r"map_(.+)_to_(.+)\.csv", name)
    return ends[0] or (named[1] if named else "unknown"), ends[1] or (named[2] if named else "unknown")
