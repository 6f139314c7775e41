"""Asking for an exemption, deciding about it, and how their list may be narrowed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django_filters import CharFilter, ChoiceFilter, FilterSet

from config.access import Access
from config.filters import SeenValuesFilter
from governance import policy_wording
from governance.forms.days import LastDay
from governance.models import Exemption, Plugin, Policy
from tenants.models import Tenant

LIVE = (Exemption.Status.REQUESTED, Exemption.Status.APPROVED)
# As many names as a browser can offer at once; beyond, people type the name that they know.
MOST_OFFERED = 300
USUAL_SPAN = timedelta(days=30)


class ExemptionFilter(FilterSet):
    """How the list of exemptions may be narrowed."""

    status = ChoiceFilter(
        label="Status",
        empty_label="Not ended",
        choices=[("all", "All"), *Exemption.Status.choices],
        method="by_status",
    )
    expiring = ChoiceFilter(
        label="Expires",
        empty_label="Any time",
        choices=[("7", "Within 7 days"), ("14", "Within 14 days"), ("30", "Within 30 days")],
        method="by_expiry",
    )
    policy = SeenValuesFilter(label="Policy", empty_label="Any", field_name="policy__name")
    tenant = CharFilter(label="Tenant", field_name="tenant__key", lookup_expr="iexact")

    class Meta:
        model = Exemption
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Without a choice of a status, what is asked for and what is granted."""
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("status") else rows.filter(status__in=LIVE)

    def by_status(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Exemptions by where they stand."""
        return rows if value == "all" else rows.filter(status=value)

    def by_expiry(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Those granted that end so soon."""
        at = timezone.now()
        ends = at + timedelta(days=int(value))
        return rows.filter(status=Exemption.Status.APPROVED, expires_at__range=(at, ends))


class RequestForm(forms.Form):
    """What is to be exempt from what, why, and until when."""

    tenant = forms.CharField(label="Tenant", max_length=200, help_text="Its key, as in the list of tenants.")
    covers = forms.ChoiceField(
        label="Exempt from", help_text="A whole policy, or only one of its rules: the less, the better."
    )
    plugin = forms.CharField(
        label="Plugin", max_length=200, required=False, help_text="Only for this plugin; empty for all."
    )
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Whoever decides reads it; it is kept in the ledger.",
    )
    until = LastDay(
        label="Until",
        help_text="The last day. Then the rule binds again, and the time to mend what it finds starts anew.",
    )

    def __init__(self, *args: Any, access: Access, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access = access
        self.at = at
        self.policies = {policy.name: policy for policy in _policies(access)}
        self.tenants = list(
            Tenant.objects.within(access).order_by("key").values_list("key", flat=True)[:MOST_OFFERED]
        )
        if len(self.tenants) == 1:
            self.initial["tenant"] = self.tenants[0]
        covers = self.fields["covers"]
        assert isinstance(covers, forms.ChoiceField)
        covers.choices = [("", "Choose a policy or a rule"), *map(_offered, self.policies.values())]
        self.fields["tenant"].widget.attrs["list"] = "tenants-within-reach"
        self.fields["until"].widget.attrs["min"] = at.date().isoformat()

    def clean_tenant(self) -> Tenant:
        """The tenant of that key within reach."""
        tenant = Tenant.objects.within(self.access).filter(key=self.cleaned_data["tenant"]).first()
        if tenant is None:
            raise forms.ValidationError("You reach no tenant of that key.")
        return tenant

    def clean_covers(self) -> tuple[Policy, str]:
        """The policy, and the key of the rule if it is about one only."""
        name, _slash, rule_key = self.cleaned_data["covers"].partition("/")
        return self.policies[name], rule_key

    def clean_plugin(self) -> Plugin | None:
        """The plugin of that name, if one is given."""
        name = self.cleaned_data["plugin"]
        plugin = Plugin.objects.within(self.access).filter(name=name).first() if name else None
        if name and plugin is None:
            raise forms.ValidationError("There is no plugin of that name.")
        return plugin


class DecisionForm(forms.Form):
    """A word on why an exemption is granted, turned down or ended."""

    comment = forms.CharField(
        label="Comment",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Shown to whoever asked, and kept in the ledger.",
    )


def _policies(access: Access) -> QuerySet[Policy]:
    return Policy.objects.binding(access).select_related("current").order_by("name")


def _offered(policy: Policy) -> tuple[str, list[tuple[str, str]]]:
    """A policy as a group of choices: all of it, and each of its rules."""
    version = policy.current
    assert version is not None, "a policy in force has a current version"
    told = policy_wording.rules_in_words(version.document, version.profile, at=version.created_at)
    rules = [(f"{policy.name}/{rule.key}", f"{policy.name}/{rule.key}: {rule.says}") for rule in told]
    return policy.name, [(policy.name, f"{policy.name}, all of it"), *rules]
