"""Asking what would happen, and how the list of simulations may be narrowed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django_filters import ChoiceFilter, FilterSet

from governance import documents, simulation
from governance.documents import ConfigurationError, Source
from governance.forms.policies import LONGEST, Located, located
from governance.models import Exemption, Policy, Simulation
from governance.simulation import Supposition
from tenants.models import Group

_FIELDS = ("retired", "ended", "at", "snapshot")


class SimulationFilter(FilterSet):
    """How the list of simulations may be narrowed."""

    status = ChoiceFilter(label="Status", empty_label="Any", choices=Simulation.Status.choices)

    class Meta:
        model = Simulation
        fields: tuple[str, ...] = ()


class SupposeForm(forms.Form):
    """What is supposed: the simple things in fields of their own, texts as YAML.

    What is wrong with the text is told line by line in `problems`.
    """

    title = forms.CharField(
        label="Title", max_length=200, required=False, help_text="Kept with it, for those who look later."
    )
    retired = forms.MultipleChoiceField(
        label="Policies and holds that would end",
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 5}),
        help_text="As if they were retired. Ctrl or ⌘ chooses several.",
    )
    ended = forms.MultipleChoiceField(
        label="Exemptions that would end",
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 4}),
        help_text="As if they were over now.",
    )
    at = forms.CharField(
        label="On another day",
        max_length=40,
        required=False,
        help_text="A date such as 2030-01-31 or a length ahead such as <code>in 30d</code>: windows open and "
        "close, exemptions expire. Empty for now.",
    )
    snapshot = forms.IntegerField(
        label="On a past snapshot",
        min_value=1,
        required=False,
        help_text="Its number: what the tenants ran then, under the rules of now. Empty for the present.",
    )
    text = forms.CharField(
        label="Supposed texts, as YAML",
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "font-monospace"}),
        help_text="Policies, holds, exemptions, profiles, releases; what is left out stays as it is.",
    )

    def __init__(self, *args: Any, group: Group, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.asked_at = at
        self.problems: list[Located] = []
        self.warnings: list[Located] = []
        self.what = Supposition()
        self.written: frozenset[str] = frozenset()  # what the text has a section for
        policies = Policy.objects.filter(group=group).in_force().order_by("name")
        exemptions = Exemption.objects.filter(group=group).in_force(at).select_related("tenant", "policy")
        self._offer("retired", [(one.name, f"{one.name} ({one.get_kind_display()})") for one in policies])
        rows = exemptions.order_by("expires_at", "pk")
        self._offer("ended", [(str(one.pk), f"{one}, until {one.expires_at:%Y-%m-%d}") for one in rows])

    def clean(self) -> dict[str, Any]:
        """Read all of it as one supposition, and hold it to what the group has.

        Fields that are wrong by themselves are left out, so that all that is wrong is told at once.
        """
        cleaned = self.cleaned_data
        try:
            source = self._source(cleaned)
            self.what, odd = simulation.look(self.group, source, at=self.asked_at)
        except ConfigurationError as error:
            self._refuse(error, cleaned)
        else:
            self.warnings = located(odd, {}, cleaned.get("text", ""))
            if not self.errors and not self.what.as_document():
                self.add_error(None, "Suppose something: a text, an end, another day or a past snapshot.")
        return cleaned

    def _source(self, cleaned: Mapping[str, Any]) -> Source:
        text = cleaned.get("text", "").strip()
        source = documents.parse(cleaned["text"], file="text") if text else Source("text", {})
        if not isinstance(source.data, dict):
            reason = "is a mapping: policies, holds, exemptions, releases and so on"
            raise ConfigurationError([source.problem((), reason)])
        self.written = frozenset(source.data)
        both = {**source.data}
        for name in _FIELDS:
            value = cleaned.get(name)
            if value:
                both[name] = [*both.get(name, []), *value] if isinstance(value, list) else value
        return Source(source.file, both, source.lines)

    def _refuse(self, error: ConfigurationError, cleaned: Mapping[str, Any]) -> None:
        text = cleaned.get("text", "")
        for problem in error.problems:
            name = problem.place.partition("[")[0]
            if name in _FIELDS and name not in self.written and cleaned.get(name):
                self.add_error(name, problem.reason)
            else:
                self.problems += located([problem], {}, text)
        if count := len(self.problems):
            told = f"{count} {'thing is' if count == 1 else 'things are'} wrong; see the list above."
            self.add_error("text", told)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = choices
        if not choices:
            del self.fields[name]


class ApplyForm(forms.Form):
    """Why a simulation is applied."""

    comment = forms.CharField(
        label="Why", max_length=500, required=False, help_text="Kept with what it puts in force."
    )


def begins(query: Mapping[str, str]) -> dict[str, Any]:
    """What the address asks for, such as the end of a hold from that hold's page."""
    return {name: [query[name]] for name in ("retired", "ended") if query.get(name)} | {
        name: query[name] for name in ("at", "snapshot") if query.get(name)
    }
