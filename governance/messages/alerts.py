"""What team chats read of an alert, in every language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ENGLISH = {
    "drift_overdue": "Drift is past its due date.",
    "enforcement_failed": "Upgrades failed.",
    "conflict_found": "Rules contradict each other; a person has to decide.",
    "report_failed": "A report couldn’t be built.",
    "failure_budget_spent": "A plan has paused by itself.",
}
_CHINESE = {
    "drift_overdue": ("偏差逾期", "有偏差已超过期限。"),
    "enforcement_failed": ("升级失败", "有升级任务失败。"),
    "conflict_found": ("发现冲突", "规则相互矛盾，须由人作出决定。"),
    "report_failed": ("报告失败", "报告未能生成。"),
    "failure_budget_spent": ("计划暂停", "计划已自动暂停。"),
}
REASONS = tuple(_ENGLISH)
_FIGURES = {"run": "运行", "plan": "计划", "report": "报告", "overdue": "逾期", "failed": "失败"}
_SPENT = "第 {ring} 环的 {total} 个任务中有 {failed} 个失败，允许的失败比例为 {budget} %。"


def told(group: str, reason: str, data: Mapping[str, Any], language: str) -> tuple[str, str]:
    """Title and text; in English where there is no such language."""
    figures = {name: value for name, value in data.items() if isinstance(value, int)}
    if language != "zh":
        said = ", ".join(f"{name} {value}" for name, value in figures.items())
        parts = (_ENGLISH[reason], str(data.get("says", "")), f"({said})" if said else "")
        return f"{group}: {reason.replace('_', ' ')}", " ".join(filter(None, parts))
    title, text = _CHINESE[reason]
    said = "，".join(f"{_FIGURES.get(name, name)} {value}" for name, value in figures.items())
    spent = _SPENT.format(**data["spent"]) if "spent" in data else ""
    return f"{group}：{title}", f"{text}{spent}{f'（{said}）' if said else ''}"
