"""What people say in an incident, and whom they mention."""

import re

from watchword.model import Team

_MENTION = re.compile(r"(?<![\w.@])@([a-z0-9][a-z0-9._-]{0,63})", re.IGNORECASE)
MOST = 20
"""So many are mentioned in one message at most: beyond, it is a crowd, and a page is the right tool."""
TEAMS = frozenset(team.value for team in Team)


def mentions(text: str) -> tuple[str, ...]:
    """Return the accounts and teams that a message mentions with ``@name``, lower case, in order, each once, at most `MOST`.

    A mail address is no mention, and a full stop that ends the sentence is not part of a name.
    """
    found = dict.fromkeys(match[1].lower().rstrip("._-") for match in _MENTION.finditer(text))
    return tuple(name for name in found if name)[:MOST]
