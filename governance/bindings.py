"""The rules that bind a component of a tenant, as resolution sees them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from governance.compilation.judgements import broken_by
from governance.demands import PluginRow
from governance.likeness import Exempt, Likeness
from governance.models import Policy, Rule
from governance.models.policy import Mode
from governance.models.rule import RuleKind
from governance.resolution import Binding, Prefer
from governance.rules import Wish, says
from governance.stock import Stock

Broken = dict[int, dict[int, frozenset[int]]]  # by plugin and rule, the releases that break it


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A compiled rule. `acts` says whether its policy may have tenants changed."""

    id: int
    policy_id: int
    policy: str
    key: str
    kind: str
    plugins: frozenset[int]
    spec: Mapping[str, Any]
    targets: Mapping[str, int]
    selection_id: int
    weight: int
    prefer: Prefer
    until: datetime | None
    acts: bool

    @property
    def chooses(self) -> bool:
        """Whether the version that all shall have is for Plumbline to find."""
        return self.kind == RuleKind.SAME and not self.spec

    def covers(self, plugin: PluginRow) -> bool:
        """Whether the rule is about the plugin."""
        return plugin.id in self.plugins if self.plugins else not plugin.is_host


def rule_rows(rule_ids: Collection[int]) -> tuple[RuleRow, ...]:
    """The rules by their ids, with what their policies say about acting."""
    rows = Rule.objects.filter(pk__in=list(rule_ids)).order_by("pk").values_list(*_COLUMNS, named=True)
    return tuple(
        RuleRow(
            id=row.pk,
            policy_id=row.policy_id,
            policy=row.policy__name,
            key=row.key,
            kind=row.kind,
            plugins=frozenset(row.plugins),
            spec=row.spec,
            targets=row.targets,
            selection_id=row.selection_id,
            weight=row.weight,
            prefer=Prefer(row.version__profile__prefer or Prefer.NEAREST),
            until=row.effective_until,
            acts=row.mode == Mode.ENFORCE and row.policy__status == Policy.Status.ACTIVE,
        )
        for row in rows
    )


# Without the documents that policies are made from, which take longer to read than all else.
_COLUMNS = (
    *("pk", "policy_id", "policy__name", "policy__status", "key", "kind", "plugins", "spec", "targets"),
    *("selection_id", "weight", "mode", "effective_until", "version__profile__prefer"),
)


class Rulebook:
    """Which of the rules bind which tenants, and what they leave to a component there."""

    def __init__(
        self,
        rules: Sequence[RuleRow],
        stock: Stock,
        acting: frozenset[int] | None = None,
        broken: Broken | None = None,
    ) -> None:
        """`acting` are the ids of the rules to be acted on, None for all; the others bind, no more.

        `broken` is what another rulebook of the same rules has at hand already, for both to add to.
        """
        self.rules = rules
        self.stock = stock
        self.catalogue = stock.catalogue
        self.acting = acting
        self._broken: Broken = {} if broken is None else broken
        self._covering: dict[int, list[RuleRow]] = {}
        self._about: dict[tuple[tuple[int, ...], int], tuple[RuleRow, ...]] = {}
        self._bound: dict[tuple[tuple[int, ...], Exempt, int, int | None], tuple[Binding, ...]] = {}
        self._bindings: dict[tuple[int, int, int | None], Binding | None] = {}

    def load(self, plugin_ids: Iterable[int]) -> None:
        """Have at hand which releases of these plugins break the rules."""
        missing = set(plugin_ids) - self._broken.keys()
        if missing:
            found = broken_by([rule.id for rule in self.rules], missing)
            self._broken.update({plugin_id: found.get(plugin_id, {}) for plugin_id in missing})

    def binding(self, alike: Likeness, plugin_id: int, installed: int | None) -> tuple[Binding, ...]:
        """What binds a loaded plugin in the tenants alike, which have that release of it."""
        known = self._bound.get(key := (alike.selections, alike.exempt, plugin_id, installed))
        if known is None:
            plugin = self.catalogue.plugins[plugin_id]
            found = (
                self._once(rule, plugin, installed)
                for rule in self._rules_about(plugin, alike.selections)
                if not (alike.exempt and _is_exempt(alike, rule, plugin_id))
            )
            known = self._bound[key] = tuple(binding for binding in found if binding is not None)
        return known

    def _rules_about(self, plugin: PluginRow, selections: tuple[int, ...]) -> tuple[RuleRow, ...]:
        if plugin.id not in self._covering:
            self._covering[plugin.id] = [rule for rule in self.rules if rule.covers(plugin)]
        key = (selections, plugin.id)
        if key not in self._about:
            found = (rule for rule in self._covering[plugin.id] if rule.selection_id in selections)
            self._about[key] = tuple(found)
        return self._about[key]

    def _once(self, rule: RuleRow, plugin: PluginRow, installed: int | None) -> Binding | None:
        """One object for equal bindings. What is installed matters to a hold alone."""
        key = (rule.id, plugin.id, installed if rule.kind == RuleKind.HOLD else None)
        if key not in self._bindings:
            made = self._make(rule, plugin, key[2])
            self._bindings[key] = None if made is None else self.stock.binding(made)
        return self._bindings[key]

    def _make(self, rule: RuleRow, plugin: PluginRow, held: int | None) -> Binding | None:
        everything = self.catalogue.ids(plugin.id)
        broken = self._broken[plugin.id].get(rule.id, frozenset())
        if rule.kind == RuleKind.HOLD:
            allowed = frozenset({held} if held is not None else ())
        elif rule.kind == RuleKind.ABSENT:
            allowed = frozenset()
        elif not broken and rule.kind != RuleKind.PRESENT:
            return None
        else:
            allowed = everything - broken
        return Binding(
            policy=rule.policy,
            key=rule.key,
            kind=rule.kind,
            component=plugin.id,
            allowed=allowed,
            absence=rule.kind != RuleKind.PRESENT and held is None,  # what is held mustn't go either
            weight=rule.weight,
            says=self._says(rule, plugin, held),
            prefer=rule.prefer,
            exact="exactly" in rule.spec or rule.kind == RuleKind.SAME,
            wanted=self.acting is None or rule.id in self.acting,
        )

    def _says(self, rule: RuleRow, plugin: PluginRow, held: int | None) -> str:
        target = rule.targets.get(str(plugin.id))
        versions = [self.catalogue.version(pk) for pk in (held, target) if pk is not None]
        return phrase(rule, plugin.name, versions[0] if versions else None)


def _is_exempt(alike: Likeness, rule: RuleRow, plugin_id: int) -> bool:
    return any(
        policy == rule.policy_id and key in ("", rule.key) and plugin in (None, plugin_id)
        for policy, key, plugin in alike.exempt
    )


def phrase(rule: RuleRow, plugin: str, version: str | None) -> str:
    """What a rule wants of a plugin, to follow the rule's name; `version` is what it holds or has chosen."""
    if rule.kind == RuleKind.HOLD:
        where = f"at {version}" if version else "away"
        return f"keeps {plugin} {where}{_until(rule.until)}"
    if rule.kind == RuleKind.SAME:
        return f"wants {plugin} {rule.spec.get('at', version or 'on one version')} everywhere"
    for word, form in _FORMS.items():
        if word in rule.spec:
            return "wants " + form.format(plugin=plugin, value=rule.spec[word])
    if rule.kind in (RuleKind.PRESENT, RuleKind.ABSENT):
        return f"wants {plugin} {'installed' if rule.kind == RuleKind.PRESENT else 'gone'}"
    return f"says that {says(Wish(rule.kind, rule.spec), [plugin])}"


_FORMS = {
    "range": "{plugin} {value}",
    "exactly": "{plugin} {value}",
    "at_least": "{plugin} {value} or newer",
    "at_most": "{plugin} {value} or older",
}


def _until(end: datetime | None) -> str:
    """The last day of a hold: its end is the first moment at which it no longer holds."""
    if end is None:
        return ""
    last = end - timedelta(microseconds=1)
    return f" until {last.day} {last:%B %Y}"
