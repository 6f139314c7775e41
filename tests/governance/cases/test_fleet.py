"""The real fleet: what upstream ran goes together."""

from collections.abc import Mapping
from typing import Any

from demo.sources import FACTS
from governance.cases import fleet
from governance.resolution import reason_in_words

# Jenkins refuses a plugin whose optional dependency is there and too old: PluginWrapper calls it obsolete.
REALLY_WRONG = ("foundation-internal.infra", "2023-06-20T14:45:52+02:00")


def test_no_snapshot_is_called_inconsistent_but_the_one_that_upstream_refuses_too() -> None:
    found = fleet.read(FACTS / "fleet-eclipse.json.gz")
    newest: dict[str, tuple[str, Mapping[str, Any]]] = {
        tenant: (tenant, state) for tenant, state in found.listed
    }
    wrong = [state for state in found.listed if (state[0], state[1]["at"]) == REALLY_WRONG]
    sample = [*found.listed[::25], *newest.values(), *wrong]
    assert len(sample) > 300
    told = {
        (judged.tenant, judged.at): [
            (found.world.name(trouble.release), trouble.usable, reason_in_words(reason, found.world.names))
            for trouble in judged.troubles
            for reason in trouble.reasons
        ]
        for judged in found.judged(sample)
        if judged.troubles
    }
    reason = (
        "goes only with configuration-as-code >=1647.ve39ca_b_829b_42, "
        "and configuration-as-code is at 1646.v98b_72d209775"
    )
    assert told == {REALLY_WRONG: [("git", True, reason), ("git-client", True, reason)]}


def test_releases_that_the_catalogue_lacks_are_neither_blamed_nor_in_the_way() -> None:
    found = fleet.read(FACTS / "fleet-eclipse.json.gz")
    assert found.unknown > 0
    states = [
        (tenant, state)
        for tenant, state in found.listed
        if any(not found.world.is_known(found.world.release(*pin)) for pin in state["resolved"].items())
    ]
    assert [judged for judged in found.judged(states[::20]) if judged.troubles] == []
