"""A drill from its beginning to its end, in a throwaway installation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from django.conf import settings
from django.utils import timezone

from audit import ledger
from audit.models import Entry
from demo.drill import group as drilled
from demo.drill import promises, records
from demo.drill.driving import Driver
from demo.drill.promises import Verdict
from demo.drill.receiver import receiving
from demo.drill.terms import ENVIRONMENT, Terms
from demo.throwaway import Throwaway, inside, throwaway
from tenants.models import Group

Tell = Callable[[str], None]

_PART = ("fault_drill", "inside")


def carry_out(terms: Terms, tell: Tell) -> dict[str, Any]:
    """Make an installation, let everything go wrong in it, and judge what is left; figures and verdicts."""
    with receiving(terms.seed) as receiver, throwaway(ENVIRONMENT) as product:
        tell(f"Filling a group with {terms.tasks} tenants")
        inside(product, _PART, "fill", {**terms.as_json(), "webhook": receiver.url})
        with product.running() as supervisor:
            figures = inside(product, _PART, "drive", {**terms.as_json(), "supervisor": supervisor})
            reconciled = _reconciled(product)
        figures |= inside(product, _PART, "judge", terms.as_json())
    figures["promises"].append(reconciled.as_json())
    return _with_webhooks(figures, receiver.taken)


def fill(terms: Terms, *, webhook: str) -> dict[str, Any]:
    """Inside the installation: make the group."""
    drilled.fill(terms.tasks, webhook=webhook, strangers=True, at=timezone.now())
    return {}


def drive(terms: Terms, *, supervisor: int, tell: Tell) -> dict[str, Any]:
    """Inside the installation, while it runs: let it go wrong until all has come to its end."""
    course = Driver(terms, supervisor, tell).drive()
    answer = httpx.get(
        f"{settings.ORCHESTRATOR_URL}/sandbox/counts",
        headers={"Authorization": f"Bearer {settings.ORCHESTRATOR_TOKEN}"},
        timeout=60,
    )
    counted = {name: value for name, value in answer.json().items() if name != "tenants"}
    return {"terms": terms.as_json(), "course": course.as_json(), "orchestrator": counted}


def judge() -> dict[str, Any]:
    """Inside the installation, once nothing runs any more: what was promised and what came of it."""
    found = records.gather()
    faults = ledger.verify(Group.objects.get(slug=drilled.SLUG).pk)
    whole = Verdict("the ledger is whole", tuple(f"{fault.sequence}: {fault.reason}" for fault in faults))
    return {
        "upgraded": promises.upgraded(found),
        "tasks": dict(Counter(task.status for task in found.tasks)),
        "messages": found.messages,
        "mails": found.mails.total(),
        "ledger_entries": Entry.objects.count(),
        "promises": [verdict.as_json() for verdict in (*promises.judge(found), whole)],
    }


def kept(figures: Mapping[str, Any]) -> bool:
    """Whether no promise was broken."""
    return all(verdict["kept"] for verdict in figures["promises"])


def _reconciled(product: Throwaway) -> Verdict:
    """What the product itself finds when it compares everything that should agree."""
    compared = product.json("version_policy_reconcile", "--all", codes=(0, 3, 4))["groups"]
    found = [f"{one['subject']}: {one['title']}" for group in compared for one in group["disagreements"]]
    asked = [f"{group['unanswered']} orders unanswered" for group in compared if group["unanswered"]]
    return Verdict("a reconciliation finds nothing", (*found, *asked))


def _with_webhooks(figures: dict[str, Any], taken: Counter[str]) -> dict[str, Any]:
    """The receiver's own count, and whether everything came to its end before the time was over."""
    once = Verdict("no webhook was taken twice", tuple(promises.repeated(taken)))
    course = figures["course"]
    late = () if course["in_time"] else (f"{course['seconds']} s were not enough",)
    told = [once.as_json(), Verdict("it came to its end in time", late).as_json()]
    return {**figures, "webhooks": taken.total(), "promises": [*figures["promises"], *told]}
