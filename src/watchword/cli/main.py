"""``watchword NOUN VERB``: the command face; results go to stdout, everything else to stderr.

Exit status: 0 done, 1 something was found wrong, 2 usage, 3 an engine or a file was out of reach.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from watchword import __version__
from watchword.cli.logs import log_to_stderr
from watchword.cli.opening import Chosen
from watchword.cli.output import say
from watchword.kit.errors import InputError, Unavailable, WatchwordError

DONE, WRONG, USAGE, NO_REACH = 0, 1, 2, 3
NOUNS: Final = (
    ("events", "The time line: what the sources reported."),
    ("findings", "What looks wrong, and why."),
    ("entities", "Who and what stands behind several findings."),
    ("incidents", "What people are working on."),
    ("runs", "Playbooks under way."),
    ("approvals", "Actions that wait for somebody's word."),
    ("pages", "Whom Watchword calls."),
    ("on-call", "Who is on duty."),
    ("sources", "Who sends records, and how well."),
    ("source", "Set up one source: try a mapping, add, make a token, parse again."),
    ("site", "Places, doors, readers, cameras, assets."),
    ("people", "People, their badges and accounts."),
    ("rules", "The detections that run."),
    ("mappings", "How sources' records become events."),
    ("playbooks", "What is done in an incident: check, exchange, sign, drill."),
    ("metrics", "What is measured: values with interval and grade, series, targets."),
    ("reviews", "Closures that somebody looks at again, blind."),
    ("gaming", "Whether a measure could be played: what the detectors ask the teams."),
    ("uptime", "Whether everything does its work, what was promised, and what is left of it."),
    ("controls", "Whether what security asks is evidenced to hold."),
    ("frameworks", "Catalogues, baselines and maps of controls."),
    ("risks", "What could happen, what it would cost a year, and whether that is borne."),
    ("budget", "Which safeguards to buy together, and which tools could go."),
    ("committees", "Bodies in which both sides decide: meetings, agendas, proposals, actions."),
    ("decisions", "What was decided, and what was expected of it."),
    ("policies", "What holds for both trades, and what follows it by itself."),
    ("after-actions", "What was learned from incidents: actions that were done, and that worked."),
    ("trace", "Why a thing is there, and what a decision did."),
    ("evidence", "What is kept of an incident, in whose hands, and whether a bundle is intact."),
    ("paper", "Runbooks for when systems are down, and reports, as PDF."),
    ("audit", "Who read or did what."),
    ("accounts", "Who may log in."),
    ("tokens", "Tokens for programs."),
)
"""Each noun is a module here with an `app`; a hyphen is an underscore there."""
LISTED: Final = frozenset(
    {
        "events",
        "findings",
        "incidents",
        "runs",
        "approvals",
        "pages",
        "on-call",
        "playbooks",
        "evidence",
        "committees",
        "decisions",
        "policies",
        "after-actions",
        "risks",
        "budget",
        "controls",
        "frameworks",
        "metrics",
        "uptime",
        "reviews",
        "gaming",
    }
    | {"sources", "people", "rules", "mappings", "audit", "accounts", "tokens"}
)
"""Nouns of which a list is what is asked for when no verb is."""
GLOBAL_OPTIONS: Final = ("--data", "--settings")


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


app = typer.Typer(
    name="watchword",
    help="One platform for IT security and physical security: events, findings, places, people.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _watchword(
    ctx: typer.Context,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The data folder (or WATCHWORD_DATA).")] = None,
    settings: Annotated[Path | None, typer.Option("--settings", metavar="FILE", help="The settings file, else watchword.toml.")] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")] = False,  # noqa: ARG001 - read by its callback
) -> None:
    ctx.obj = Chosen(data, settings)
    log_to_stderr(quiet=True)


def _add_commands() -> None:
    for noun, words in NOUNS:
        module = importlib.import_module(f"watchword.cli.{noun.replace('-', '_')}")
        app.add_typer(module.app, name=noun, help=words)
    for name in ("running", "ingest", "doctor"):
        importlib.import_module(f"watchword.cli.{name}").add_to(app)


_add_commands()


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the global options first, so that ``--data DIR`` may stand anywhere."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in GLOBAL_OPTIONS:
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        elif word.startswith(tuple(f"{option}=" for option in GLOBAL_OPTIONS)):
            front.append(word)
        else:
            rest.append(word)
    return front + _listed(rest)


def _listed(words: list[str]) -> list[str]:
    """Return the words with ``list`` put behind a noun that options follow at once: ``events --since 24h`` asks for the list."""
    asks = len(words) > 1 and words[0] in LISTED and words[1].startswith("-") and words[1] not in {"-h", "--help"}
    return [words[0], "list", *words[1:]] if asks else words


def exit_status(error: WatchwordError) -> int:
    """Return the exit status for an error."""
    if isinstance(error, InputError):
        return USAGE
    return NO_REACH if isinstance(error, Unavailable) else WRONG


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status."""
    try:
        status = app(hoisted(sys.argv[1:] if arguments is None else arguments), prog_name="watchword", standalone_mode=True)
    except WatchwordError as error:
        say(f"watchword: {error}")
        sys.exit(exit_status(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)
    except OSError as error:
        say(f"watchword: {error.filename or 'system'}: {error.strerror or error}")
        sys.exit(NO_REACH)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status or DONE)
