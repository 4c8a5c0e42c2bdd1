"""Log lines of this package: structlog's events, delivered through the standard library's `logging`.

    log = get_logger("tws.connection")
    log.warning("not connected", stage="dial", cause="refused")

A program that configures nothing sees warnings and worse on stderr, never anything on stdout; one that
configures `logging` decides for itself, by the names below "tws". structlog's own global configuration is the
program's, not ours, and is left alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

__all__ = ["get_logger", "log_to"]


def get_logger(name: str) -> Any:
    """A logger whose methods take an event and its facts as keywords."""
    return structlog.wrap_logger(
        logging.getLogger(name),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            _line,
        ],
    )


def _line(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    """What happened, then its facts as name=value."""
    trace = event.pop("exception", "")
    words = [str(event.pop("event")), *(f"{name}={value!r}" for name, value in event.items())]
    return "\n".join(filter(None, (" ".join(words), trace)))


def log_to(stream: TextIO, level: int) -> None:
    """For a command: lines of `level` and above go to `stream`, with their time in UTC; once per process."""
    logger = logging.getLogger("tws")
    handler = logging.StreamHandler(stream)
    form = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-8s %(name)s %(message)s")
    form.converter, form.datefmt = time.gmtime, "%Y-%m-%d %H:%M:%S"  # UTC, as reports and journal
    handler.setFormatter(form)
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
