"""What a supposition is called, by the names that people know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from governance import policies
from governance.models import Exemption, Policy
from governance.policy_documents import Document
from tenants.models import Group

_NOTHING = "Nothing else than is in force"


def texts(supposed: Mapping[str, Any]) -> list[tuple[str, Document]]:
    """Name and text of each document that is supposed."""
    named: list[tuple[str, Document]] = [
        *(
            (f"{one.get('kind', 'policy')} {one['name']}", policies.as_written(one))
            for one in supposed.get("policies", ())
        ),
        *((f"profile {one['name']}", one) for one in supposed.get("profiles", ())),
        *(
            (f"exemption of {one['tenant']} from {one['policy']}", one)
            for one in supposed.get("exemptions", ())
        ),
        *((f"release {one['plugin']} {one['version']}", one) for one in supposed.get("releases", ())),
    ]
    return named + ([("service levels", supposed["sla"])] if "sla" in supposed else [])


def gone(group: Group, supposed: Mapping[str, Any]) -> list[str]:
    """What is supposed not to be there, or to be otherwise without a text."""
    retired, ended = supposed.get("retired", []), supposed.get("ended", [])
    kinds = dict(Policy.objects.filter(group=group, name__in=retired).values_list("name", "kind"))
    told = [f"without {kinds.get(name, 'policy')} {name}" for name in retired]
    told += [f"{name} paused" for name in supposed.get("paused", ())]
    # The console supposes the end of an exemption by its id, which nobody knows by heart.
    rows = Exemption.objects.filter(group=group, pk__in=filter(_is_id, ended))
    known = {str(row.pk): f"of {row}" for row in rows.select_related("tenant", "policy")}
    told += [f"without exemption {known.get(name, name)}" for name in ended]
    told += [f"{one['plugin']} {one['version']} withdrawn" for one in supposed.get("withdrawn", ())]
    told += [_when(supposed["at"])] if "at" in supposed else []
    told += [f"only {name} acting" for name in supposed.get("acting", ())]
    told += [f"plan {supposed['plan']} carried out"] if "plan" in supposed else []
    return told + ([f"the state of snapshot {supposed['snapshot']}"] if "snapshot" in supposed else [])


def title(group: Group, supposed: Mapping[str, Any]) -> str:
    """What tells it from others in the list, where whoever asked gave it no title."""
    return ", ".join([*(name for name, _ in texts(supposed)), *gone(group, supposed)]) or _NOTHING


def _when(at: str) -> str:
    return at if at.startswith("in ") else f"on {at}"


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
