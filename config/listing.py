"""One way for all lists: searched, filtered, sorted and paged in the database, with the state in the URL.

Whatever a URL says, a list is shown: a value that makes no sense falls back and is named in a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.forms import Form
from django.http import HttpRequest, QueryDict
from django_filters import FilterSet

PER_PAGE = (25, 50, 100, 200)
LONGEST_SEARCH = 200

# A field's name, or an expression for what no field holds.
Sort = str | F
Sorts = Mapping[str, tuple[Sort, ...]]


@dataclass(slots=True)
class Listing:
    """One list as a page shows it. `id` is the id of the element that HTMX swaps."""

    id: str
    noun: tuple[str, str]
    path: str
    prefix: str
    parameters: QueryDict
    sort: str = ""
    descending: bool = False
    query: str = ""
    searchable: bool = False
    search_label: str = "Search"
    form: Form | None = None
    page: Page[Any] | None = None
    rows: Sequence[Any] = ()
    notes: list[str] = field(default_factory=list)

    def name(self, parameter: str) -> str:
        """The parameter's name in the URL; lists that share a page are told apart by their prefix."""
        return f"{self.prefix}-{parameter}" if self.prefix else parameter

    def url(self, **changes: str | int | None) -> str:
        """This list's address with some parameters changed; None takes one away."""
        parameters = self.parameters.copy()
        for parameter, value in changes.items():
            parameters.pop(self.name(parameter), None)
            if value is not None:
                parameters[self.name(parameter)] = str(value)
        return f"{self.path}?{parameters.urlencode()}" if parameters else self.path

    @property
    def total(self) -> int:
        """How many rows there are on all pages."""
        return self.page.paginator.count if self.page else 0

    @property
    def counted(self) -> str:
        """The total in words, such as "1,204 tenants"."""
        return f"{self.total:,} {self.noun[0] if self.total == 1 else self.noun[1]}"

    @property
    def narrowed(self) -> bool:
        """Whether a search or a filter leaves rows out."""
        return bool(self.query) or any(self.parameters.get(name) for name in self._filter_names())

    @property
    def clear_url(self) -> str:
        """The address without search and filters; the order stays."""
        parameters = self.parameters.copy()
        for name in [*self._filter_names(), self.name("q"), self.name("page")]:
            parameters.pop(name, None)
        return f"{self.path}?{parameters.urlencode()}" if parameters else self.path

    @property
    def carried(self) -> list[tuple[str, str]]:
        """What the toolbar's form must send along, since it holds no control for it."""
        own = {*self._filter_names(), self.name("q"), self.name("page")}
        return [
            (name, value) for name, values in self.parameters.lists() if name not in own for value in values
        ]

    @property
    def page_links(self) -> list[tuple[str, str]]:
        """Label and address of the pages near this one; a gap has no address."""
        if self.page is None:
            return []
        numbers = self.page.paginator.get_elided_page_range(self.page.number, on_each_side=2, on_ends=1)
        return [(str(n), self.url(page=n) if isinstance(n, int) else "") for n in numbers]

    @property
    def sizes(self) -> list[tuple[int, str]]:
        """The page sizes on offer, with their addresses."""
        return [(size, self.url(per_page=size, page=None)) for size in PER_PAGE]

    def _filter_names(self) -> list[str]:
        if self.form is None:
            return []
        # A range has one control for each end, so the parameters are asked of the form as it was sent.
        prefixes = tuple(self.form.add_prefix(name) for name in self.form.fields)
        ends = tuple(f"{name}_{end}" for name in prefixes for end in ("min", "max", "after", "before"))
        return [name for name in self.parameters if name in prefixes or name in ends]


def listing(
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    name: str,
    sorts: Sorts,
    default: str,
    noun: tuple[str, str] = ("row", "rows"),
    search: Sequence[str] = (),
    search_label: str = "Search",
    filterset_class: type[FilterSet] | None = None,
    prefix: str = "",
    per_page: int = 50,
    tiebreak: str = "pk",
) -> Listing:
    """Bring the list into the state that the URL asks for: a query to count, and one or two to fetch."""
    shown = Listing(
        name,
        noun,
        request.path,
        prefix,
        _given(request.GET),
        searchable=bool(search),
        search_label=search_label,
    )
    if filterset_class is not None:
        queryset = _filter(shown, filterset_class, queryset, request)
    queryset = _search(shown, queryset, search)
    queryset = queryset.order_by(*_order(shown, sorts, default), tiebreak)
    shown.page = _page(shown, queryset, per_page)
    return shown


def _given(parameters: QueryDict) -> QueryDict:
    """The parameters that say something; text with a NUL, which PostgreSQL refuses, doesn't."""
    given = QueryDict(mutable=True)
    for name, values in parameters.lists():
        kept = [value for value in values if value and "\x00" not in value]
        if kept:
            given.setlist(name, kept)
    return given


def _filter(
    shown: Listing, filterset_class: type[FilterSet], queryset: QuerySet[Any], request: HttpRequest
) -> QuerySet[Any]:
    filters = filterset_class(
        shown.parameters, queryset=queryset, request=request, prefix=shown.prefix or None
    )
    shown.form = filters.form
    for name in filters.form.errors:
        label = filters.form[name].label if name in filters.form.fields else name
        shown.notes.append(f"The filter “{label}” has a value that doesn’t fit and is left out.")
    filtered: QuerySet[Any] = filters.qs
    return filtered


def _search(shown: Listing, queryset: QuerySet[Any], fields: Sequence[str]) -> QuerySet[Any]:
    """Every word must occur in one of the fields."""
    if not fields:
        return queryset
    shown.query = shown.parameters.get(shown.name("q"), "").strip()[:LONGEST_SEARCH]
    for word in shown.query.split():
        any_field = Q()
        for name in fields:
            any_field |= Q(**{f"{name}__icontains": word})
        queryset = queryset.filter(any_field)
    return queryset


def _order(shown: Listing, sorts: Sorts, default: str) -> list[OrderBy]:
    asked = shown.parameters.get(shown.name("sort"), default)
    if asked.removeprefix("-") not in sorts:
        shown.notes.append("This list can’t be sorted that way; the usual order is shown.")
        asked = default
    shown.sort, shown.descending = asked.removeprefix("-"), asked.startswith("-")
    return [_ordered(sort, descending=shown.descending) for sort in sorts[shown.sort]]


def _ordered(sort: Sort, *, descending: bool) -> OrderBy:
    # What has no value comes last in either direction: nobody sorts a list to see the blanks first.
    column = F(sort) if isinstance(sort, str) else sort
    return column.desc(nulls_last=True) if descending else column.asc(nulls_last=True)


def _page(shown: Listing, queryset: QuerySet[Any], per_page: int) -> Page[Any]:
    size = shown.parameters.get(shown.name("per_page"), "")
    if size in {str(choice) for choice in PER_PAGE}:
        per_page = int(size)
    elif size:
        shown.notes.append(f"Pages hold {', '.join(map(str, PER_PAGE))} rows; {per_page} are shown.")
    keys_first = _has_figures(queryset)
    pages = Paginator(queryset.values_list("pk", flat=True) if keys_first else queryset, per_page)
    asked = shown.parameters.get(shown.name("page"), "1")
    page = pages.get_page(asked)  # the first for nonsense, the last for one beyond it
    if str(page.number) != asked:
        shown.notes.append(f"There is no page {asked[:20]}; page {page.number} is shown.")
    # Evaluated here, so that a template may ask for its rows more than once.
    shown.rows = list(page.object_list)
    if keys_first:
        found = queryset.order_by().in_bulk(shown.rows)
        shown.rows = [found[key] for key in shown.rows if key in found]
    return page


def _has_figures(queryset: QuerySet[Any]) -> bool:
    """Whether the rows of the page are fetched by key, once they are known.

    Otherwise the database would work out the figures of all the rows before them too.
    """
    query = queryset.query
    return bool(query.annotations) and not query.values_select and not query.combinator
