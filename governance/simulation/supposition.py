"""What a simulation supposes; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.policy_documents import Document

# The sections of a document, and the kind of policy that their entries are where they say none.
SECTIONS = {"baselines": "baseline", "policies": "policy", "holds": "hold"}


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is supposed beside what is: each document stands in for what has its name.

    `policies` are of every kind, holds among them; `exemptions` are as in the YAML, and their policies may
    be supposed ones. `retired` names policies that are supposed not to be there, `paused` those that are to
    act on nothing, `ended` exemptions, by name or id. `releases` are supposed to be in the catalogue,
    `withdrawn` ones taken back. `at` is the time that is asked about, None for the present; `snapshot` the
    past state that is, None for the present one. `plan` is the number of one that is to be carried out.
    With `acting`, only these policies are acted on, as by a run that names them; the others bind.
    """

    policies: Sequence[Document] = ()
    profiles: Sequence[Document] = ()
    exemptions: Sequence[Document] = ()
    retired: Sequence[str] = ()
    paused: Sequence[str] = ()
    acting: Sequence[str] = ()
    ended: Sequence[str] = ()
    sla: Mapping[str, int] | None = None
    releases: Sequence[Document] = ()
    withdrawn: Sequence[Document] = ()
    at: str | None = None
    snapshot: int | None = None
    plan: int | None = None

    def as_document(self) -> dict[str, Any]:
        """As it is kept, digested and read again; what isn't supposed is left out."""
        lists = {
            "policies": [dict(document) for document in self.policies],
            "profiles": [dict(document) for document in self.profiles],
            "exemptions": [dict(document) for document in self.exemptions],
            "retired": sorted(self.retired),
            "paused": sorted(self.paused),
            "acting": sorted(self.acting),
            "ended": sorted(self.ended),
            "releases": [dict(document) for document in self.releases],
            "withdrawn": [dict(document) for document in self.withdrawn],
        }
        one = {"sla": dict(self.sla) if self.sla is not None else None, "at": self.at}
        given = {**lists, **one, "snapshot": self.snapshot, "plan": self.plan}
        return {name: value for name, value in given.items() if value not in (None, [])}

    @property
    def alters_catalogue(self) -> bool:
        """Whether releases are supposed, which may matter to every tenant."""
        return bool(self.releases or self.withdrawn)

    @property
    def unappliable(self) -> list[str]:
        """What of it nobody can bring about, in words."""
        found = [f"{one['plugin']} {one['version']} in the catalogue" for one in self.releases]
        found += [f"{one['plugin']} {one['version']} withdrawn" for one in self.withdrawn]
        found += [f"the time {self.at}"] if self.at else []
        found += [f"the state of snapshot {self.snapshot}"] if self.snapshot else []
        return found + ([f"plan {self.plan} carried out"] if self.plan else [])


def of_document(document: Mapping[str, Any]) -> Supposition:
    """The supposition that a document describes, which its reader has checked."""
    policies = [
        {**item, "kind": item.get("kind", kind)}
        for section, kind in SECTIONS.items()
        for item in document.get(section, ())
    ]
    return Supposition(
        policies=policies,
        profiles=document.get("profiles", ()),
        exemptions=document.get("exemptions", ()),
        retired=document.get("retired", ()),
        paused=document.get("paused", ()),
        acting=document.get("acting", ()),
        ended=document.get("ended", ()),
        sla=document.get("sla"),
        releases=document.get("releases", ()),
        withdrawn=document.get("withdrawn", ()),
        at=document.get("at"),
        snapshot=document.get("snapshot"),
        plan=document.get("plan"),
    )
