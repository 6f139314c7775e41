"""Any configuration survives the way into the database and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.access import SYSTEM
from governance import configuration
from governance.configuration import Applied, Files
from governance.documents import changes
from tests import factories
from tests.factories import AT, World

PROFILES = """\
version: 1
profiles:
  - {name: steady, mode: enforce, sla: {high: 5}}
  - {name: watch, mode: observe}
"""


@pytest.fixture
def acme(world: World) -> World:
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    factories.plugin(world.group, "mail", ["1.0.0", "1.1.0"])
    return world


def apply(text: str) -> Applied:
    profiles = configuration.load_text(PROFILES, file="profiles.yaml").profiles
    baselines = configuration.load_text(text, file="baselines.yaml").baselines
    return configuration.apply(Files(baselines, profiles), prune=True, actor=SYSTEM, at=AT)


_NAMES = st.text("abcdefghij-_09", min_size=1, max_size=12)
_TENANTS = st.sampled_from(["*", {"keys": ["tenant-a"]}, {"tiers": ["standard"], "except": {"keys": ["x"]}}])
_VALUES = st.sampled_from(
    [
        {"range": ">=2.3.0 <3.0.0"},
        {"exactly": "2.4.0"},
        {"same": True},
        {"same": True, "at": "2.3.0"},
        {"deny": "vulnerable"},
        {"min_age": "2w"},
        {"within": {"minor": 1}},
        {"present": True},
    ]
)
_UNTIL = st.sampled_from(["in 9 days", "2027-01-01", "2030-06-01T12:00:00+02:00", "2020-01-01"])
_TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)


@st.composite
def _policies(draw: Any, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    sections: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        section = draw(st.sampled_from(["baselines", "policies", "holds"]))
        item: dict[str, Any] = {"name": name, "tenants": draw(_TENANTS)}
        if section == "holds":
            item |= {"plugins": ["crm"], "until": draw(_UNTIL), "reason": draw(_TEXT)}
        else:
            item["profile"] = draw(st.sampled_from(["steady", "watch"]))
            item |= draw(st.sampled_from([{}, {"title": "A title: # “x”"}, {"weight": 7}]))
        if section == "baselines":
            item["versions"] = {"crm": draw(st.sampled_from([">=2.3.0", {"at_most": "2.4.0"}]))}
        elif section == "policies":
            keys = draw(st.lists(_NAMES, max_size=3, unique=True))
            item["rules"] = [{"name": key, "plugins": ["crm", "mail"], **draw(_VALUES)} for key in keys]
        sections.setdefault(section, []).append(item)
    return sections


@st.composite
def documents(draw: Any) -> dict[str, Any]:
    """Any configuration of the acme group."""
    names = draw(st.lists(_NAMES, max_size=5, unique=True))
    section: dict[str, Any] = draw(_policies(names))
    section |= draw(
        st.sampled_from([{}, {"sla": {"high": 1}}, {"sla": {}}, {"policies": []}])
        if not section
        else st.just({})
    )
    breakable = [item["name"] for kind in ("baselines", "policies") for item in section.get(kind, [])]
    if breakable:
        section["exemptions"] = [
            {
                "name": name,
                "tenant": "tenant-a",
                "policy": draw(st.sampled_from(breakable)),
                "reason": draw(_TEXT),
                "until": draw(_UNTIL),
            }
            for name in draw(st.lists(_NAMES, max_size=3, unique=True))
        ]
    return {"version": 1, "groups": {"acme": section}}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=documents(), second=documents())
def test_any_configuration_survives_the_round_trip_and_a_second_apply_changes_nothing(
    acme: World, rolled_back: Any, first: dict[str, Any], second: dict[str, Any]
) -> None:
    with rolled_back():
        for document in (first, second):
            text = configuration.dump(document)
            applied = apply(text)
            exported = configuration.export_baselines([acme.group])
            assert list(changes(exported, document)) == []
            assert exported == document
            assert not apply(configuration.dump(exported)).changed
            assert applied.changed or document == first or first == second
