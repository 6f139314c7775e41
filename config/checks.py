"""The house rule that a program can hold: every view states who may reach it."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

OUR_PACKAGES = ("config", "audit", "tenants", "governance", "demo")


@register()
def check_access_rules(**_options: Any) -> list[CheckMessage]:
    """Refuse a view of ours that carries no access rule."""
    return list(missing_rules(get_resolver()))


def missing_rules(resolver: URLResolver, prefix: str = "") -> Iterator[Error]:
    """An error for each view of ours at or below this resolver that carries no access rule."""
    for entry in resolver.url_patterns:
        path = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLResolver):
            yield from missing_rules(entry, path)
        elif _is_ours(entry) and not _has_rule(entry.callback):
            yield Error(
                f"The view {_name(entry)} at /{path} states no access rule.",
                hint="Decorate it with @requires(...), @signed_in or @public(...) of config.access.",
                id="plumbline.E001",
            )


def _has_rule(view: Any) -> bool:
    """Whether the view, or the class that it was made from, carries a rule that isn't empty."""
    made_from = getattr(view, "view_class", None) or getattr(view, "cls", None)
    return bool(getattr(view, "access_rule", None) or getattr(made_from, "access_rule", None))


def _is_ours(entry: URLPattern) -> bool:
    return entry.callback.__module__.split(".", 1)[0] in OUR_PACKAGES


def _name(entry: URLPattern) -> str:
    view = entry.callback
    return f"{view.__module__}.{getattr(view, '__qualname__', type(view).__name__)}"
