"""What supposed texts change of those that are in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance import documents
from governance.models import Policy
from governance.simulation.supposition import Supposition
from tenants.models import Group


def edits(group: Group, what: Supposition) -> list[dict[str, Any]]:
    """By supposed policy that is in force already: [{"policy", "version", "changes": [text]}].

    A text that says what is in force has no changes, a policy that is new isn't told. What a profile changes
    of it, which may be supposed as well, isn't either.
    """
    rows = Policy.objects.filter(group=group, name__in=[one["name"] for one in what.policies]).in_force()
    versions = {row.name: row.current for row in rows.select_related("current")}
    return [
        {"policy": name, "version": version.number, "changes": _changes(version.document, document)}
        for document in what.policies
        if (version := versions.get(name := document["name"])) is not None
    ]


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    kind = {"kind": Policy.Kind.POLICY.value}
    return list(map(str, documents.changes(kind | dict(before), kind | dict(after))))
