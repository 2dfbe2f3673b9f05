"""Occurrences: which repetition of the same bytes a record is within one delivery, counted in bounded memory."""

from hashlib import blake2b
from typing import Final

EXACT_BOUND: Final = 1_000_000
"""Up to so many different records a delivery is counted exactly (about 100 MB); beyond, through a bitmap of 32 MB."""
BITS: Final = 1 << 28
"""Bits of the map: 32 MB."""


class Occurrences:
    """Numbers equal records of one delivery 0, 1, 2 …; the same delivery sent again is numbered the same.

    Beyond `EXACT_BOUND` a record that only seems to have come before (about 1 in 30 at ten million) gets a number one too high: it is
    kept all the same, and numbered alike when the file is resent.
    """

    def __init__(self, exact: int = EXACT_BOUND, bits: int = BITS) -> None:
        """Take how many different records are counted exactly, and how many bits the map beyond has."""
        self._exact = exact
        self._bits = bits
        self._seen: set[int] = set()
        self._again: dict[int, int] = {}
        self._bitmap: bytearray | None = None

    def count(self, body: bytes) -> int:
        """Return how many equal records came before this one."""
        key = int.from_bytes(blake2b(body, digest_size=8).digest(), "big")
        if not self._is_seen(key):
            return 0
        number = self._again.get(key, 0) + 1
        self._again[key] = number
        return number

    def _is_seen(self, key: int) -> bool:
        if key in self._seen:
            return True
        if len(self._seen) < self._exact:
            self._seen.add(key)
            return False
        if self._bitmap is None:
            self._bitmap = bytearray(self._bits // 8)
        byte, bit = (key % self._bits) >> 3, 1 << (key & 7)
        seen = bool(self._bitmap[byte] & bit)
        self._bitmap[byte] |= bit
        return seen
