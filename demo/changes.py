"""Random changes of a group's policies, such as people make: the same for the same seed and group."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Count
from django.utils import timezone

from governance.models import Exemption, Installation, Plugin, Policy, Profile, Release
from governance.simulation import Supposition
from tenants.models import Group, Tenant

_NEAR = 12  # releases on either side of what most tenants run


class Changes:
    """Draws changes for a group as it stands at the time of each draw."""

    def __init__(self, group: Group, seed: int) -> None:
        self.group = group
        self.random = random.Random(seed)
        self.number = 0

    def __iter__(self) -> Iterator[tuple[str, Supposition]]:
        """Changes without end, each with a word for its kind."""
        kinds: list[tuple[str, Callable[[], Supposition | None]]] = [
            ("edit", self._edit),
            ("edit", self._edit),
            ("policy", self._policy),
            ("policy", self._policy),
            ("hold", self._hold),
            ("retirement", self._retirement),
            ("exemption", self._exemption),
            ("end", self._end),
        ]
        while True:
            self.number += 1
            kind, draw = self.random.choice(kinds)
            what = draw()
            if what is not None:
                yield kind, what

    def _edit(self) -> Supposition | None:
        """Another version in a rule of a policy in force that names one."""
        policies = Policy.objects.filter(group=self.group).in_force().exclude(kind="hold")
        documents = [
            p.current.document for p in policies.order_by("name").select_related("current") if p.current
        ]
        self.random.shuffle(documents)
        for document in documents:
            rules = [dict(rule) for rule in document.get("rules", ())]
            named = [rule for rule in rules if len(rule.get("plugins", ())) == 1 and _names_version(rule)]
            if named:
                rule = self.random.choice(named)
                word = _names_version(rule)
                rule[word] = self._version(rule["plugins"][0])
                return Supposition(policies=[{**document, "rules": rules}])
        return None

    def _policy(self) -> Supposition:
        """A new policy about one or two plugins that many tenants run."""
        rules = [
            {"name": plugin, "plugins": [plugin], **self._wish(plugin)}
            for plugin in self.random.sample(self._common(), self.random.choice([1, 1, 2]))
        ]
        profiles = sorted(Profile.objects.filter(group=self.group).values_list("name", flat=True))
        document = {
            "name": f"drawn-{self.number}",
            "kind": "policy",
            "profile": self.random.choice(profiles),
            "tenants": self._tenants(),
            "rules": rules,
        }
        return Supposition(policies=[document])

    def _wish(self, plugin: str) -> dict[str, Any]:
        version = self._version(plugin)
        return self.random.choice(
            [
                {"at_least": version},
                {"exactly": version},
                {"same": True},
                {"same": True, "at": version},
                {"deny": "vulnerable"},
                {"absent": True},
                {"present": True},
            ]
        )

    def _hold(self) -> Supposition:
        document = {
            "name": f"drawn-{self.number}",
            "kind": "hold",
            "tenants": self._tenants(),
            "plugins": self.random.sample(self._common(), 2),
            "until": "in 9 days",
            "reason": "Drawn by lot.",
        }
        return Supposition(policies=[document])

    def _retirement(self) -> Supposition | None:
        names = sorted(Policy.objects.filter(group=self.group).in_force().values_list("name", flat=True))
        return Supposition(retired=[self.random.choice(names)]) if names else None

    def _exemption(self) -> Supposition | None:
        policies = Policy.objects.filter(group=self.group).in_force().exclude(kind="hold")
        names = sorted(policies.values_list("name", flat=True))
        if not names:
            return None
        document = {
            "name": f"drawn-{self.number}",
            "tenant": self.random.choice(self._keys()),
            "policy": self.random.choice(names),
            "reason": "Drawn by lot.",
            "until": "in 9 days",
        }
        return Supposition(exemptions=[document])

    def _end(self) -> Supposition | None:
        rows = Exemption.objects.filter(group=self.group).in_force(timezone.now()).exclude(name="")
        names = sorted(rows.values_list("name", flat=True))
        return Supposition(ended=[self.random.choice(names)]) if names else None

    def _version(self, plugin: str) -> str:
        """A release not far from what most tenants run."""
        releases = list(
            Release.objects.filter(group=self.group, plugin__name=plugin, catalogued=True)
            .order_by("rank", "pk")
            .values_list("pk", "version")
        )
        rows = Installation.objects.filter(group=self.group, plugin__name=plugin).current()
        most = rows.order_by().values_list("release_id").annotate(n=Count("pk")).order_by("-n", "release_id")
        usual = most[0][0] if most else None
        place = next((index for index, (pk, _) in enumerate(releases) if pk == usual), len(releases) - 1)
        near = releases[max(0, place - _NEAR) : place + _NEAR + 1]
        return str(self.random.choice(near)[1])

    def _common(self) -> list[str]:
        """The plugins that more than half of the tenants run."""
        rows = Plugin.objects.filter(group=self.group, catalogued=True, is_host=False)
        counted = Installation.objects.filter(group=self.group).current().order_by().values("plugin_id")
        half = Tenant.objects.filter(group=self.group).active().count() / 2
        many = counted.annotate(n=Count("pk")).filter(n__gt=half).values("plugin_id")
        return sorted(rows.filter(pk__in=many).values_list("name", flat=True))

    def _tenants(self) -> Any:
        keys = self._keys()
        few = sorted(self.random.sample(keys, max(1, len(keys) // 5)))
        return self.random.choice(
            ["*", {"labels": {"ring": "pilot"}}, {"keys": few}, {"except": {"keys": few}}]
        )

    def _keys(self) -> list[str]:
        return sorted(Tenant.objects.filter(group=self.group).active().values_list("key", flat=True))


def _names_version(rule: dict[str, Any]) -> str:
    """The word by which a rule names a version; empty if it names none."""
    return next((word for word in ("at", "at_least", "exactly", "at_most") if word in rule), "")
