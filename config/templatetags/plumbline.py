"""The template tags and filters that every page may use without loading them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, Form, RadioSelect, Select
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config import durations, icons, tones
from config.clocks import Clock
from config.listing import Listing
from config.shares import percentage

register = template.Library()


@register.simple_tag(takes_context=True)
def page(context: template.Context, name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a page of the group that the request is in."""
    address: str = context["access"].link(name, *args, **kwargs)
    return address


@register.simple_tag(takes_context=True)
def again(context: template.Context, name: str) -> SafeString:
    """A block's content once more, since a page's title stands in its head and above its content."""
    block = context.render_context[BLOCK_CONTEXT_KEY].get_block(name)
    rendered: SafeString = block.render(context)
    return rendered


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """An icon that says nothing by itself: the text beside it does."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        classes,
        static(icons.SPRITE),
        icons.known(name),
    )


@register.simple_tag
def badge(state: Any, label: str = "", tone: str = "") -> SafeString:
    """A state in words, with its colour beside it; `tone` where the word means something else elsewhere."""
    text = label or getattr(state, "label", None) or str(state).replace("_", " ").capitalize()
    return format_html('<span class="state state-{}">{}</span>', tone or tones.tone(str(state)), text)


@register.simple_tag(takes_context=True)
def ago(context: template.Context, when: datetime | None) -> SafeString:
    """How long ago (or how far ahead) a time is, with the exact time as its title."""
    return _time(context, when, durations.relative(when, _at(context)), "") if when else _nothing()


@register.simple_tag(takes_context=True)
def ahead(context: template.Context, when: datetime) -> SafeString:
    """How far ahead something is that hasn't happened yet."""
    return _time(context, when, durations.ahead(when, _at(context)), "")


@register.simple_tag(takes_context=True)
def due(context: template.Context, when: datetime | None) -> SafeString:
    """How long is left until a time, or by how much it is past."""
    if when is None:
        return _nothing()
    at = _at(context)
    return _time(context, when, durations.until(when, at), durations.urgency(when, at))


@register.simple_tag(takes_context=True)
def expiry(context: template.Context, when: datetime) -> SafeString:
    """How long a permission still lasts; the last days are marked."""
    at = _at(context)
    soon = "due-soon" if when - at < durations.LAST_DAYS else ""
    return _time(context, when, durations.remaining(when, at), soon)


@register.simple_tag(takes_context=True)
def moment(context: template.Context, when: datetime | str | None) -> SafeString:
    """A time by the reader's clock; also one that is kept as a text.

    What others sent need not be one: then there is nothing to tell.
    """
    try:
        known = parse_datetime(when) if isinstance(when, str) else when
        told = _clock(context).tell(known) if isinstance(known, datetime) else ""
    except (ValueError, OverflowError):  # no such day; or none by the reader's clock
        told = ""
    if not told or known is None:
        return _nothing()
    return format_html('<time datetime="{}">{}</time>', known.isoformat(), told)


@register.simple_tag(takes_context=True)
def day(context: template.Context, when: datetime) -> SafeString:
    """The day of a time by the reader's clock, with the exact time as its title."""
    return _time(context, when, _clock(context).tell_day(when), "")


@register.filter
def percent(ratio: float | None) -> str:
    """A share between 0 and 1 as a percentage. It is rounded down: 100 % means all of them."""
    if ratio is None:
        return "–"
    return f"{percentage(ratio):g} %"


@register.inclusion_tag("listing/_sort_header.html", takes_context=True)
def sort_header(context: template.Context, key: str, label: str, classes: str = "") -> dict[str, Any]:
    """A table's header cell that sorts by its column; figures are sorted largest first."""
    listing: Listing = context["listing"]
    active = listing.sort == key
    descending = not listing.descending if active else "num" in classes.split()
    return {
        "listing": listing,
        "label": label,
        "classes": classes,
        "aria": ("descending" if listing.descending else "ascending") if active else "",
        "url": listing.url(sort=f"-{key}" if descending else key, page=None),
    }


@register.inclusion_tag("includes/_field.html")
def field(bound: BoundField, compact: bool = False) -> dict[str, Any]:
    """A form's field with its label, help and errors."""
    widget = bound.field.widget
    grouped = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    checkbox = isinstance(widget, CheckboxInput) and not grouped
    kind = (
        "form-check-input"
        if checkbox or grouped
        else "form-select"
        if isinstance(widget, Select)
        else "form-control"
    )
    wrong = " is-invalid" if bound.errors else ""
    classes = f"{widget.attrs.get('class', '')} {kind}{wrong}".strip()
    if grouped:
        # Drawn one by one, each beside its label: the whole would give its class to what is around them too.
        widget.attrs["class"] = classes
    control = "" if grouped else bound.as_widget(attrs={"class": classes})
    return {"bound": bound, "control": control, "checkbox": checkbox, "grouped": grouped, "compact": compact}


@register.inclusion_tag("includes/_fields.html")
def fields(form: Form) -> dict[str, Any]:
    """All of a form's fields and what is wrong with the form as a whole."""
    return {"form": form}


def _at(context: template.Context) -> datetime:
    at: datetime = context.get("at") or timezone.now()
    return at


def _clock(context: template.Context) -> Clock:
    """The reader's; where nobody in particular reads, that of UTC."""
    known: Callable[[], Clock] | None = context.get("clock")
    return known() if known else Clock()


def _time(context: template.Context, when: datetime, text: str, classes: str) -> SafeString:
    exact = _clock(context).tell(when)
    return format_html(
        '<time class="{}" datetime="{}" title="{}">{}</time>', classes, when.isoformat(), exact, text
    )


def _nothing() -> SafeString:
    return format_html('<span class="text-secondary">{}</span>', "–")
