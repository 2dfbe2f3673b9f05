"""Secrets that stand in a playbook in clear: where they are, and the playbook without them, asking for a reference in their place."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from watchword.respond.json_text import Key
from watchword.respond.lint_report import items, objects, pointer_text, word
from watchword.respond.variables import has_reference

SECRET_MEMBERS: Final = ("password", "token", "oauth_header")
REQUIRED: Final = frozenset({"token", "oauth_header"})
"""Members that the schema asks for: they are emptied, not taken out."""
SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
_USERINFO: Final = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)[^/?#\s@]*:[^/?#\s@]+@")

Found = tuple[tuple[Key, ...], str]
"""The pointer to a secret, and what it is in words."""


def clear_secrets(playbook: Mapping[str, Any]) -> Iterator[Found]:
    """Yield where secrets stand in clear: in authentication information without a key store, in addresses, in headers that carry them."""
    for identifier, info in objects(playbook, "authentication_info_definitions").items():
        for name in SECRET_MEMBERS if info.get("kms") is not True else ():
            if word(info, name) and not has_reference(word(info, name)):
                yield ("authentication_info_definitions", identifier, name), f"{name} stands in clear; name it by kms_key_identifier"
    for member in ("agent_definitions", "target_definitions"):
        for identifier, agent in objects(playbook, member).items():
            yield from _in_address(agent, (member, identifier))
    for identifier, step in objects(playbook, "workflow").items():
        for place, command in enumerate(items(step, "commands")):
            yield from _in_command(command, ("workflow", identifier, "commands", place))


def _in_address(agent: Mapping[str, Any], at: tuple[Key, ...]) -> Iterator[Found]:
    for place, url in enumerate(items(agent.get("address"), "url")):
        if isinstance(url, str) and has_password(url):
            yield (*at, "address", "url", place), "the address holds a password; name it by authentication_info"


def _in_command(command: Any, at: tuple[Key, ...]) -> Iterator[Found]:
    line = word(command, "command")
    if word(command, "type") in ("http-api", "openc2-http") and has_password(line):
        yield (*at, "command"), "the request line holds a password; name it by authentication_info"
    headers = command.get("headers") if isinstance(command, dict) else None
    for name in headers if isinstance(headers, dict) else ():
        if name.lower() in SECRET_HEADERS:
            for place, one in enumerate(items(headers, name)):
                if isinstance(one, str) and one and not has_reference(one):
                    yield (*at, "headers", name, place), f"the header {name[:40]} stands in clear; name it by authentication_info"


def has_password(text: str) -> bool:
    """Tell whether a text holds a URL with a password that is not a variable."""
    found = _USERINFO.search(text)
    return found is not None and not has_reference(found[0])


def without_secrets(playbook: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a copy without secrets in clear, and the JSON pointers of what was cut out; lint then says which references are missing."""
    found = [pointer for pointer, _ in clear_secrets(playbook)]
    kept: dict[str, Any] = copy.deepcopy(dict(playbook)) if found else dict(playbook)
    for pointer in found:
        holder: Any = kept
        for key in pointer[:-1]:
            holder = holder[key]
        name = pointer[-1]
        if pointer[0] == "authentication_info_definitions" and name not in REQUIRED:
            del holder[name]
        elif "headers" in pointer or name in REQUIRED:
            holder[name] = ""
        else:
            holder[name] = _USERINFO.sub(r"\g<scheme>", holder[name])
    return kept, tuple(pointer_text(pointer) for pointer in found)
