"""A simulation as files: JSON with everything, CSV of findings and of actions, Markdown for a review."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from governance import conflict_wording
from governance.models import Simulation
from governance.simulation import planning, precedents
from governance.simulation.figures import figures, on_day

_SHOWN = 20  # lines of a table in Markdown; the review's place for all of them is the CSV
_NAMED = 5  # tenants


@dataclass(frozen=True, slots=True)
class File:
    """What is downloaded."""

    name: str
    content_type: str
    content: bytes


def export(simulation: Simulation, kind: str) -> File:
    """One of KINDS. Raises KeyError for another."""
    suffix, content_type, make = KINDS[kind]
    name = f"simulation-{simulation.number}{suffix}"
    return File(name, f"{content_type}; charset=utf-8", make(simulation))


def as_document(simulation: Simulation) -> dict[str, Any]:
    """A simulation as JSON."""
    return {
        "id": str(simulation.pk),
        "number": simulation.number,
        "title": simulation.title,
        "status": simulation.status,
        "snapshot": simulation.snapshot_number,
        "inputs_digest": simulation.inputs_digest,
        "supposed": simulation.supposed,
        "holds_until": simulation.holds_until.isoformat() if simulation.holds_until else None,
        "error": simulation.error,
        "plan": str(simulation.plan_id) if simulation.plan_id else None,
        **simulation.outcome,
    }


def markdown(simulation: Simulation) -> str:
    """A summary for people who review the change."""
    return "\n".join(_lines(simulation)) + "\n"


def verdict(simulation: Simulation) -> str:
    """What comes of it, in one sentence."""
    difference = simulation.outcome["difference"]
    if set(simulation.supposed) == {"snapshot"}:
        return f"{_in_line(simulation)} Nothing else is supposed that could make a difference."
    if set(simulation.supposed) == {"plan"}:
        opened, closed = difference["opened"], difference["closed"]
        return (
            f"Carried out, it closes {_count(closed, 'finding')} and opens {opened:,}. {_in_line(simulation)}"
        )
    if not difference["changed"]:
        return "It makes no difference to any tenant."
    told = [
        f"opens {_count(difference['opened'], 'finding')} and closes {difference['closed']:,}",
        f"touches {_count(difference['tenants'], 'tenant')}",
    ]
    if difference["conflicts_new"]:
        told.append(f"makes {_count(difference['conflicts_new'], 'conflict')} that a person has to decide")
    if changed := difference.get("conflicts_changed"):  # those of before they were told apart have none
        told.append(f"changes {_count(changed, 'conflict')}")
    if difference["conflicts_solved"]:
        told.append(f"solves {_count(difference['conflicts_solved'], 'conflict')}")
    return f"It {', '.join(told)}. {_in_line(simulation)}"


def in_later_plans(simulation: Simulation) -> list[str]:
    """What policies would do, but not by the plan of it, in sentences."""
    return list(planning.in_words(simulation.outcome.get("later", {})))


def warnings(simulation: Simulation) -> list[str]:
    """What is supposed that may be a slip, in sentences."""
    return list(simulation.outcome.get("warnings", ()))  # those of before they were looked for have none


def edits(simulation: Simulation) -> list[dict[str, Any]]:
    """What the supposed texts change of those in force, see governance.simulation.editing."""
    return list(simulation.outcome.get("edits", ()))  # those of before they were compared have none


def decisions(simulation: Simulation) -> list[tuple[str, dict[str, Any]]]:
    """Which recorded decisions would begin or cease to apply: what is said of each, and the conflict."""
    return list(precedents.in_words(simulation.outcome.get("decisions", {})))  # earlier ones have none


def is_worse(outcome: dict[str, Any]) -> bool:
    """Whether fewer tenants or installations would be in line."""
    before, after = outcome["before"], outcome["after"]
    return bool(
        after["drifting_tenants"] > before["drifting_tenants"]
        or after["drifting_installations"] > before["drifting_installations"]
    )


def _in_line(simulation: Simulation) -> str:
    before, after = simulation.outcome["before"], simulation.outcome["after"]
    of = f"{before['compliant_tenants']:,} of {before['tenants']:,} tenants"
    would = f"{after['compliant_tenants']:,} would be{on_day(simulation)}"
    if simulation.supposed.get("snapshot"):
        return f"Of snapshot {simulation.snapshot_number}, {of} are in line by the rules of now, {would}."
    return f"{of} are in line now, {would}."


def _lines(simulation: Simulation) -> Iterator[str]:
    outcome = simulation.outcome
    yield f"## {_escape(simulation.title or str(simulation))}"
    yield ""
    yield verdict(simulation)
    yield ""
    yield from _edited(edits(simulation))
    yield from _warned(warnings(simulation))
    yield from _table(*figures(simulation))
    difference = outcome["difference"]
    rows = [
        [name, f"+{row['opened']:,}", f"−{row['closed']:,}"] for name, row in difference["by_policy"].items()
    ]
    yield from _part("Findings that open and close", ["policy", "open", "close"], rows)
    for title, key in (("What policies would do", "actions"), ("What is left to tenants’ admins", "advised")):
        changes = [
            [row["plugin"], row["from"] or "–", row["to"] or "removed", _tenants(row["tenants"])]
            for row in outcome[key]
        ]
        yield from _part(title, ["plugin", "from", "to", "tenants"], changes)
        if key == "actions":
            yield from (line for told in in_later_plans(simulation) for line in (_escape(told), ""))
    yield from _conflicts("New conflicts", [one for one in outcome["conflicts"] if one["new"]])
    changed = [one for one in outcome["conflicts"] if one.get("changed") and not one["new"]]
    yield from _conflicts("Conflicts that stay, by other rules", changed)
    yield from _conflicts("Solved conflicts", outcome["solved"])
    yield from _decisions(decisions(simulation))
    of = f"snapshot {simulation.snapshot_number}" if simulation.snapshot_number else "no snapshot yet"
    yield f"<sub>{simulation} on {of}, inputs `{simulation.inputs_digest[:16]}`</sub>"


def _edited(told: Iterable[dict[str, Any]]) -> Iterator[str]:
    for one in told:
        if changes := one["changes"]:
            yield f"What changes in {_escape(one['policy'])}, of which version {one['version']} is in force:"
            yield ""
            yield from (f"- {_escape(change)}" for change in changes[:_SHOWN])
            if len(changes) > _SHOWN:
                yield f"- and {len(changes) - _SHOWN:,} more"
            yield ""


def _warned(told: Sequence[str]) -> Iterator[str]:
    if told:
        yield from (f"- **Perhaps a slip:** {_escape(one)}" for one in told[:_SHOWN])
        if len(told) > _SHOWN:
            yield f"- and {len(told) - _SHOWN:,} more"
        yield ""


def _part(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"### {title}"
    yield ""
    yield from _table(headings, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        yield f"And {len(rows) - _SHOWN:,} more."
        yield ""


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{' --- |' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(_escape(cell) for cell in row)} |"
    yield ""


def _conflicts(title: str, conflicts: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not conflicts:
        return
    yield f"### {title}"
    yield ""
    for one in conflicts[:_SHOWN]:
        tenants = one["new_tenants"] or one.get("changed_tenants") or one["tenants"]
        yield f"- {_escape(one['summary'])} ({_escape(_tenants(tenants))})"
        if one["new"] or one.get("changed"):  # of one that is solved nobody needs a way out
            yield from (f"  - {_escape(line)}" for line in _below(one))
    if len(conflicts) > _SHOWN:
        yield f"- and {len(conflicts) - _SHOWN:,} more"
    yield ""


def _decisions(told: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    if not told:
        return
    yield "### Recorded decisions"
    yield ""
    for said, one in told[:_SHOWN]:
        yield f"- {_escape(said)}: {_escape(one['summary'])} ({_escape(_tenants(one['tenants']))})"
        yield f"  - {_escape(one['said'])}"
    if len(told) > _SHOWN:
        yield f"- and {len(told) - _SHOWN:,} more"
    yield ""


def _below(conflict: dict[str, Any]) -> Iterator[str]:
    if told := conflict_wording.extent(conflict):
        yield told
    yield from (f"way out: {way['says']}" for way in conflict["ways_out"])


def _tenants(keys: Sequence[str]) -> str:
    return conflict_wording.listed(keys, _NAMED)


def _escape(text: str) -> str:
    """The text with nothing in it that Markdown or a table would take for its own."""
    for sign in ("\\", "|", "`", "*", "_", "<", "[", "]", "#"):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _json(simulation: Simulation) -> bytes:
    return json.dumps(as_document(simulation), indent=2, ensure_ascii=False).encode()


def _findings(simulation: Simulation) -> bytes:
    return gzip.decompress(bytes(simulation.findings or b"")) if simulation.findings else b""


def _actions(simulation: Simulation) -> bytes:
    """A row for each change in each tenant."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["by", "tenant", "plugin", "from", "to", "because"])
    for who, key in (("policy", "actions"), ("tenant", "advised")):
        for change in simulation.outcome[key]:
            told = [change["plugin"], change["from"] or "", change["to"] or "", change["because"]]
            rows.writerows([who, tenant, *map(_inert, told)] for tenant in map(_inert, change["tenants"]))
    return text.getvalue().encode()


def _inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


KINDS: dict[str, tuple[str, str, Callable[[Simulation], bytes]]] = {
    "json": (".json", "application/json", _json),
    "findings": ("-findings.csv", "text/csv", _findings),
    "actions": ("-actions.csv", "text/csv", _actions),
    "markdown": (".md", "text/markdown", lambda simulation: markdown(simulation).encode()),
}
