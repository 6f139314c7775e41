"""Asking for an earlier state back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms

from governance import rollbacks
from governance.forms.days import LastDay
from governance.models import Plan, Rollback, Snapshot
from governance.restoring import Scope
from governance.rollbacks import Asked
from tenants.models import Group

WAY_OF = "way-of-"  # and the policy's name


class RollbackForm(forms.Form):
    """Which state is wanted back, where, and how the policies that would undo it give way."""

    snapshot = forms.IntegerField(
        label="To snapshot", min_value=1, required=False, help_text="All that differs from it goes back."
    )
    plan = forms.IntegerField(
        label="Or to before plan",
        min_value=1,
        required=False,
        help_text="Only what this plan changed goes back.",
    )
    tenants = forms.CharField(
        label="Tenants",
        max_length=200_000,
        required=False,
        help_text="Their keys, with commas between them. Empty: all that it concerns.",
    )
    way = forms.ChoiceField(
        label="Policies that would undo it",
        choices=[
            (Rollback.Way.EXEMPT, "let these tenants be until a day; they act elsewhere as before"),
            (Rollback.Way.PAUSE, "are paused until someone resumes them; that ends the rollback too"),
        ],
        initial=Rollback.Way.EXEMPT,
        widget=forms.RadioSelect,
    )
    until = LastDay(
        label="Until",
        required=False,
        help_text="The last day of the exemptions. Then the policies bind again, and the rollback ends.",
    )
    profile = forms.ChoiceField(
        label="Profile",
        required=False,
        help_text="Its rings, limits, windows and rules of approval count. Empty: that of what changed them.",
    )
    reason = forms.CharField(
        label="Why", max_length=300, help_text="The owners read it, and it is kept in the ledger."
    )

    def __init__(self, *args: Any, group: Group, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.at = at
        self.initial.setdefault("until", (at + rollbacks.USUAL).date())
        self.fields["until"].widget.attrs["min"] = at.date().isoformat()
        names = [(name, name) for name in rollbacks.profiles_of(group)]
        self.fields["profile"].choices = [("", "As before"), *names]  # type: ignore[attr-defined]

    def clean_snapshot(self) -> int | None:
        """One that there is."""
        number: int | None = self.cleaned_data["snapshot"]
        if number and not Snapshot.objects.filter(group=self.group, number=number).exists():
            raise forms.ValidationError(f"There is no snapshot {number}.")
        return number

    def clean_plan(self) -> Plan | None:
        """One that there is."""
        number: int | None = self.cleaned_data["plan"]
        if not number:
            return None
        plan = Plan.objects.filter(group=self.group, number=number).first()
        if plan is None:
            raise forms.ValidationError(f"There is no plan {number}.")
        return plan

    def clean(self) -> dict[str, Any]:
        """Either a snapshot or a plan."""
        given = super().clean() or self.cleaned_data
        if not self.errors and bool(given.get("snapshot")) == bool(given.get("plan")):
            raise forms.ValidationError("Name either a snapshot or a plan.")
        return given

    @property
    def asked(self) -> Asked:
        """What a valid form asks for."""
        given = self.cleaned_data
        keys = frozenset(key.strip() for key in given["tenants"].split(",") if key.strip())
        return Asked(
            snapshot=given["snapshot"],
            scope=Scope(tenant_keys=keys, plan=given["plan"]),
            way=given["way"],
            until=given["until"],
            reason=given["reason"],
            profile=given["profile"],
            ways=self.ways,
        )

    @property
    def ways(self) -> dict[str, str]:
        """The policies that give way otherwise, by name; each that stands against it has a choice."""
        given = self.data if self.is_bound else self.initial
        ways = {key.removeprefix(WAY_OF): value for key, value in given.items() if key.startswith(WAY_OF)}
        return {name: way for name, way in ways.items() if way in (Rollback.Way.EXEMPT, Rollback.Way.PAUSE)}


def chosen(row: Rollback, *, at: datetime) -> dict[str, Any]:
    """What the form was filled in with for a rollback, to ask for the same once again.

    The tenants are those that it came to; what gives way otherwise than most is said of each policy.
    """
    mixed = row.way == Rollback.Way.MIXED
    until = {"until": (row.until - timedelta(microseconds=1)).date()} if row.until > at else {}
    return {
        "snapshot": row.snapshot_number if row.of_plan is None else None,
        "plan": row.of_plan.number if row.of_plan else None,
        "tenants": ", ".join(row.tenants),
        "way": Rollback.Way.EXEMPT if mixed else row.way,
        "profile": row.simulation.supposed["policies"][0]["profile"],
        "reason": row.reason,
        **until,
        **({f"{WAY_OF}{one['policy']}": one["way"] for one in row.policies} if mixed else {}),
    }
