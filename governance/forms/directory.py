"""Naming somebody who is responsible, and how their list may be narrowed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django_filters import ChoiceFilter, FilterSet

from tenants.models import Membership, Role, Tenant, User


class ResponsibleFilter(FilterSet):
    """How the list of tenants may be narrowed."""

    responsible = ChoiceFilter(
        label="Responsible", empty_label="Any", choices=[("nobody", "Nobody")], method="by_responsible"
    )

    class Meta:
        model = Tenant
        fields: tuple[str, ...] = ()

    def by_responsible(self, rows: QuerySet[Any], _name: str, _value: str) -> QuerySet[Any]:
        """Tenants that nobody answers for who can be told."""
        answering = Membership.objects.valid().filter(role=Role.TENANT_ADMIN)
        return rows.exclude(pk__in=answering.values("tenant"))


class NameForm(forms.Form):
    """Somebody with an account, by the name that they sign in with."""

    person = forms.CharField(
        label="Who", max_length=150, help_text="The name that they sign in with.", strip=True
    )

    def clean_person(self) -> User:
        """The account of that name."""
        name: str = self.cleaned_data["person"]
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise forms.ValidationError(
                f"Nobody who may sign in is called “{name}”. People without an account come from the "
                "directory file or from LDAP."
            )
        return user
