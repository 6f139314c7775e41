"""The structured log: one JSON object a line, with the request's identity, sensitive values masked."""

import logging.config
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

SENSITIVE = ("password", "secret", "token", "authorization", "cookie", "signature", "api_key")
MASK = "***"


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values whose names say that they are nobody's business."""
    for name in event:
        if any(word in name.lower() for word in SENSITIVE):
            event[name] = MASK
    return event


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.format_exc_info,
    structlog.processors.UnicodeDecoder(),
    mask,
]


def logging_config(level: str, *, beside: Path | None = None) -> dict[str, Any]:
    """Django's LOGGING for this level; with a file `beside`, all goes there and only warnings to stderr."""
    stderr: dict[str, Any] = {"class": "logging.StreamHandler", "formatter": "json"}
    handlers = {"stderr": stderr}
    if beside is not None:
        stderr["level"] = "WARNING"
        handlers["file"] = {
            "class": "logging.FileHandler",
            "filename": str(beside),
            "delay": True,
            "formatter": "json",
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(sort_keys=True),
                ],
            }
        },
        "handlers": {**handlers, "nowhere": {"class": "logging.NullHandler"}},
        "root": {"handlers": list(handlers), "level": level},
        "loggers": {
            # Django's own handler would print a second, unstructured copy.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # Each job is already told by the job itself.
            "django-q": {"handlers": [], "level": "WARNING", "propagate": True},
            # Styles that have no meaning on paper are no news; missing fonts and files are errors.
            "weasyprint": {"level": "ERROR"},
            "fontTools": {"level": "ERROR"},
            # Its lines may hold the secrets of chat addresses, so they go nowhere: tenants.chat_addresses
            # takes a number from them, and the outbox tells what came of a message.
            "apprise": {"handlers": ["nowhere"], "level": "WARNING", "propagate": False},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Set up the standard library's logging and structlog alike."""
    logging.config.dictConfig(config)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
