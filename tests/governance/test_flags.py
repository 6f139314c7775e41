"""The feature flags of a group: switched, shown, and refusing."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from governance import flags
from governance.flags import FlagOff
from tenants.models import Group
from tests.factories import AT, World


def switch(world: World, flag: str, *, on: bool) -> bool:
    return flags.switch(world.group, flag, on=on, actor=SYSTEM, at=AT)


def run(*arguments: str) -> dict[str, Any]:
    answer = StringIO()
    call_command("feature_flag", *arguments, "--group", "acme", "--json", stdout=answer)
    document: dict[str, Any] = json.loads(answer.getvalue())
    return document


def test_a_flag_is_switched_for_one_group_and_recorded_once(world: World) -> None:
    assert switch(world, flags.SYNC, on=False)
    assert not switch(world, flags.SYNC, on=False)
    assert flags.states(Group.objects.get(pk=world.group.pk)) == {flags.GOVERNANCE: True, flags.SYNC: False}
    assert flags.states(Group.objects.get(slug="elsewhere")) == {flags.GOVERNANCE: True, flags.SYNC: True}
    entry = Entry.objects.get(action=Action.FLAG_CHANGED)
    assert entry.data == {"flag": "plugin-multi-tenant-sync", "on": False}


def test_what_a_flag_forbids_is_refused_with_its_name(world: World) -> None:
    switch(world, flags.SYNC, on=False)
    flags.require_governance(world.group)
    with pytest.raises(FlagOff, match="plugin-multi-tenant-sync is off for Acme: no tenant is changed"):
        flags.require_sync(world.group)


def test_without_governance_no_tenant_is_changed_either(world: World) -> None:
    switch(world, flags.GOVERNANCE, on=False)
    with pytest.raises(FlagOff, match="plugin-version-governance is off"):
        flags.require_sync(world.group)
    switch(world, flags.GOVERNANCE, on=True)
    flags.require_sync(world.group)


def test_flags_are_shown_and_switched_from_the_command_line(world: World) -> None:
    assert run()["flags"] == {"plugin-version-governance": True, "plugin-multi-tenant-sync": True}
    told = run("plugin-multi-tenant-sync", "off")
    assert (told["changed"], told["flags"]) == (True, {"plugin-multi-tenant-sync": False})
    assert run("plugin-multi-tenant-sync", "off")["changed"] is False
    entry = Entry.objects.get(action=Action.FLAG_CHANGED)
    assert entry.actor_name.endswith("at the command line")
