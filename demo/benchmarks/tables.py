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
    table = Table("stage", "seconds", "processor seconds", "peak MiB", "with", title=title)
    for stage, told in figures["stages"].items():
        table.add_row(
            stage, _seconds(told), _kinds(told["processor_seconds"]), _kinds(told["peak_mib"]), _with(told)
        )
        for part, of_part in told.get("parts", {}).items():
            table.add_row(f"  {part}", _seconds(of_part), "", "", _with(of_part))
    return table


def execution(figures: dict[str, Any]) -> Table:
    """A plan carried out, and the queue."""
    table = Table("execution", "figures")
    for name, value in figures["end_to_end"].items():
        table.add_row(name.replace("_", " "), _kinds(value) if isinstance(value, dict) else _short(value))
    for name, asked in figures["queue"].items():
        table.add_row(f"queue, {name}", _kinds(asked))
    return table


def notes(figures: dict[str, Any]) -> str:
    """The query plans of the hot statements."""
    told = figures["stages"]["plans"]["notes"]
    return "\n\n".join(f"-- {title}\n{plan}" for title, plan in told.items())


def _kinds(values: dict[str, float]) -> str:
    return "\n".join(f"{kind} {value:,}" for kind, value in values.items())


def _seconds(told: dict[str, Any]) -> str:
    if "milliseconds" in told:
        spread = ", ".join(f"{name} {value}" for name, value in told["milliseconds"].items())
        return f"{spread} ms"
    seconds = told.get("seconds", "")
    if isinstance(seconds, dict):
        return "\n".join(f"{name} {value:.2f}" for name, value in seconds.items())
    return str(seconds)


def _with(told: dict[str, Any]) -> str:
    left_out = {"seconds", "peak_mib", "processor_seconds", "notes", "parts", "milliseconds"}
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
