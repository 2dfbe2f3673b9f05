"""Scrubbing: PINs, passwords and tokens are replaced before a record is written; the mark left in their place says where they stood."""

import re
from collections.abc import Sequence
from typing import Final

MARK: Final = b"[scrubbed]"
"""What stands where a secret stood; a record is searched for it to list the scrubbed places."""

_NAMES = (
    rb"pin|pin_?code|pin_?number|user_?code|pass_?code|pass_?word|passwd|passphrase|secret|client_?secret|token|access_?token|"
    rb"refresh_?token|id_?token|session_?token|api_?key|private_?key|authorization|cookie|face_?vector|embedding|template_?data|fingerprint_?template"
)
_STEMS: Final = (b"pin", b"code", b"pass", b"secret", b"token", b"key", b"authoriz", b"cookie", b"vector", b"embedding", b"template")
_JSON = re.compile(rb'("(?:' + _NAMES + rb')"\s*:\s*)(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|\[[^\[\]{}"]*\])', re.IGNORECASE)
_JSON_NAME = re.compile(rb'"(?:' + _NAMES + rb')"\s*:')
"""For text in small letters: a case-blind search costs ten times as much."""
_TEXT = re.compile(
    rb"(?<![\w.-])((?:" + _NAMES + rb')\s?[=:]\s?)("(?:[^"\\]|\\.)*"|(?:Bearer|Basic)\s+\S+|[^\s,;|"\[]+)',
    re.IGNORECASE,
)


def scrub(body: bytes) -> bytes:
    """Return the record without secrets: the values of keys named like a PIN, password, token or biometric sample.

    In JSON, the whole value of such a key is replaced (texts that merely mention one are evidence and stay); in other text, the word
    after ``name=`` or ``name:``.
    """
    folded = body.lower()
    if not _has_stem(folded):
        return body
    if body[:1] in (b"{", b"["):
        if _JSON_NAME.search(folded) is None:
            return body
        return _JSON.sub(rb'\1"' + MARK + b'"', body)
    return _TEXT.sub(rb"\1" + MARK, body)


def scrub_all(bodies: Sequence[bytes]) -> Sequence[bytes]:
    """Return the records without secrets, as `scrub`: what holds no such word anywhere is looked through once, as a whole."""
    if not _has_stem(b"\n".join(bodies).lower()):
        return bodies
    return [scrub(body) for body in bodies]


def _has_stem(folded: bytes) -> bool:
    for stem in _STEMS:  # noqa: SIM110 - this loop runs for every record; a generator costs twice as much
        if stem in folded:
            return True
    return False


SECRET_NAME: Final = re.compile(rb"(?:" + _NAMES + rb")\Z", re.IGNORECASE)
"""Fits the name of a column whose values are never kept."""
