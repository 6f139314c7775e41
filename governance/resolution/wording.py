"""What is wrong with an installed set, in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from governance.resolution.consistency import Reason, Why
from governance.resolution.releases import Release

Names = Mapping[int, str]  # of the components


def reason_in_words(reason: Reason, names: Names) -> str:
    """The reason as a sentence about its release, without subject and full stop."""
    relation, beside = reason.relation, [names[release.component] for release in reason.beside]
    if reason.why is Why.TORN:
        return f"needs what doesn't go together: {names[reason.release.component]} {relation.says}"
    if reason.why is Why.THROUGH:
        return f"{relation.says}, and {_listed(beside)} can't run"
    if reason.beside:
        return f"{relation.says}, and {_listed([_at(release, names) for release in reason.beside])}"
    nothing = "none of which is" if max(len(relation.components), len(relation.what)) > 1 else "which isn't"
    return f"{relation.says}, {nothing} installed"


def _at(release: Release, names: Names) -> str:
    return f"{names[release.component]} is at {release.version}"


def _listed(texts: Sequence[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
