"""Figures as tables for people; --json has all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

Row = tuple[str, str, str]


def loop(figures: dict[str, Any]) -> Table:
    """The loop on the real fleet."""
    table = Table("measured", "seconds", "with")
    for row in _loop_rows(figures):
        table.add_row(*row)
    return table


def evaluation(name: str, figures: dict[str, Any]) -> Table:
    """Evaluation on a generated fleet."""
    size, machine = figures["size"], figures["machine"]
    title = (
        f"{name}: {size['tenants']:,} tenants x {size['plugins']} plugins, {size['policies']} policies; "
        f"{machine['cores']} cores, load {machine['load'][0]}"
    )
    table = Table("stage", "seconds", "peak MiB", "with", title=title)
    for stage, told in figures["stages"].items():
        peaks = ", ".join(f"{kind} {peak:,}" for kind, peak in told["peak_mib"].items())
        table.add_row(stage, _seconds(told), peaks, _with(told))
    return table


def _seconds(told: dict[str, Any]) -> str:
    if "milliseconds" in told:
        return f"{told['milliseconds']['median'] / 1000:.4f}"
    seconds = told["seconds"]
    if isinstance(seconds, dict):
        return "\n".join(f"{name} {value:.2f}" for name, value in seconds.items())
    return f"{seconds:.2f}"


def _with(told: dict[str, Any]) -> str:
    left_out = {"seconds", "peak_mib", "note"}
    return ", ".join(f"{name} {_short(value)}" for name, value in told.items() if name not in left_out)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_short(one)}" for name, one in value.items()) + ")"
    if isinstance(value, list):
        return "/".join(map(_short, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _loop_rows(figures: dict[str, Any]) -> Iterator[Row]:
    counts = {name: value for name, value in figures["loaded"].items() if name != "seconds"}
    told = ", ".join(f"{value:,} {name}" for name, value in counts.items())
    for stage, seconds in figures["loaded"]["seconds"].items():
        yield f"load: {stage}", f"{seconds:.2f}", told if stage == "history" else ""
    seen, report = figures["manifest_to_finding"], figures["report"]
    yield "manifest answered", f"{seen['answered']:.3f}", ""
    yield "manifest to visible finding", f"{seen['visible']:.3f}", "web and worker running"
    sizes = ", ".join(f"{name} {size:,} bytes" for name, size in report["bytes"].items())
    yield "compliance report", f"{report['seconds']:.2f}", sizes
    for name in ("loop", "again"):
        one = figures[name]
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in one["stages"].items())
        changed = "changed" if one["changed"] else "nothing changed"
        with_what = f"{one['tasks']} tasks, {changed}; {stages}"
        yield f"whole loop, {name}", f"{one['seconds']:.2f}", with_what
