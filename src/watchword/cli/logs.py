"""Logs of commands: always to stderr, as lines for people at a terminal, as one JSON object a line for everything else."""

import logging
import os
import sys
from typing import Any


def log_to_stderr(*, quiet: bool = False) -> None:
    """Set logs up; a quiet command says warnings and errors only."""
    import structlog

    terminal = sys.stderr.isatty()
    render: Any = structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ) if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
