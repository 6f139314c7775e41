"""What the product itself says within messages, in every language: whose turn it is, times, states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from config.clocks import Clock
from governance.messages import conflicts
from governance.messages.conflicts import Clash

LANGUAGES = ("en", "zh")

_TURN: Mapping[str, Mapping[str, str]] = {
    "decide": {
        "en": "The group has to decide between its rules first; nothing for you to do.",
        "zh": "集团须先在相互冲突的规则之间作出决定，您无需操作。",
    },
    "planned": {
        "en": "{move} is planned; nothing for you to do.",
        "zh": "已安排{move}，您无需操作。",
    },
    "under_way": {
        "en": "{move} is under way; nothing for you to do.",
        "zh": "{move}正在进行，您无需操作。",
    },
    "failed": {
        "en": "{move} had not the effect that was wanted; please look into it.",
        "zh": "{move}未达到预期效果，请检查。",
    },
    "will_plan": {
        "en": "{move} will be planned; nothing for you to do.",
        "zh": "将安排{move}，您无需操作。",
    },
    "remove": {"en": "Please remove it.", "zh": "请移除该插件。"},
    "mend": {"en": "Please bring it into line.", "zh": "请将其调整到符合规则。"},
}
Move = Literal["up", "down", "add", "remove", ""]
_MOVE: Mapping[Move, Mapping[str, str]] = {
    "up": {"en": "An upgrade", "zh": "升级"},
    "down": {"en": "A downgrade", "zh": "降级"},
    "add": {"en": "Its installation", "zh": "安装"},
    "remove": {"en": "Its removal", "zh": "移除"},
    "": {"en": "A change", "zh": "变更"},
}
_STATUS = {
    "requested": {"en": "requested", "zh": "已申请"},
    "approved": {"en": "approved", "zh": "已批准"},
    "rejected": {"en": "rejected", "zh": "被驳回"},
    "revoked": {"en": "revoked", "zh": "已撤销"},
    "expired": {"en": "expired", "zh": "已到期"},
}
_CONFLICT_ZH = "插件 {plugin} 的规则无法同时满足：{says}"


def turn(*, status: str, mode: str, move: Move, language: str) -> str:
    """Whose turn it is to do something about a finding, for its tenant's admin.

    `move` is what becomes of the plugin; empty while that isn't decided.
    """
    by_status = {
        "needs_decision": "decide",
        "planned": "planned",
        "in_progress": "under_way",
        "verifying": "under_way",
        "verify_failed": "failed",
    }
    key = by_status.get(status)
    if key is None and mode == "enforce" and move:
        key = "will_plan"
    tongue = _known(language)
    return _TURN[key or ("remove" if move == "remove" else "mend")][tongue].format(move=_MOVE[move][tongue])


def conflict(summary: str, clash: Clash, *, plugin: str, policies: str, language: str) -> str:
    """A conflict in a sentence; its explanation is kept in English, others are told it by its facts."""
    if _known(language) == "en":
        return summary
    return _CONFLICT_ZH.format(plugin=plugin, says=conflicts.in_chinese(clash) or policies)


def exemption_status(status: str, language: str) -> str:
    """Where an exemption stands."""
    return _STATUS[status][_known(language)]


def moment(when: datetime | None, *, zone: str, language: str) -> str:
    """A time by the reader's clock; empty without one."""
    if when is None:
        return ""
    return Clock(zone, _known(language)).tell(when)


def day(when: date, *, language: str) -> str:
    """A day of the calendar."""
    return f"{when.year}年{when.month}月{when.day}日" if _known(language) == "zh" else when.isoformat()


def subject(subjects: Sequence[str], language: str) -> str:
    """The subject of one message that several have been folded into."""
    if len(subjects) == 1:
        return subjects[0]
    if _known(language) == "zh":
        return f"{len(subjects)} 条消息，最近一条：{subjects[-1]}"
    return f"{len(subjects)} messages, the latest: {subjects[-1]}"


def joined(names: list[str], language: str) -> str:
    """Names in a row."""
    return ("、" if _known(language) == "zh" else ", ").join(names)


def _known(language: str) -> str:
    return language if language in LANGUAGES else LANGUAGES[0]
