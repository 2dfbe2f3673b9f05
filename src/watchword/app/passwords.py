"""Passwords: argon2id hashes, and what a password must be."""

import secrets
import threading
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from watchword.kit.errors import InputError

LEAST_PASSWORD: Final = 12
MOST_PASSWORD: Final = 1_000


class Passwords:
    """Makes and checks argon2id hashes, at most two at a time, since each takes 64 MiB (RFC 9106's low-memory choice)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._gate = threading.BoundedSemaphore(2)

    @cached_property
    def _decoy(self) -> str:
        return self.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """Return the encoded argon2id hash."""
        with self._gate:
            return self._hasher.hash(password)

    def fits(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password fits; with no hash at all, work just as long and say no."""
        against = encoded or self._decoy
        with self._gate:
            try:
                self._hasher.verify(against, password[:MOST_PASSWORD])
            except (VerifyMismatchError, VerificationError, InvalidHashError):
                return False
        return encoded is not None

    def outdated(self, encoded: str) -> bool:
        """Tell whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(encoded)


def check_password(password: str, name: str) -> None:
    """Raise `InputError` (field ``password``) for one that is too short, too long or contains the account's name (NIST SP 800-63B)."""
    if len(password) < LEAST_PASSWORD:
        raise InputError(f"A password has at least {LEAST_PASSWORD} characters; a short sentence is easy to keep in mind", "password")
    if len(password) > MOST_PASSWORD:
        raise InputError(f"A password has at most {MOST_PASSWORD} characters", "password")
    if len(name) > 2 and name in password.lower():
        raise InputError("The password contains the account's name", "password")
    if len(set(password)) < 5:
        raise InputError("The password repeats the same few characters", "password")
