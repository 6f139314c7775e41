"""A conflict told from its facts, in languages other than that of its kept explanation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

_MOST_RULES = 6  # what has more is read on its page
_MOST_LINKS = 3  # as in English


@dataclass(frozen=True, slots=True)
class Demand:
    """What one rule wants of one plugin; `spec` and `until` as the rule has them now, empty if it is gone."""

    policy: str
    key: str
    kind: str
    plugin: str
    spec: Mapping[str, Any] = field(default_factory=dict)
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clash:
    """The simplest set of rules that can't hold together.

    `links`: the dependencies that close it, as it keeps them; `untold`: how many of which only English was
    kept. `others`: how many more sets there are. `proved`: whether it is
    shown that there is no way.
    """

    demands: Sequence[Demand] = ()
    links: Sequence[Mapping[str, Any]] = ()
    untold: int = 0
    others: int = 0
    proved: bool = True


def in_chinese(clash: Clash) -> str:
    """The conflict in a sentence without its full stop; empty without any rule to tell."""
    policies = [demand.policy for demand in clash.demands]
    told = [
        f"{_named(demand, policies.count(demand.policy) > 1)} {_want(demand)}"
        for demand in clash.demands[:_MOST_RULES]
    ]
    if not told:
        return ""
    if more := len(clash.demands) - len(told):
        told.append(f"另有 {more} 条规则")
    told += [_link(link) for link in clash.links[:_MOST_LINKS]]
    if more := clash.untold + len(clash.links[_MOST_LINKS:]):
        told.append(f"{'另' if clash.links else '并'}涉及 {more} 条依赖关系")
    if clash.others:
        told.append(f"此外还有 {clash.others} 组规则无法同时满足")
    if not clash.proved:
        told.append("搜索已达上限而中止")
    return "；".join(told)


def _link(link: Mapping[str, Any]) -> str:
    """What a release demands, and how things stand."""
    what = " 或 ".join(link["what"])
    demand = _DEMANDS[link["demand"]].format(what) if what else "有依赖要求"
    stands = "，".join(_stands(one) for one in link["stands"])
    return (
        f"{link['plugin']} {link['version']} {demand}，而{f' {stands}' if stands else '没有这样的发布版本'}"
    )


def _stands(one: Mapping[str, Any]) -> str:
    would = one.get("would", False)
    if "place" in one:
        return f"{one['plugin']} {(_WOULD_BE if would else _PLACES)[one['place']]}"
    return f"{one['plugin']} {'将为' if would else '当前为'} {one['at']}"


def _named(demand: Demand, several: bool) -> str:
    """The policy, and which of its rules where several are told."""
    return f"{demand.policy}/{demand.key}" if several else demand.policy


def _want(demand: Demand) -> str:
    told = _WANTS.get(demand.kind)
    text = told(demand) if told and (demand.spec or demand.kind in _NEED_NO_VALUE) else ""
    return text or f"对 {demand.plugin} 有“{_KINDS.get(demand.kind, demand.kind)}”要求"


def _range(demand: Demand) -> str:
    forms = {"range": "为 {}", "exactly": "为 {}", "at_least": "不低于 {}", "at_most": "不高于 {}"}
    for word, form in forms.items():
        if word in demand.spec:
            return f"要求 {demand.plugin} {form.format(demand.spec[word])}"
    return ""


def _same(demand: Demand) -> str:
    if "at" in demand.spec:
        return f"要求 {demand.plugin} 在所有租户均为 {demand.spec['at']}"
    return f"要求 {demand.plugin} 在所有租户使用同一版本"


def _within(demand: Demand) -> str:
    distances = "、".join(
        f"{demand.spec[unit]} 个{name}" for unit, name in _UNITS.items() if unit in demand.spec
    )
    newest = f"渠道 {demand.spec['channel']} 的最新版本" if "channel" in demand.spec else "最新版本"
    return f"要求 {demand.plugin} 落后{newest}不超过 {distances}" if distances else ""


def _denied(demand: Demand) -> str:
    deny = demand.spec.get("deny")
    states = {"vulnerable": "没有安全警告", "withdrawn": "未被撤回"}
    return f"要求 {demand.plugin} {states.get(str(deny), f'不在范围 {deny} 内')}" if deny else ""


def _hold(demand: Demand) -> str:
    if demand.until is None:
        return f"将 {demand.plugin} 保持不变"
    last = demand.until - timedelta(microseconds=1)  # its end is the first moment at which it no longer holds
    return f"将 {demand.plugin} 保持不变，直至 {last.year}年{last.month}月{last.day}日"


_DEMANDS = {"needs": "需要 {}", "only": "只能与 {} 共存", "not": "不能与 {} 共存"}
_ANYWAY = {"nowhere": "没有可用的版本", "varies": "在各租户中的版本不同"}
_PLACES = {"gone": "未安装", "such": "已安装此类版本", "another": "已安装其他版本", **_ANYWAY}
_WOULD_BE = {"gone": "将不再安装", "such": "将安装此类版本", "another": "将安装其他版本", **_ANYWAY}
_UNITS = {"major": "主版本", "minor": "次版本", "patch": "修订版本", "releases": "发布版本"}
_KINDS = {
    "range": "版本范围",
    "same": "统一版本",
    "within": "接近最新版本",
    "channel": "渠道",
    "min_age": "发布时长",
    "deny": "禁用版本",
}
_NEED_NO_VALUE = frozenset({"same", "present", "absent", "hold"})
_WANTS: dict[str, Callable[[Demand], str]] = {
    "range": _range,
    "same": _same,
    "within": _within,
    "channel": lambda demand: f"要求 {demand.plugin} 来自渠道 {demand.spec['channel']}",
    "min_age": lambda demand: f"要求 {demand.plugin} 的发布时长不少于 {demand.spec['min_age']}",
    "deny": _denied,
    "present": lambda demand: f"要求安装 {demand.plugin}",
    "absent": lambda demand: f"要求移除 {demand.plugin}",
    "hold": _hold,
}
