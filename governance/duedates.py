"""Steps of reminders noticed when their moment comes, not only when a run looks."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import Q

from governance import reminders, telling
from governance.models import Finding
from governance.models.policy import Mode
from governance.reminders import Round
from tenants.models import Group

EVERY = timedelta(minutes=3)


def notice(group: Group, *, at: datetime) -> Round:
    """Write the digests of the steps that were reached since the last look, in which windows and quiet hours
    count as ever; nothing else is worked out where none was.

    Who was told of a step isn't told again, so that one that is killed here, or another beside it, tells
    nobody twice. The look counts once the digests are stored.
    """
    since = group.steps_noticed_at or at - EVERY
    done = reminders.send(group, at=at) if _reached(group.pk, since, at) else Round()
    Group.objects.filter(Q(steps_noticed_at=None) | Q(steps_noticed_at__lt=at), pk=group.pk).update(
        steps_noticed_at=at
    )
    return done


def _reached(group_id: int, since: datetime, at: datetime) -> bool:
    """Whether any finding has come to a step that counts from its due date."""
    policies: dict[int, list[int]] = defaultdict(list)
    for step in telling.steps(reminders.policies_in_force(group_id)):
        if step["seconds"] is not None:
            policies[step["seconds"]].append(step["policy"])
    reached = Q()
    for seconds, found in policies.items():
        offset = timedelta(seconds=seconds)
        reached |= Q(policy__in=set(found), due_at__gt=since - offset, due_at__lte=at - offset)
    if not reached:
        return False
    over = (*Finding.ASKING_NOTHING, Finding.Status.RESOLVED)
    standing = [
        status for status in Finding.Status if status not in over
    ]  # as its index by due date has them
    told_of = Finding.objects.filter(group_id=group_id, rule__mode__in=[Mode.REMIND, Mode.ENFORCE])
    return told_of.filter(reached, status__in=standing).exists()
