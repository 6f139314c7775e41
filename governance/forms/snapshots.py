"""How the lists of snapshots, and of what differs between two, may be narrowed."""

from __future__ import annotations

from typing import Any

from django import forms
from django_filters import CharFilter, ChoiceFilter, FilterSet

from governance.models import Installation, Snapshot
from governance.models.snapshot import Trigger
from governance.snapshots import ChangeKind


class SnapshotFilter(FilterSet):
    """How the list of snapshots may be narrowed."""

    trigger = ChoiceFilter(label="Made by", empty_label="Any", choices=Trigger.choices)
    changes = ChoiceFilter(
        label="Changes", empty_label="Any", choices=[("some", "With changes")], method="by_changes"
    )

    class Meta:
        model = Snapshot
        fields: tuple[str, ...] = ()

    def by_changes(self, rows: Any, _name: str, _value: str) -> Any:
        """Those in which something changed."""
        return rows.exclude(opened=0, closed=0)


class ChangeFilter(FilterSet):
    """How the differences between two snapshots may be narrowed."""

    kind = ChoiceFilter(label="Change", empty_label="Any", choices=ChangeKind.choices)
    tenant = CharFilter(label="Tenant", field_name="tenant__key", lookup_expr="iexact")
    plugin = CharFilter(label="Plugin", field_name="plugin__name", lookup_expr="iexact")

    class Meta:
        model = Installation
        fields: tuple[str, ...] = ()


class CompareForm(forms.Form):
    """The numbers of two snapshots."""

    older = forms.IntegerField(label="From snapshot", min_value=1)
    newer = forms.IntegerField(label="To snapshot", min_value=1)

    def __init__(self, *args: Any, newest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("older", "newer"):
            field = self.fields[name]
            assert isinstance(field, forms.IntegerField)
            field.widget.attrs["max"] = newest
        self.newest = newest

    def clean(self) -> dict[str, Any]:
        """Both must have been sealed."""
        for name in ("older", "newer"):
            number = self.cleaned_data.get(name)
            if number is not None and number > self.newest:
                self.add_error(name, f"The newest snapshot is {self.newest}.")
        return self.cleaned_data
