"""All that a message template may use, its engine's only library: nothing in it loads, includes or calls."""

from __future__ import annotations

from django.contrib.humanize.templatetags.humanize import intcomma
from django.template import Library, defaultfilters, defaulttags

register = Library()
register.tag("if", defaulttags.do_if)
register.tag("for", defaulttags.do_for)
# Each gives back at most as much as it takes, so that no template grows without end.
register.filter("default", defaultfilters.default)
register.filter("pluralize", defaultfilters.pluralize)
register.filter("truncatechars", defaultfilters.truncatechars)
register.filter("intcomma", intcomma)
FILTERS = frozenset(register.filters)
