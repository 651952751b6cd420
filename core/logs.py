"""Structured logs: one JSON object per line, ids and codes only. No line holds personal data."""

from __future__ import annotations

import logging
import sys

import structlog

from core.settings import settings


def set_up_logs() -> None:
    """Make this process log JSON to stderr, our own lines and those of libraries, from the level set.

    Libraries log their event without the traceback: an exception's text may hold personal data
    (security.md F5, F6).
    """
    level = own_logs_to_stderr()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_NoPersonalData())
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def own_logs_to_stderr() -> int:
    """Our own lines as JSON on stderr (a command's stdout is its answer); returns the level in force."""
    level = logging.getLevelNamesMapping()[settings().log_level]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    return level


class _NoPersonalData(logging.Formatter):
    """A library's line as JSON: where it came from and the error's class, not its arguments or text."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        line = {
            "event": "library",
            "logger": record.name,
            "level": record.levelname.lower(),
            "line": f"{record.module}:{record.lineno}",
            "error": error,
        }
        rendered = structlog.processors.JSONRenderer()(None, "", line)
        return rendered if isinstance(rendered, str) else rendered.decode()
