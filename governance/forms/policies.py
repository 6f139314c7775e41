"""Writing a policy, changing where it stands, and how the lists about policies may be narrowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django_filters import ChoiceFilter, FilterSet

from config.filters import SeenValuesFilter
from governance import documents, policies
from governance.documents import ConfigurationError, Problem
from governance.documents.reading import spelled
from governance.models import Policy, PolicyVersion
from governance.models.policy import Mode
from tenants.models import Group, Tenant

LONGEST = 200_000


class PolicyFilter(FilterSet):
    """How the list of policies may be narrowed."""

    status = ChoiceFilter(
        label="Status",
        empty_label="Not retired",
        choices=[("all", "All"), *Policy.Status.choices],
        method="by_status",
    )
    kind = ChoiceFilter(label="Kind", empty_label="Any", choices=Policy.Kind.choices)
    profile = SeenValuesFilter(label="Profile", empty_label="Any", field_name="current__profile_name")
    mode = ChoiceFilter(
        label="Mode", empty_label="Any", choices=Mode.choices, field_name="current__profile__mode"
    )

    class Meta:
        model = Policy
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Without a choice of a status, those that still matter."""
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        chosen = self.form.cleaned_data.get("status")
        return rows if chosen else rows.exclude(status=Policy.Status.RETIRED)

    def by_status(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Policies by where they stand."""
        return rows if value == "all" else rows.filter(status=value)


class PolicyTenantFilter(FilterSet):
    """How the tenants that a policy selects may be narrowed."""

    drift = ChoiceFilter(
        label="Drift",
        empty_label="Any",
        choices=[("some", "Drifting"), ("none", "In line")],
        method="by_drift",
    )
    tier = SeenValuesFilter(label="Tier", empty_label="Any")

    class Meta:
        model = Tenant
        fields: tuple[str, ...] = ()

    def by_drift(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Tenants by whether they break the policy."""
        return rows.filter({"some": Q(open_drift__gt=0), "none": Q(open_drift=0)}[value])


@dataclass(frozen=True, slots=True)
class Located:
    """A problem beside the line of the text that it is about; line 0 where it is about none."""

    line: int
    text: str
    place: str
    reason: str


class PolicyForm(forms.Form):
    """The text of a policy. What is wrong with it is told line by line in `problems`."""

    kind = forms.ChoiceField(label="Kind", choices=Policy.Kind.choices, initial=Policy.Kind.POLICY)
    text = forms.CharField(
        label="Policy, as YAML",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "font-monospace"}),
    )
    comment = forms.CharField(
        label="What changes, and why",
        max_length=500,
        required=False,
        help_text="Kept with the version, and in the ledger.",
    )
    # The number of the version that the text was written from, so that nobody's later one is lost sight of.
    after = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, group: Group, at: datetime, policy: Policy | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.at = at
        self.policy = policy
        self.document: dict[str, Any] = {}
        self.problems: list[Located] = []
        self.warnings: list[Located] = []
        self.kinds: list[Policy.Kind] = []  # of which a text would be, that is none of the kind chosen
        if policy is not None:
            # What a policy is can't change; it would be another one.
            del self.fields["kind"]

    def clean(self) -> dict[str, Any]:
        """Read the text, and hold it to the schema and to what the group has."""
        text = self.cleaned_data.get("text", "")
        kind = self.policy.kind if self.policy else self.cleaned_data.get("kind")
        if text and kind:
            try:
                self._read(text, kind)
            except ConfigurationError as error:
                self.refuse(error.problems)
        return self.cleaned_data

    def refuse(self, problems: Iterable[Problem], lines: Mapping[str, int] | None = None) -> None:
        """Note what is wrong with the text."""
        self.problems += located(problems, lines or {}, self.cleaned_data["text"])
        count = len(self.problems)
        self.add_error(
            "text", f"{count} {'thing is' if count == 1 else 'things are'} wrong; see the list above."
        )

    def overtaken(self, newest: PolicyVersion) -> None:
        """Let the text be saved after that version, once its writer knows of it."""
        self.data = {**{name: self.data[name] for name in self.data}, "after": str(newest.number)}

    def _read(self, text: str, kind: str) -> None:
        source = documents.parse(text, file="policy")
        lines = {spelled(place): line for place, line in source.lines.items()}
        if not isinstance(source.data, dict):
            self.refuse([Problem("policy", 1, "", "is a mapping: name, profile, tenants, rules and so on")])
            return
        self.document = {**source.data, "kind": kind}
        problems, warnings = policies.check(self.group, self.document, at=self.at)
        if not any(problem.place == "name" for problem in problems):  # a name that is none isn't looked up
            problems = [*self._of_the_name(), *problems]
        self.warnings = located(warnings, lines, text)
        if problems:
            self.refuse(problems, lines)
            self.kinds = policies.kinds_of(self.document) if self.policy is None else []

    def _of_the_name(self) -> Iterator[Problem]:
        name = self.document.get("name")
        if self.policy is not None and name != self.policy.name:
            yield Problem(
                "policy", 0, "name", f"stays {self.policy.name}; make a new policy for another name"
            )
        if self.policy is None and Policy.objects.filter(group=self.group, name=str(name)).exists():
            yield Problem("policy", 0, "name", f"there is a policy {name} already; edit that one")


class ReasonForm(forms.Form):
    """Why a policy is paused, resumed or retired."""

    reason = forms.CharField(label="Reason", max_length=500, required=False, help_text="Kept in the ledger.")


class CompareForm(forms.Form):
    """Two versions of a policy."""

    older = forms.TypedChoiceField(label="Version", coerce=int)
    newer = forms.TypedChoiceField(label="Compared with", coerce=int)

    def __init__(self, *args: Any, versions: Iterable[PolicyVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(version.number), f"Version {version.number}") for version in versions]
        for name in ("older", "newer"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices


def located(problems: Iterable[Problem], lines: Mapping[str, int], text: str) -> list[Located]:
    """The problems with the lines of the text that they are about, in its order."""
    rows = text.splitlines()
    found = [(problem.line or _line_of(problem.place, lines), problem) for problem in problems]
    return [
        Located(line, rows[line - 1].strip() if 0 < line <= len(rows) else "", problem.place, problem.reason)
        for line, problem in sorted(found, key=lambda item: item[0])
    ]


def _line_of(place: str, lines: Mapping[str, int]) -> int:
    """The line of the value at that place, or of the nearest one around it."""
    around = [
        known for known in lines if known and (place == known or place.startswith((f"{known}.", f"{known}[")))
    ]
    return lines[max(around, key=len)] if around else 0
