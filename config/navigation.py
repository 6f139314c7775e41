"""The console's navigation: which nouns there are, and which of them this actor may open."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import Enum

from django.urls import NoReverseMatch, resolve, reverse

from config.access import Access, Permission


class Audience(Enum):
    """Whose work an entry is for: people of the whole group, tenant admins, or both."""

    GROUP = "group"
    TENANT = "tenant"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Entry:
    """One noun of the console. Who may open it stands at its view, not here."""

    name: str
    label: str
    icon: str
    audience: Audience = Audience.GROUP


@dataclass(frozen=True, slots=True)
class Link:
    """One entry as one actor sees it on one page."""

    name: str
    label: str
    icon: str
    url: str
    current: bool


ENTRIES = (
    Entry("overview", "Overview", "layout-dashboard"),
    Entry("tenant_home", "My tenant", "home", Audience.TENANT),
    Entry("tenant_list", "Tenants", "building"),
    Entry("plugin_list", "Plugins", "plug"),
    Entry("policy_list", "Policies", "shield-check"),
    Entry("drift_list", "Drift", "arrows-diff", Audience.BOTH),
    Entry("simulation_list", "Simulations", "flask"),
    Entry("plan_list", "Plans", "list-check"),
    Entry("order_list", "Orders", "clipboard-check", Audience.BOTH),
    Entry("conflict_list", "Decisions", "scale"),
    Entry("exemption_list", "Exemptions", "file-certificate", Audience.BOTH),
    Entry("snapshot_list", "Snapshots", "camera"),
    Entry("notification_list", "Notifications", "bell", Audience.BOTH),
    Entry("directory_list", "Directory", "users", Audience.BOTH),
    Entry("delivery_list", "Deliveries", "send"),
    Entry("report_list", "Reports", "report-analytics"),
    Entry("ledger_list", "Ledger", "book-2"),
    Entry("help", "Help", "help-circle", Audience.BOTH),
)


def navigation(access: Access, path: str) -> list[Link]:
    """The entries whose views admit the actor, with the one that `path` lies under marked."""
    audience = Audience.GROUP if access.whole_group else Audience.TENANT
    links = []
    for entry in ENTRIES:
        if entry.audience in (audience, Audience.BOTH) and _admits(entry.name, access):
            url = access.link(entry.name)
            # The overview's address is the beginning of every other one.
            current = path == url or (entry.name != "overview" and path.startswith(url))
            links.append(Link(entry.name, entry.label, entry.icon, url, current))
    return links


def _admits(name: str, access: Access) -> bool:
    rule = _access_rule(name)
    return rule is not None and (not rule or any(access.allows(permission) for permission in rule))


@functools.cache
def _access_rule(name: str) -> tuple[Permission, ...] | None:
    """The permissions that open the page, none for any member of the group, None if there is no such page.

    An installation may leave a noun out of its addresses; the navigation then leaves it out too.
    """
    try:
        view = resolve(reverse(name, kwargs={"group": "any"})).func
    except NoReverseMatch:
        return None
    rule = getattr(view, "access_rule", ())
    return rule if isinstance(rule, tuple) else ()
