"""Typesetting: data becomes PDF by templates of ours; whatever the data says is printed as it stands, never read as markup."""

import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from watchword.kit.clock import to_ms
from watchword.kit.errors import WatchwordError

TEMPLATES: Final = Path(__file__).parents[1] / "content" / "paper"
LONGEST_WORD: Final = 16
"""Characters after which a word may be broken: else a hash or a hostile text runs off the page."""
LONGEST: Final = 120.0
"""Seconds that one paper may take."""
PROGRAM: Final = """
import json, sys, typst
asked = json.load(sys.stdin)
inputs = {"data": asked["data"]}
pdf = typst.compile(asked["template"], root=asked["root"], format="pdf", sys_inputs=inputs, timestamp=asked["timestamp"])
sys.stdout.buffer.write(pdf)
"""
"""Done in a process of its own: a timeline of thousands of entries takes hundreds of megabytes, which go with it."""
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
    said = json.dumps({**printed(data), **(verbatim or {})}, ensure_ascii=False)
    asked = {"template": str(TEMPLATES / f"{template}.typ"), "root": str(TEMPLATES), "timestamp": to_ms(made_at) // 1000, "data": said}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and a program of ours; what people write goes in as data
            [sys.executable, "-c", PROGRAM], input=json.dumps(asked).encode(), capture_output=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise WatchwordError(f"the paper {template!r} was not set within {LONGEST:.0f} s: print less at once") from error
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        raise WatchwordError(f"the paper {template!r} cannot be set: {done.stderr.decode('utf-8', 'replace')[-300:]}")
    return done.stdout
