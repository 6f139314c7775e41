"""Conflicts in messages, in the reader's language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance import clashes, conflict_wording, notifications
from governance.messages import wording
from governance.messages.conflicts import Clash, Demand, in_chinese
from governance.models import Conflict, Rule
from governance.models.rule import RuleKind
from governance.resolution.links import Demand as Demanded
from governance.resolution.links import Link, Place, Stands
from tenants.models import Preferences
from tests.factories import AT, World
from tests.governance.disputed import dispute
from tests.governance.notified import run, sent

pytestmark = pytest.mark.django_db


def chinese(world: World) -> None:
    Preferences.objects.create(user=world.owner, language="zh", time_zone="Asia/Shanghai")


def test_a_reader_of_chinese_is_told_what_each_rule_wants(world: World) -> None:
    chinese(world)
    conflict = dispute(world)
    first = run(world)
    notifications.send_digests(first, at=AT)
    digest = sent(first)["owner"]
    last = AT + timedelta(days=30)
    told = f"将 crm 保持不变，直至 {last.year}年{last.month}月"
    assert "freeze " + told in digest["text"]
    assert "core 要求 crm 在所有租户均为 2.4.0" in digest["text"]
    assert "core 要求 crm 在所有租户均为 2.4.0" in digest["lines"][0]["says"]
    assert str(conflict) not in digest["text"]


def test_a_reader_of_english_is_told_the_explanation_as_it_is_kept(world: World) -> None:
    conflict = dispute(world)
    first = run(world)
    notifications.send_digests(first, at=AT)
    assert str(conflict) in sent(first)["owner"]["text"]


def test_a_rule_that_is_gone_is_told_by_its_kind(world: World) -> None:
    conflict = dispute(world, at_least="2.4.0")
    Rule.objects.filter(policy__name="core").delete()
    told = in_chinese(clashes.of(world.group.pk, [conflict])[conflict.pk])
    assert "core 对 crm 有“版本范围”要求" in told


def test_a_rule_whose_variants_differ_is_told_by_its_kind(world: World) -> None:
    conflict = dispute(world, at_least="2.4.0")
    rule = Rule.objects.get(policy__name="core")
    rule.pk, rule.variant, rule.spec = None, "pilot", {"at_least": "2.3.0"}
    rule.save()
    told = in_chinese(clashes.of(world.group.pk, [conflict])[conflict.pk])
    assert "core 对 crm 有“版本范围”要求" in told


def test_any_number_of_conflicts_costs_the_same(world: World, django_assert_num_queries: Any) -> None:
    dispute(world)
    rows = list(Conflict.objects.all()) * 5
    with django_assert_num_queries(1):
        clashes.of(world.group.pk, rows)


@pytest.mark.parametrize(
    ("kind", "spec", "told"),
    [
        ("range", {"range": ">=2 <3"}, "要求 crm 为 >=2 <3"),
        ("range", {"exactly": "2.4.0"}, "要求 crm 为 2.4.0"),
        ("range", {"at_most": "2.4.0"}, "要求 crm 不高于 2.4.0"),
        ("same", {}, "要求 crm 在所有租户使用同一版本"),
        ("within", {"minor": 1}, "要求 crm 落后最新版本不超过 1 个次版本"),
        ("channel", {"channel": "lts"}, "要求 crm 来自渠道 lts"),
        ("min_age", {"min_age": "14d"}, "要求 crm 的发布时长不少于 14d"),
        ("deny", {"deny": "vulnerable"}, "要求 crm 没有安全警告"),
        ("deny", {"deny": "<2"}, "要求 crm 不在范围 <2 内"),
        ("present", {}, "要求安装 crm"),
        ("absent", {}, "要求移除 crm"),
        ("hold", {}, "将 crm 保持不变"),
    ],
)
def test_each_kind_of_rule_has_words(kind: str, spec: dict[str, Any], told: str) -> None:
    assert in_chinese(Clash((Demand("core", "crm", kind, "crm", spec),))) == f"core {told}"


@pytest.mark.parametrize("kind", RuleKind.values)
def test_no_kind_is_told_in_the_words_of_the_code(kind: str) -> None:
    told = in_chinese(Clash((Demand("core", "crm", kind, "crm"),)))
    assert kind not in told.removeprefix("core")


def test_rules_of_one_policy_are_told_apart_and_what_is_left_out_is_counted() -> None:
    until = datetime(2026, 12, 2, tzinfo=UTC)
    demands = [Demand("freeze", "crm", "hold", "crm", until=until), Demand("core", "a", "present", "x")]
    demands.append(Demand("core", "b", "absent", "x"))
    told = in_chinese(Clash(tuple(demands), untold=2, others=3, proved=False))
    assert told.startswith(
        "freeze 将 crm 保持不变，直至 2026年12月1日；core/a 要求安装 x；core/b 要求移除 x；"
    )
    assert told.endswith("并涉及 2 条依赖关系；此外还有 3 组规则无法同时满足；搜索已达上限而中止")
    many = in_chinese(Clash(tuple(Demand(f"p{number}", "k", "hold", "x") for number in range(9))))
    assert many.endswith("；另有 3 条规则")


@pytest.mark.parametrize(
    ("link", "english", "chinese"),
    [
        (
            Link("crm", "2.4.0", "needs core >=3", Demanded.NEEDS, ("core >=3",), (Stands("core", "2.0.0"),)),
            "crm 2.4.0 needs core >=3, and core is at 2.0.0",
            "crm 2.4.0 需要 core >=3，而 core 当前为 2.0.0",
        ),
        (
            Link("crm", "2.4.0", "needs a or b 2", Demanded.NEEDS, ("a", "b 2"), ()),
            "crm 2.4.0 needs a or b 2, and there is no such release",
            "crm 2.4.0 需要 a 或 b 2，而没有这样的发布版本",
        ),
        (
            Link(
                *("crm", "2.4.0", "goes only with core >=3", Demanded.ONLY, ("core >=3",)),
                (Stands("core", Place.ANOTHER),),
            ),
            "crm 2.4.0 goes only with core >=3, and core is installed at another version",
            "crm 2.4.0 只能与 core >=3 共存，而 core 已安装其他版本",
        ),
        (
            Link(
                *("crm", "2.4.0", "doesn't go with core", Demanded.NOT, ("core",)),
                (Stands("core", Place.SUCH), Stands("mail", Place.GONE)),
            ),
            "crm 2.4.0 doesn't go with core, and core is installed at such a version "
            "and mail is not installed",
            "crm 2.4.0 不能与 core 共存，而 core 已安装此类版本，mail 未安装",
        ),
        (
            Link(
                *("crm", "2.4.0", "needs core >=3", Demanded.NEEDS, ("core >=3",)),
                (Stands("core", "2.0.0", would=True), Stands("mail", Place.GONE, would=True)),
            ),
            "crm 2.4.0 needs core >=3, and core would be at 2.0.0 and mail would not be installed",
            "crm 2.4.0 需要 core >=3，而 core 将为 2.0.0，mail 将不再安装",
        ),
        (
            Link("crm", "2.4.0", "needs it", Demanded.NEEDS, (), (Stands("core", "2.0.0"),)),
            "crm 2.4.0 needs it, and core is at 2.0.0",
            "crm 2.4.0 有依赖要求，而 core 当前为 2.0.0",
        ),
    ],
)
def test_a_dependency_is_told_in_both_languages(link: Link, english: str, chinese: str) -> None:
    assert str(link) == english
    told = in_chinese(Clash((Demand("core", "crm", "absent", "x"),), links=[link.as_json()]))
    assert told == f"core 要求移除 x；{chinese}"


def test_of_many_dependencies_three_are_told_and_the_others_counted() -> None:
    link = Link("crm", "2.4.0", "needs it", Demanded.NEEDS, ("it",), ())
    told = in_chinese(Clash((Demand("core", "crm", "absent", "x"),), links=[link.as_json()] * 5))
    assert told.count("crm 2.4.0 需要 it") == 3
    assert told.endswith("另涉及 2 条依赖关系")


@pytest.mark.parametrize("demand", Demanded)
@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("would", [False, True])
def test_no_demand_and_no_place_is_told_in_the_words_of_the_code(
    demand: Demanded, place: Place, would: bool
) -> None:
    link = Link("a", "1", "", demand, ("b",), (Stands("b", place, would),))
    told = in_chinese(Clash((Demand("core", "crm", "absent", "x"),), links=[link.as_json()]))
    assert not {demand.value, place.value} & set(told.replace("，", " ").split())


def test_without_any_facts_the_policies_are_named() -> None:
    told = wording.conflict("In English", Clash(), plugin="crm", policies="core, freeze", language="zh")
    assert told == "插件 crm 的规则无法同时满足：core, freeze"


def test_that_a_component_would_be_somewhere_is_kept_only_where_it_is_so() -> None:
    assert Stands("core", "2.0.0").as_json() == {"plugin": "core", "at": "2.0.0"}
    assert Stands("core", "2.0.0", would=True).as_json() == {"plugin": "core", "at": "2.0.0", "would": True}


def test_of_many_places_that_a_way_out_leads_to_three_are_told_and_the_others_counted() -> None:
    way = {"says": "Set freeze aside", "set_aside": [{"policy": "freeze", "key": "hold"}]}
    goes = {
        f"tenant-{number}": {"freeze/hold": {"says": f"crm goes to {number}.0.0", "to": {"crm": f"{number}"}}}
        for number in range(1, 6)
    }
    (told,) = conflict_wording.told([way], goes)
    assert told["says"] == (
        "Set freeze aside: crm goes to 1.0.0 in tenant-1; crm goes to 2.0.0 in tenant-2; "
        "crm goes to 3.0.0 in tenant-3; and elsewhere otherwise, in 2 more ways"
    )
