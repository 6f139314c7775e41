"""Which chat services messages may go to, and at which hosts of one's own: what the operator allows."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from config.env import env

# Services that apprise reaches at addresses of their own, whatever a person enters.
HOSTED = frozenset(
    {
        "dingtalk",
        "discord",
        "feishu",
        "gchat",
        "lark",
        "line",
        "pover",
        "slack",
        "tgram",
        "twist",
        "wecombot",
        "wxteams",
    }
)
# Services at a host that the person enters: only the hosts that the operator names are ever called.
SELF_HOSTED = frozenset(
    {
        *("gotify", "gotifys", "json", "jsons", "matrix", "matrixs", "mmost", "mmosts"),
        *("nctalk", "nctalks", "ntfy", "ntfys", "rocket", "rockets", "workflow", "workflows"),
    }
)


def chat_schemas(name: str) -> frozenset[str]:
    """The services that the operator allows, all by default. Raises ImproperlyConfigured for any other."""
    known = HOSTED | SELF_HOSTED
    wanted: frozenset[str] = frozenset(env.list(name, default=sorted(known)))
    if unknown := wanted - known:
        raise ImproperlyConfigured(
            f"{name} names {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}."
        )
    return wanted
