"""What may happen to a group, for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.governance.drift_worlds import CATALOGUE, HOST, LATER, POLICIES, TENANTS, Step

VERSIONS = {name: [version for version, _, _ in rows] for name, rows in CATALOGUE.items()}
PLUGINS = sorted(CATALOGUE)
DAYS = st.integers(1, 8).map("in {}d".format)

version = st.sampled_from(["1.0.0", "1.1.0", "2.0.0", "2.1.0", "3.0.0"])
LIMITS = ({"hold": True}, {"at_most": "1.0.0"}, {"at_most": "2.0.0"}, {"deny": ">=2.1.0"}, {"min_age": "45d"})
selector = st.one_of(
    st.just("*"),
    st.just("*"),
    st.just("*"),
    st.sets(st.sampled_from(sorted(TENANTS)), min_size=1).map(lambda keys: {"keys": sorted(keys)}),
    st.sampled_from(["pilot", "main"]).map(lambda ring: {"labels": {"ring": ring}}),
    st.sampled_from(sorted(TENANTS)).map(lambda key: {"except": {"keys": [key]}}),
)
# Twice as often as the others: what moves with the tenants and the other rules.
same = st.just({"same": True})
distance = st.fixed_dictionaries(
    {}, optional={"channel": st.just("lts"), "patch": st.integers(0, 1), "releases": st.integers(0, 2)}
)
# What can be asked of every plugin at once.
broad = st.one_of(
    same,
    same,
    st.just({"hold": True}),
    distance.map(lambda given: {"within": {"minor": 1, **given}}),
    st.just({"within": {"major": 0}}),
    st.just({"channel": "lts"}),
    st.sampled_from(["2d", "20d", "21d", "45d"]).map(lambda age: {"min_age": age}),
    st.sampled_from(["vulnerable", "withdrawn"]).map(lambda state: {"deny": state}),
)  # fmt: skip
narrow = st.one_of(
    st.sampled_from([">=2.0.0", "<2.0.0", ">=1.1.0 <3.0.0", "^2.0.0"]).map(lambda text: {"range": text}),
    st.tuples(st.sampled_from(["at_least", "at_most", "exactly"]), version).map(lambda pair: dict([pair])),
    version.map(lambda at: {"same": True, "at": at}),
    st.just({"deny": "<2.0.0"}),
    st.just({"present": True}),
    st.just({"absent": True}),
)
named = st.sets(st.sampled_from(PLUGINS), min_size=1, max_size=2).map(sorted)


@st.composite
def rules(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A rule, perhaps with variants."""
    every = draw(st.integers(0, 3)) == 3
    wishes = broad if every else st.one_of(broad, narrow)
    rule = {"name": name, "plugins": "*" if every else draw(named), **draw(wishes)}
    variants = [
        {"name": f"v{place}", "tenants": draw(selector), **draw(wishes)}
        for place in range(draw(st.sampled_from([0, 0, 0, 1, 2])))
    ]
    return {**rule, "variants": variants} if variants else rule


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A policy's document, without its name."""
    document = {
        "tenants": draw(selector),
        "rules": [draw(rules(f"r{n}")) for n in range(draw(st.integers(1, 2)))],
    }
    for edge in ("effective_from", "effective_until"):
        if draw(st.integers(0, 5)) == 5:
            document[edge] = draw(DAYS)
    return document


deny = st.lists(st.sampled_from(["vulnerable", "withdrawn"]), unique=True, max_size=1).map(tuple)
tenant = st.sampled_from(sorted(TENANTS))
policy = st.sampled_from(POLICIES)
# The oldest first, as what a shrunk example comes down to should still drift.
manifest = st.fixed_dictionaries(
    {name: st.sampled_from([*VERSIONS[name], *LATER[name], None]) for name in PLUGINS}
).map(lambda installed: {name: version for name, version in installed.items() if version is not None})
later = st.sampled_from(PLUGINS).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(LATER[name])))
known = st.sampled_from(PLUGINS).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(VERSIONS[name]))
)

install = st.tuples(st.just("install"), tenant, manifest)
put = st.tuples(st.just("policy"), policy, documents(), deny)
step: st.SearchStrategy[Step] = st.one_of(
    install,
    install,
    put,
    put,
    st.tuples(st.just("retire"), policy),
    st.tuples(
        st.just("exempt"), tenant, policy, st.sampled_from(["", "r0", "profile-vulnerable"]),
        st.sampled_from([None, "crm", HOST]), st.integers(0, 3), st.integers(1, 5),
    ),
    st.tuples(st.just("revoke"), tenant),
    st.tuples(st.just("tick"), st.integers(1, 4)),
    st.tuples(st.just("expire")),
    later.map(lambda pair: ("publish", *pair)),
    known.map(lambda pair: ("withdraw", *pair)),
    known.map(lambda pair: ("warn", *pair)),
    st.tuples(st.just("label"), tenant, st.sampled_from(["pilot", "main"])),
    st.tuples(st.just("seal")),
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """A start with something installed and something wanted, then anything. A release is published once."""
    start: list[Step] = [("install", key, draw(manifest)) for key in sorted(TENANTS)]
    start += [draw(put) for _ in range(2)]
    steps: list[Step] = []
    for taken in [*start, *draw(st.lists(step, min_size=2, max_size=8))]:
        if taken[0] != "publish" or taken not in steps:
            steps.append(taken)
    return steps


@st.composite
def contests(draw: st.DrawFn) -> list[Step]:
    """One version is wanted everywhere, others keep some from it: what anybody does may move the target."""
    aligned = {"tenants": "*", "rules": [{"name": "r0", "plugins": ["crm"], "same": True}]}
    limits = [
        {
            "tenants": {"keys": [key]},
            "rules": [{"name": "r0", "plugins": ["crm"], **draw(st.sampled_from(LIMITS))}],
        }
        for key in draw(st.permutations(sorted(TENANTS)))[:2]
    ]
    change = st.one_of(
        st.tuples(st.just("install"), tenant, st.sampled_from([{}, {"crm": "1.0.0"}, {"crm": "2.0.0"}])),
        st.tuples(
            st.just("exempt"), tenant, policy, st.just(""), st.none(), st.integers(0, 2), st.integers(1, 3)
        ),
        st.tuples(st.just("revoke"), tenant),
        st.tuples(st.just("tick"), st.integers(1, 4)),
        st.tuples(st.just("retire"), policy),
    )
    return [
        *(("install", key, {"crm": draw(st.sampled_from(["1.0.0", "2.0.0"]))}) for key in sorted(TENANTS)),
        ("policy", "first", aligned, ()),
        ("policy", "second", limits[0], ()),
        ("policy", "third", limits[1], ()),
        *draw(st.lists(change, min_size=2, max_size=6)),
    ]
