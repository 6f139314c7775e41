"""What an order's steps make of a tenant: pure, and all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.state import TenantState


@dataclass(frozen=True, slots=True)
class Step:
    """One plugin (or the host, by its name) from one version to another; None is "not installed"."""

    plugin: str
    source: str | None
    target: str | None


class StepsDiffer(Exception):
    """The tenant doesn't run what the steps set out from; the text names each difference."""


def carry_out(state: TenantState, steps: Sequence[Step], at: datetime) -> TenantState:
    """The tenant after the steps. Raises StepsDiffer."""
    differences = [text for step in steps if (text := _difference(state, step))]
    if differences:
        raise StepsDiffer("; ".join(differences))
    plugins, host_version = dict(state.plugins), state.host_version
    for step in steps:
        if step.plugin == state.host_name:
            host_version = step.target or host_version
        elif step.target is None:
            plugins.pop(step.plugin, None)
        else:
            plugins[step.plugin] = step.target
    return replace(state, host_version=host_version, plugins=plugins, observed_at=at)


def _difference(state: TenantState, step: Step) -> str | None:
    is_host = step.plugin == state.host_name
    if is_host and step.target is None:
        return f"{step.plugin} is the host and can't be removed"
    installed = state.host_version if is_host else state.plugins.get(step.plugin)
    if installed == step.source:
        return None
    return f"{step.plugin} is {installed or 'not installed'}, the order expected {step.source or 'none'}"
