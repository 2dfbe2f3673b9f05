"""The error tree. A domain error knows no HTTP; the faces map it.

::

    WatchwordError
    ├── ContentError          a file that a person wrote is wrong; carries every fault with path:line
    ├── InputError            a value that a caller gave is wrong; names the field
    │   └── TooLarge          it is longer than the bound that the settings set
    ├── NotFound              no such thing
    ├── Conflict              the thing has changed, or exists already
    ├── Forbidden             the caller may not
    │   └── ReasonRequired    the reading needs a reason first
    ├── Full                  the spool or the disk is full: refused, nothing dropped
    ├── Unavailable           an engine or peer does not answer
    └── Corrupt               stored bytes do not match their digest
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault in a file: where it is, what is wrong, what to do."""

    path: str
    line: int
    """Line number from 1; 0 when the whole file is meant."""
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return ``path:line: message. remedy``, as editors and people read it."""
        return f"{self.path}:{self.line}: {self.message}" + (f" ({self.remedy})" if self.remedy else "")


class WatchwordError(Exception):
    """Anything that Watchword refuses or fails at, in words for a person."""


class ContentError(WatchwordError):
    """A file that a person wrote has faults; all of them are listed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the faults in file order."""
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InputError(WatchwordError):
    """A value given by a caller is wrong."""

    def __init__(self, message: str, field: str = "") -> None:
        """Keep the field's name beside the message."""
        self.field = field
        super().__init__(message)


class TooLarge(InputError):
    """A value given by a caller is longer than its bound."""


class NotFound(WatchwordError):
    """There is no such thing."""


class Conflict(WatchwordError):
    """The thing has changed since it was read, or exists already."""


class Forbidden(WatchwordError):
    """The caller may not do this."""


class ReasonRequired(Forbidden):
    """The reading needs a reason, which is logged, before it is shown."""


class Full(WatchwordError):
    """The spool or the disk is full: the record was refused, nothing kept was dropped."""


class Unavailable(WatchwordError):
    """An engine or a peer does not answer."""


class Corrupt(WatchwordError):
    """Stored bytes do not match their digest."""
