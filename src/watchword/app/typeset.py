"""Typesetting: data becomes PDF by templates of ours; whatever the data says is printed as it stands, never read as markup."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst

from watchword.kit.clock import to_ms
from watchword.kit.errors import WatchwordError

TEMPLATES: Final = Path(__file__).parents[1] / "content" / "paper"
LONGEST_WORD: Final = 16
"""Characters after which a word may be broken: else a hash or a hostile text runs off the page."""
BREAK: Final = "\N{ZERO WIDTH SPACE}"
_LONG: Final = re.compile(rf"\S{{{LONGEST_WORD}}}(?=\S)")


def printed(value: Any) -> Any:
    """Return data fit for paper: control and direction characters are shown as such, long words may be broken."""
    if isinstance(value, str):
        shown = "".join(char if char == "\n" or unicodedata.category(char)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for char in value)
        return _LONG.sub(lambda word: word.group() + BREAK, shown)
    if isinstance(value, Mapping):
        return {key: printed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [printed(each) for each in value]
    return value


def typeset(template: str, data: Mapping[str, Any], made_at: datetime, *, verbatim: Mapping[str, str] | None = None) -> bytes:
    """Return a PDF.

    Args:
        template: name of a template of ours, without suffix.
        data: what it prints.
        made_at: the file's date.
        verbatim: what is no text for people, as a picture is.

    Raises:
        WatchwordError: it cannot be set.
    """
    inputs = {"data": json.dumps({**printed(data), **(verbatim or {})}, ensure_ascii=False)}
    try:
        return typst.compile(
            TEMPLATES / f"{template}.typ", root=TEMPLATES, format="pdf", sys_inputs=inputs, timestamp=to_ms(made_at) // 1000
        )
    except (typst.TypstError, RuntimeError) as error:
        raise WatchwordError(f"the paper {template!r} cannot be set: {str(error)[:300]}") from error
