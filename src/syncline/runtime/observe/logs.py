"""Structured logs: one JSON object per line, or coloured text when a person is watching."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from syncline.runtime.observe.correlation import correlation_id
from syncline.runtime.observe.redaction import redact_event


def add_correlation(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: the correlation id of this context, where the line does not carry its own."""
    current = correlation_id()
    if current is not None:
        event.setdefault("correlation_id", current)
    return event


def configure(*, level: str = "INFO", pretty: bool | None = None, stream: TextIO | None = None) -> None:
    """Sends structlog and the standard library's logging to `stream` (stderr), in one form.

    `pretty` None means: text when the stream is a terminal, JSON when it is not. Standard output is left to commands.
    """
    target = stream if stream is not None else sys.stderr
    as_text = target.isatty() if pretty is None else pretty
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_correlation,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_final_steps(as_text=as_text))
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # These say at INFO what our own lines say better: each request, each statement, each migration step.
    for chatty in ("httpx", "httpcore", "alembic", "uvicorn.access", "uvicorn.error", "sqlalchemy.engine", "pgqueuer"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def _final_steps(*, as_text: bool) -> list[Processor]:
    strip: Processor = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_text:
        # The traceback is rendered as plain text first, so that redaction sees it too.
        return [strip, structlog.processors.format_exc_info, redact_event, structlog.dev.ConsoleRenderer()]
    return [
        strip,
        structlog.processors.format_exc_info,
        redact_event,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module: `log = get_logger(__name__)`, then `log.info("pull finished", run_id=..., rows=...)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
