"""Apart: a deed that needs the whole house is done in a short-lived child, so that whoever stays behind to supervise stays small."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from watchword.kit.errors import WatchwordError


def apart(deed: Callable[[], Any]) -> Any:
    """Do it in a forked child and return its answer, which must be JSON; what it imports and allocates goes with the child.

    Call it while no thread runs. An error of the domain is said by the child; the process then ends with the child's status.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(deed, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(os.waitstatus_to_exitcode(status))
    return json.loads(said)


def _answer(deed: Callable[[], Any], writing: int) -> None:
    """Do it, write the answer and end this process, whatever happens: never return into the parent's code."""
    from watchword.cli.main import exit_status
    from watchword.cli.output import say

    status = 1
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(deed()).encode())
        status = 0
    except WatchwordError as error:
        say(f"watchword: {error}")
        status = exit_status(error)
    except KeyboardInterrupt:
        status = 130
    except BaseException:  # noqa: BLE001 - its end is the process's end
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
