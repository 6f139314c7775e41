"""policy rollback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from governance import configuration, policies, restoring, simulation
from governance.cli import runs, simulations
from governance.cli.output import Exit, Output, end, operator
from governance.models import Policy
from governance.restoring import Restoration


def rollback(
    out: Output,
    policy: Policy,
    number: int,
    tenants: Sequence[str],
    *,
    apply: bool,
    timeout: float,
    at: datetime,
) -> None:
    """Show what would bring the tenants back, and with `apply` do it. Ends with DIFFERENT if only shown."""
    try:
        restoration = restoring.prepare(policy, number, tenants)
    except restoring.NothingToRestore as nothing:
        told = str(nothing)
        out.answer({"policy": policy.name, "snapshot": number, "tenants": []}, lambda: out.say(told))
        return
    if not apply:
        _show(out, restoration, at)
        end(Exit.DIFFERENT)
    baseline = restoring.apply(restoration, actor=operator(), at=at)
    out.say(f"{policy.name} is paused, {baseline.name} binds {len(restoration.tenants)} tenants.")
    runs.enforce(out, policy.group, [baseline.name], dry_run=False, timeout=timeout, at=at)


def _show(out: Output, restoration: Restoration, at: datetime) -> None:
    policy = restoration.policy
    version = restoring.draft(restoration, actor=operator(), at=at)
    kept = simulation.simulate(
        policy.group,
        policies=[restoration.document],
        exemptions=restoration.exemptions(),
        at=at,
        actor=operator(),
        title=version.document["title"],
    )
    document = {
        "policy": policy.name,
        "snapshot": restoration.snapshot.number,
        "baseline": policies.as_written(restoration.document),
        "version": version.number,
        "tenants": list(restoration.tenants),
        "left_out": list(restoration.left_out),
        "simulation": simulation.as_document(kept),
    }

    def show() -> None:
        out.console.print(configuration.dump(policies.as_written(restoration.document)), markup=False)
        simulations.show(out, kept)
        for plugin in restoration.left_out:
            out.say(f"Not brought back, since it was removed: {plugin}", "yellow")
        out.say("Kept as a draft; nothing is done yet. --yes does it.")

    out.answer(document, show)
