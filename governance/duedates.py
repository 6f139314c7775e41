"""Steps of reminders noticed when their moment comes, not only when a run looks."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import Q

from governance import reminders, telling
from governance.models import Finding, Run
from governance.models.policy import Mode
from governance.reminders import Round
from tenants.models import Group

EVERY = timedelta(minutes=3)
_STAGES = list(Run.Stage)
_BEFORE_TOLD = _STAGES[: _STAGES.index(Run.Stage.NOTIFY) + 1]
SETTLED = timedelta(minutes=2)  # by then what is found is decided about, so that it is told with its target


def notice(group: Group, *, at: datetime) -> Round:
    """Write the digests of the steps that were reached since the last look, in which windows and quiet hours
    count as ever; nothing else is worked out where none was.

    Who was told of a step isn't told again, so that one that is killed here, or another beside it, tells
    nobody twice. The look counts once the digests are stored; not while something is left to a run, which may
    fail before it tells of it.
    """
    since = group.steps_noticed_at or at - EVERY
    left = _about_to_tell(group.pk)
    done = reminders.send(group, at=at) if _reached(group.pk, since, at, found=not left) else Round()
    mark = since if left else at
    earlier = Q(steps_noticed_at=None) | Q(steps_noticed_at__lt=mark)
    Group.objects.filter(earlier, pk=group.pk).update(steps_noticed_at=mark)
    return done


def _reached(group_id: int, since: datetime, at: datetime, *, found: bool) -> bool:
    """Whether any finding has come to a step; with `found`, be it that it was found."""
    policies: dict[int | None, list[int]] = defaultdict(list)
    for step in telling.steps(reminders.policies_in_force(group_id)):
        policies[step["seconds"]].append(step["policy"])
    at_once = set(policies.pop(None, ()))
    reached = Q()
    for seconds, some in policies.items():
        offset = timedelta(seconds=seconds or 0)
        reached |= Q(policy__in=set(some), due_at__gt=since - offset, due_at__lte=at - offset)
    if at_once and found:
        reached |= Q(policy__in=at_once, opened_at__gt=since - SETTLED, opened_at__lte=at - SETTLED)
    if not reached:
        return False
    told_of = Finding.objects.filter(group_id=group_id, rule__mode__in=[Mode.REMIND, Mode.ENFORCE])
    return told_of.asking().filter(reached).exists()


def _about_to_tell(group_id: int) -> bool:
    """Whether a run is on its way to tell of all that it found, with what it decided about that."""
    runs = Run.objects.filter(group=group_id, dry_run=False, policy_names=[], status=Run.Status.RUNNING)
    return runs.filter(stage__in=_BEFORE_TOLD).exists()
