"""What the orchestrator says of every task that it has, asked page by page with nothing locked meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
import structlog
from django.conf import settings

from governance import orchestrator
from governance.models import UpgradeOrder, UpgradeTask
from governance.orchestrator import CallbackRefused, OrderStatus
from governance.reconciliation.tasks import OPEN, TaskFacts, Word
from tenants.models import Group

log = structlog.get_logger("plumbline.reconciliation")
PAGE = 200


@dataclass(slots=True)
class Answers:
    """The words by task; `unanswered` counts the tasks that nothing could be learnt of."""

    words: dict[str, Word] = field(default_factory=dict)
    statuses: dict[str, OrderStatus] = field(default_factory=dict)
    unanswered: int = 0


def ask(group: Group, tasks: Iterable[TaskFacts]) -> Answers:
    """Ask by the contract about each open task that has an order."""
    asked = [task for task in tasks if task.status in OPEN and task.order_id]
    answers = Answers()
    for begin in range(0, len(asked), PAGE):
        page = asked[begin : begin + PAGE]
        if settings.ORCHESTRATOR_URL:
            if not _ask_page(page, answers):
                answers.unanswered += max(len(asked) - begin - PAGE, 0)
                break
        else:
            _look_up(group, page, answers)
    return answers


def _ask_page(page: Sequence[TaskFacts], answers: Answers) -> bool:
    """Whether the orchestrator is there; once it isn't, the others would only wait for the same time-out."""
    for place, task in enumerate(page):
        try:
            _note(answers, task, orchestrator.ask(task.order_id))
        except httpx.HTTPStatusError as refusal:
            if refusal.response.status_code == HTTPStatus.NOT_FOUND:
                answers.words[task.id] = Word("")
            else:
                answers.unanswered += 1
        except httpx.TransportError as failure:
            log.warning("reconciliation.away", error=str(failure))
            answers.unanswered += len(page) - place
            return False
        except (httpx.HTTPError, CallbackRefused):
            answers.unanswered += 1
    return True


def _look_up(group: Group, page: Sequence[TaskFacts], answers: Answers) -> None:
    """Of Plumbline's own receiver, which stands in while no other orchestrator is named."""
    rows = UpgradeTask.objects.filter(pk__in=[task.id for task in page])
    keys = dict(rows.values_list("idempotency_key", "pk"))
    orders = UpgradeOrder.objects.filter(group=group, idempotency_key__in=keys)
    found = {str(keys[order.idempotency_key]): order for order in orders}
    for task in page:
        order = found.get(task.id)
        if order is None:
            answers.words[task.id] = Word("")
        else:
            word = OrderStatus(task.order_id, task.id, order.status, order.detail, order.finished_at)
            _note(answers, task, word)


def _note(answers: Answers, task: TaskFacts, status: OrderStatus) -> None:
    answers.words[task.id] = Word(status.status, status.detail)
    answers.statuses[task.id] = status
