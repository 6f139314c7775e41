"""Lists: searched, filtered, sorted and paged in the database, with the state in the URL."""

from typing import Any

import pytest
from django.db.models import CharField, Count, QuerySet, Value
from django.db.models.functions import Length, NullIf, Upper
from django.test import RequestFactory
from django_filters import ChoiceFilter, DateFromToRangeFilter, FilterSet

from config.filters import SeenValuesFilter
from config.listing import Listing, listing
from tenants.models import Tenant
from tests import factories
from tests.factories import World


class Filters(FilterSet):
    tier = ChoiceFilter(choices=[("standard", "Standard"), ("critical", "Critical")], label="Tier")
    made = DateFromToRangeFilter(field_name="created_at", label="Made")

    class Meta:
        model = Tenant
        fields: tuple[str, ...] = ()


class SeenFilters(FilterSet):
    tier = SeenValuesFilter(label="Tier")

    class Meta:
        model = Tenant
        fields: tuple[str, ...] = ()


def listed(world: World, query: str = "", rows: QuerySet[Any, Any] | None = None, **more: Any) -> Listing:
    """The list of the world's tenants at this querystring."""
    options: dict[str, Any] = {
        "name": "tenants",
        "noun": ("tenant", "tenants"),
        "search": ("key", "name"),
        "sorts": {"key": ("key",), "tier": ("tier", "key")},
        "default": "key",
        "filterset_class": Filters,
        **more,
    }
    request = RequestFactory().get(f"/list/?{query}")
    return listing(request, rows if rows is not None else world.group.tenants.all(), **options)


def keys(shown: Listing) -> list[str]:
    return [tenant.key for tenant in shown.rows]


@pytest.fixture
def many(world: World) -> World:
    """The world with sixty tenants more, every third of them critical."""
    for number in range(60):
        factories.tenant(world.group, f"site-{number:02}", tier="standard" if number % 3 else "critical")
    return world


def test_without_parameters_the_usual_order_is_shown(world: World) -> None:
    shown = listed(world)
    assert keys(shown) == ["tenant-a", "tenant-b"]
    assert (shown.sort, shown.descending, shown.notes, shown.narrowed) == ("key", False, [], False)


def test_a_minus_turns_the_order_round(world: World) -> None:
    assert keys(listed(world, "sort=-key")) == ["tenant-b", "tenant-a"]


def test_every_word_of_a_search_must_occur_in_some_field(many: World) -> None:
    assert keys(listed(many, "q=SITE+07")) == ["site-07"]
    assert keys(listed(many, "q=site+tenant")) == []


def test_a_search_counts_only_what_it_finds(many: World) -> None:
    shown = listed(many, "q=tenant-")
    assert (shown.counted, shown.narrowed) == ("2 tenants", True)


def test_one_row_is_counted_in_the_singular(world: World) -> None:
    assert listed(world, "q=tenant-a").counted == "1 tenant"


def test_a_filter_narrows_and_can_be_cleared_without_losing_the_order(many: World) -> None:
    shown = listed(many, "tier=critical&sort=-key&q=site&page=1")
    assert shown.total == 20
    assert shown.clear_url == "/list/?sort=-key"


def test_the_ends_of_a_range_are_filters_too(world: World) -> None:
    shown = listed(world, "made_after=2999-01-01")
    assert (shown.total, shown.narrowed, shown.clear_url) == (0, True, "/list/")


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("sort=colour", "can’t be sorted that way"),
        ("sort=--key", "can’t be sorted that way"),
        ("page=99", "no page 99; page 2 is shown"),
        ("page=0", "no page 0; page 2 is shown"),
        ("page=x", "no page x; page 1 is shown"),
        ("page=9999999999999999999999", "page 2 is shown"),
        ("per_page=7", "Pages hold 25, 50, 100, 200 rows"),
        ("tier=golden", "“Tier” has a value that doesn’t fit"),
        ("made_after=yesterday", "“Made” has a value that doesn’t fit"),
    ],
)
def test_a_value_that_makes_no_sense_falls_back_and_is_named(many: World, query: str, note: str) -> None:
    shown = listed(many, query)
    assert len(shown.rows) > 0
    assert len(shown.notes) == 1
    assert note in shown.notes[0]


@pytest.mark.parametrize("query", ["q=%00", "q=a%00b", "tier=%00", "page=%00", "sort=%00"])
def test_text_that_the_database_refuses_says_nothing(world: World, query: str) -> None:
    assert keys(listed(world, query)) == ["tenant-a", "tenant-b"]


def test_pages_follow_each_other_without_gap_or_overlap(many: World) -> None:
    pages = [keys(listed(many, f"per_page=25&page={number}")) for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [25, 25, 12]
    shown = [key for page in pages for key in page]
    assert shown == sorted(set(shown))


def test_equal_rows_keep_one_order_over_all_pages(many: World) -> None:
    sorts = {"tier": ("tier",)}
    pages = [
        keys(listed(many, f"per_page=25&page={number}", sorts=sorts, default="tier")) for number in (1, 2, 3)
    ]
    assert len({key for page in pages for key in page}) == 62


def test_what_has_no_value_comes_last_in_either_direction(world: World) -> None:
    rows = world.group.tenants.annotate(only_b=NullIf("key", Value("tenant-a"), output_field=CharField()))
    sorts = {"b": ("only_b",)}
    assert keys(listed(world, "sort=b", rows, sorts=sorts, default="b")) == ["tenant-b", "tenant-a"]
    assert keys(listed(world, "sort=-b", rows, sorts=sorts, default="b")) == ["tenant-b", "tenant-a"]


def test_two_queries_bring_any_list(many: World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        listed(many, "q=site&tier=critical&sort=-tier&page=1&per_page=25")


def test_figures_are_worked_out_for_the_shown_rows_only(many: World, django_assert_num_queries: Any) -> None:
    rows = many.group.tenants.annotate(shout=Upper("key"))
    with django_assert_num_queries(3) as queries:
        shown = listed(many, "sort=-key&per_page=25&page=2", rows)
    assert [tenant.shout for tenant in shown.rows] == [key.upper() for key in keys(shown)]
    assert keys(shown) == sorted(keys(shown), reverse=True)
    assert [("UPPER" in query["sql"].split("FROM")[0]) for query in queries.captured_queries] == [
        False,
        False,
        True,
    ]


def test_a_list_may_be_sorted_by_a_figure(many: World) -> None:
    rows = many.group.tenants.annotate(length=Length("key"))
    shown = listed(many, "sort=-length", rows, sorts={"length": ("length", "key")}, default="length")
    assert keys(shown)[:2] == ["tenant-b", "tenant-a"]


def test_grouped_values_are_listed_as_they_are(many: World) -> None:
    rows = many.group.tenants.values("tier").annotate(tenants=Count("pk"))
    shown = listed(
        many, "sort=-tenants", rows, sorts={"tenants": ("tenants",)}, default="tenants", tiebreak="tier"
    )
    assert list(shown.rows) == [{"tier": "standard", "tenants": 42}, {"tier": "critical", "tenants": 20}]


def test_lists_that_share_a_page_keep_out_of_each_others_way(many: World) -> None:
    shown = listed(many, "left-q=tenant-a&q=tenant-b&left-sort=-key", prefix="left")
    assert keys(shown) == ["tenant-a"]
    assert shown.url(sort="tier") == "/list/?left-q=tenant-a&q=tenant-b&left-sort=tier"


def test_the_toolbar_carries_what_it_has_no_control_for(many: World) -> None:
    shown = listed(many, "q=site&tier=critical&sort=-key&per_page=25&page=2&other=1")
    assert shown.carried == [("sort", "-key"), ("per_page", "25"), ("other", "1")]


def test_a_filter_of_seen_values_offers_only_those_within_reach(world: World) -> None:
    elsewhere = factories.group("third")
    factories.tenant(elsewhere, "secret", tier="top-secret")
    shown = listed(world, filterset_class=SeenFilters)
    assert shown.form is not None
    assert "top-secret" not in str(shown.form)
    assert "standard" in str(shown.form)
