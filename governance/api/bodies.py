"""What the endpoints take and give, as the OpenAPI document shows it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from governance.forms.windows import WindowForm
from governance.models.simulation import LONGEST_TITLE
from tenants.models import Language


class Body(s.Serializer[Any]):
    """A JSON object; unknown fields are refused, since a misspelt one would be ignored in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse fields that aren't declared."""
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise s.ValidationError({name: ["Unknown field."] for name in unknown})
        return super().to_internal_value(data)


class Step(Body):
    """One step of an upgrade plan."""

    plugin = s.CharField(max_length=200)
    to = s.CharField(max_length=200, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a keyword of Python's, so it can't be an attribute."""
        fields = super().get_fields()
        fields["from"] = s.CharField(max_length=200, allow_null=True)
        return fields


class UpgradePlanBody(Body):
    """The outbound contract: bring one tenant to other versions, in this order."""

    group = s.CharField(max_length=100)
    plan = s.UUIDField()
    task = s.UUIDField()
    tenant = s.CharField(max_length=200)
    steps = Step(many=True, allow_empty=False)
    due_at = s.DateTimeField(allow_null=True, required=False)
    callback_url = s.URLField(max_length=500, allow_null=True, required=False, allow_blank=True)


class UpgradePlanAnswer(s.Serializer[Any]):
    """The order that an upgrade plan became."""

    id = s.CharField()
    status = s.CharField()


class Recipient(Body):
    """One person's digest."""

    user = s.CharField(max_length=150)
    email = s.EmailField(required=False, allow_blank=True)
    language = s.CharField(max_length=8, required=False)  # that the texts are in
    tenant = s.CharField(max_length=200, allow_null=True, required=False)
    subject = s.CharField(max_length=300)
    text = s.CharField()
    html = s.CharField(required=False, allow_blank=True)
    link = s.CharField(max_length=500, required=False, allow_blank=True)
    due_at = s.DateTimeField(allow_null=True, required=False)
    lines = s.ListField(child=s.DictField(), required=False)
    folded = s.IntegerField(required=False)  # how many lines are left out
    urgent = s.BooleanField(required=False)  # whether it was told without waiting
    key = s.CharField(max_length=160)


class NotifyBody(Body):
    """Messages to the people concerned."""

    kind = s.CharField(max_length=10)
    recipients = Recipient(many=True, allow_empty=False)


class AuditBody(s.Serializer[Any]):
    """A record of a policy execution, an exemption or a conflict; the ledger's own entries have this form."""

    at = s.DateTimeField()
    action = s.CharField(max_length=40)
    actor = s.DictField()
    subject = s.DictField()
    hash = s.RegexField(r"^[0-9a-f]{64}$", required=False)

    def get_fields(self) -> dict[str, Any]:
        """`data` is a name of the serializer's own, so it can't be an attribute."""
        fields = super().get_fields()
        fields["data"] = s.DictField(required=False)
        return fields


class ManifestAnswer(s.Serializer[Any]):
    """Which manifests were taken, and which not and why."""

    accepted = s.ListField(child=s.DictField())
    refused = s.ListField(child=s.DictField())


class SnapshotAnswer(s.Serializer[Any]):
    """A sealed snapshot."""

    number = s.IntegerField()
    sealed_at = s.DateTimeField()
    digest = s.CharField()
    tenants = s.IntegerField()
    installations = s.IntegerField()
    opened = s.IntegerField()
    closed = s.IntegerField()
    drift = s.DictField(child=s.IntegerField())


class SimulateBody(Body):
    """What is supposed, as in simulation.schema.json; each entry stands in for what has its name."""

    title = s.CharField(max_length=LONGEST_TITLE, required=False, allow_blank=True)
    at = s.CharField(max_length=40, required=False)  # a date, a time or a length ahead: in 30d
    snapshot = s.IntegerField(min_value=1, required=False)
    sla = s.DictField(child=s.IntegerField(), required=False)
    baselines = s.ListField(child=s.DictField(), required=False)
    policies = s.ListField(child=s.DictField(), required=False)
    holds = s.ListField(child=s.DictField(), required=False)
    profiles = s.ListField(child=s.DictField(), required=False)
    exemptions = s.ListField(child=s.DictField(), required=False)
    retired = s.ListField(child=s.CharField(max_length=100), required=False)
    paused = s.ListField(child=s.CharField(max_length=100), required=False)
    acting = s.ListField(child=s.CharField(max_length=100), required=False)
    plan = s.IntegerField(min_value=1, required=False)
    ended = s.ListField(child=s.CharField(max_length=100), required=False)
    releases = s.ListField(child=s.DictField(), required=False)
    withdrawn = s.ListField(child=s.DictField(), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something has to be asked."""
        if not attrs.keys() - {"title"}:
            raise s.ValidationError({"policies": ["Suppose something: policies, holds, a time, a release …"]})
        return attrs


class ApplyBody(Body):
    """Why a simulation is applied."""

    comment = s.CharField(max_length=500, required=False, allow_blank=True)


class EnforceBody(Body):
    """Which policies act; none named stands for all in force."""

    policies = s.ListField(child=s.CharField(max_length=100), required=False)
    dry_run = s.BooleanField(required=False, default=False)


class DecideBody(Body):
    """A person's decision on a conflict: which of its rules are set aside, and why."""

    conflict = s.UUIDField()
    set_aside = s.ListField(child=s.DictField(child=s.CharField()), allow_empty=False)
    reason = s.CharField(max_length=2000)
    decided_by = s.CharField(max_length=150)


class ApprovalBody(Body):
    """A person's approval of a plan."""

    approved_by = s.CharField(max_length=150)
    reason = s.CharField(max_length=1000, required=False, default="")


class RollbackBody(Body):
    """Which earlier state is wanted back, and how the policies that would undo it give way."""

    snapshot = s.IntegerField(min_value=1, required=False)
    before_plan = s.IntegerField(min_value=1, required=False)
    policy = s.CharField(max_length=100, required=False)
    tenants = s.ListField(child=s.CharField(max_length=200), required=False, allow_empty=False)
    way = s.ChoiceField(choices=["exempt", "pause"], required=False, default="exempt")
    ways = s.DictField(
        child=s.ChoiceField(choices=["exempt", "pause"]),
        required=False,
        help_text="Policies that give way otherwise, by name.",
    )
    until = s.DateTimeField(required=False)
    profile = s.CharField(max_length=50, required=False)
    reason = s.CharField(max_length=300)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either a snapshot or a plan."""
        if ("snapshot" in attrs) == ("before_plan" in attrs):
            raise s.ValidationError({"snapshot": ["Name either a snapshot or a plan, as before_plan."]})
        return attrs


class WindowBody(Body):
    """A weekly window by the clock of a place; `days` count from 0, Monday."""

    tenant = s.CharField(max_length=200)
    days = s.ListField(child=s.IntegerField(min_value=0, max_value=6), allow_empty=False)
    starts = s.TimeField()
    ends = s.TimeField()
    zone = s.CharField(max_length=60)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """On quarter hours, in a zone that there is."""
        form = WindowForm({**attrs, "days": [str(day) for day in attrs["days"]]})
        if not form.is_valid():
            raise s.ValidationError({name: list(map(str, told)) for name, told in form.errors.items()})
        return attrs


class PersonBody(Body):
    """Somebody, by the name that they sign in with."""

    person = s.CharField(max_length=150)


class AddressBody(PersonBody):
    """Where somebody's mail goes; empty: nowhere."""

    email = s.EmailField(max_length=254, allow_blank=True)


class DeputyBody(PersonBody):
    """Who stands in for somebody, from one day to another, the last one included."""

    deputy = s.CharField(max_length=150)
    starts_on = s.DateField()
    ends_on = s.DateField()


class ResponsibleBody(PersonBody):
    """What somebody answers for: either a tenant, by its key, or a policy, by its name."""

    tenant = s.CharField(max_length=200, required=False)
    policy = s.CharField(max_length=200, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if ("tenant" in attrs) == ("policy" in attrs):
            raise s.ValidationError({"tenant": ["Name either a tenant or a policy."]})
        return attrs


class LanguageBody(Body):
    """The language that a chat is told in; empty: what holds where nothing else is said."""

    language = s.ChoiceField(choices=Language.values, allow_blank=True)


class ChatBody(LanguageBody):
    """A team's chat: what it is called, and where it is, in apprise's notation."""

    name = s.CharField(max_length=100)
    address = s.CharField(max_length=1000)
    language = s.ChoiceField(choices=Language.values, allow_blank=True, default="")


class FreezesBody(Body):
    """A freeze calendar, as `freezes` has it in multi_tenant_baselines.schema.json."""

    freezes = s.ListField(child=s.DictField())


class ReconcileBody(Body):
    """Whether what has one right answer is repaired, and whether all that ever was is compared."""

    apply = s.BooleanField(required=False, default=False)
    all = s.BooleanField(required=False, default=False)


class ReasonBody(Body):
    """Why."""

    reason = s.CharField(max_length=1000)


class PolicySwitchBody(ReasonBody):
    """Which policy is paused or resumed, by its name, and why."""

    policy = s.CharField(max_length=100)


class PriorityBody(Body):
    """Where an upgrade task is sent within the queue, and why."""

    move = s.ChoiceField(choices=["raise", "lower", "front"])
    reason = s.CharField(max_length=1000)


class CorrectionBody(Body):
    """What a person did by hand instead of an upgrade task."""

    done = s.CharField(max_length=2000)


class Document(s.Serializer[Any]):
    """A JSON object."""
