"""JSON in deliveries: lines, an array or a single object are cut into records whose bytes are kept as sent."""

from collections.abc import Iterator
from typing import Final

import orjson

from watchword.kit.errors import InputError

MAX_RECORDS: Final = 50_000
"""Records taken of one delivery that comes as a whole."""
_BLANK: Final = b" \t\r\n"


def cut_delivery(body: bytes) -> list[bytes]:
    """Return the records of a webhook body: one JSON object, an array of objects, or one object per line (NDJSON).

    Lines and single objects are kept byte for byte; the items of an array are written anew, one by one, with their keys in order.
    A line that is no JSON is kept as well: it becomes a record that cannot be read, and is counted.

    Raises:
        InputError: the body is empty, or an array that is no JSON, or holds too many records.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip(_BLANK)
    if not text:
        raise InputError("the body is empty; send one JSON object, an array, or one object per line", "body")
    if text.startswith(b"["):
        try:
            items = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise InputError(f"the body starts as a JSON array but is no valid JSON: {error}", "body") from None
        records = [orjson.dumps(item) for item in items]
    elif b"\n" not in text or _is_one(text):
        records = [text]
    else:
        records = list(cut_lines(text))
    if len(records) > MAX_RECORDS:
        raise InputError(f"the body holds {len(records)} records, at most {MAX_RECORDS} are taken at once; send it in parts", "body")
    return records


def cut_lines(text: bytes) -> Iterator[bytes]:
    """Return the non-empty lines, without line ends."""
    for line in text.split(b"\n"):
        record = line.strip(b"\r \t")
        if record:
            yield record


def _is_one(text: bytes) -> bool:
    """Tell whether text of several lines is one object, laid out for reading."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
