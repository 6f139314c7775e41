"""Digests sent: one message a person and window however much there is to tell, each news once.

What is held back (a window, quiet hours) isn't kept anywhere: nobody has been told of it yet, so the next
digest is written from what is open then, and has it too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from audit import ledger, outbox
from audit.actions import Action
from audit.models.outbox import Destination
from config.access import SYSTEM
from governance import message_templates, pacing, profiles, summaries, telling
from governance.digests import LINES, Digest
from governance.messages.kinds import DIGESTS
from governance.models import Finding, Policy, Run, Told
from governance.models.policy import Mode
from governance.pacing import Quiet, Verdict
from governance.profiles import Settings
from governance.summaries import Summary
from tenants import directory, preferences
from tenants.models import Group, Preferences, User

MOST_AT_ONCE = 1000  # people told in one transaction
_AT_A_TIME = 200  # digests that are written before they are stored


@dataclass(slots=True)
class Round:
    """What one round of digests did."""

    sent: list[int] = field(default_factory=list)  # people
    held: list[int] = field(default_factory=list)
    more: bool = False  # whether there are people left to tell


def send(
    group: Group,
    *,
    at: datetime,
    run: Run | None = None,
    policy_names: Collection[str] = (),
    only: Collection[int] | None = None,
) -> Round:
    """Write a digest to each person to whom something is news and whose window and clock allow it.

    With `policy_names` only what these policies found is told, with `only` to these people. A paused policy
    finds drift and tells nobody.
    """
    done = Round()
    while True:
        batch = _send(group, at, run, policy_names, only)
        done.sent += batch.sent
        done.held = sorted({*done.held, *batch.held})
        if not batch.more:
            return done


@transaction.atomic
def _send(
    group: Group, at: datetime, run: Run | None, policy_names: Collection[str], only: Collection[int] | None
) -> Round:
    """Tell as many people as the group's chain may be held for; who has been told isn't told again."""
    ledger.hold(group.pk)  # no two at once, each would tell what the other does
    policies = policies_in_force(group.pk, policy_names)
    people = directory.told(group.pk, tenants_in_drift(group.pk, policies), at=at)
    told = summaries.summaries(group, policies, people, at=at, only=only)
    with telling.worked_out(group.pk, policies, people, at=at, only=only):
        return _Sender(group, policies, told, at, run, not policy_names).send(only)


def release(group: Group, *, at: datetime) -> Round:
    """Write the digests that were held back until now."""
    due = Told.objects.filter(group=group, held_until__lte=at)
    users = set(due.values_list("user", flat=True))
    return send(group, at=at, only=users) if users else Round()


@dataclass(slots=True)
class _Sender:
    group: Group
    policies: Mapping[int, tuple[str, Settings]]
    summaries: list[Summary]
    at: datetime
    run: Run | None
    whole: bool
    urgent: set[int] = field(default_factory=set)  # people who hear at once

    def send(self, only: Collection[int] | None) -> Round:
        shares = telling.shares()
        fresh = {user for summary in self.summaries for user in summary.fresh}
        waiting = {pk for pk, share in shares.items() if share.news} | fresh
        known = {told.user_id: told for told in Told.objects.filter(group=self.group, user__in=waiting)}
        wishes = preferences.of_people(waiting)
        verdicts = {pk: self._verdict(pk, shares.get(pk), known.get(pk), wishes[pk]) for pk in waiting}
        ready = sorted(pk for pk, verdict in verdicts.items() if verdict.because is None)
        held = sorted(pk for pk, verdict in verdicts.items() if verdict.because is not None)
        done = Round(ready[:MOST_AT_ONCE], held, more=len(ready) > MOST_AT_ONCE)
        self._note(done, verdicts, only)
        self._write(done.sent, shares, wishes)
        telling.mark(self.group.pk, done.sent, at=self.at)
        self._remember(done.sent)
        return done

    def _verdict(
        self, user_id: int, share: telling.Share | None, told: Told | None, wishes: Preferences
    ) -> Verdict:
        windows, urgent = [], False
        if share is not None and share.news:
            windows.append(share.window)
            urgent = share.urgent
        for summary in self.summaries:
            if user_id in summary.fresh:
                settings = [self.policies[pk][1] for pk in summary.policy_ids]
                windows += [one.window for one in settings]
                urgent = urgent or _is_urgent(summary, settings)
        if urgent:
            self.urgent.add(user_id)
        return pacing.verdict(
            at=self.at,
            window=min(windows, default=timedelta()),
            last=told.told_at if told else None,
            quiet=quiet_hours(wishes),
            urgent=urgent,
        )

    def _note(self, done: Round, verdicts: Mapping[int, Verdict], only: Collection[int] | None) -> None:
        """When each was told, or until when the digest waits; who has nothing to hear waits no more."""
        rows = [Told(group=self.group, user_id=pk, told_at=self.at) for pk in done.sent]
        _upsert(rows, ["told_at", "held_until", "held_because"])
        rows = [
            Told(
                group=self.group,
                user_id=pk,
                held_until=verdicts[pk].at,
                held_because=verdicts[pk].because or "",
            )
            for pk in done.held
        ]
        _upsert(rows, ["held_until", "held_because"])
        if self.whole:
            over = Told.objects.filter(group=self.group, held_until__isnull=False).exclude(user__in=verdicts)
            if only is not None:
                over = over.filter(user__in=only)
            over.update(held_until=None, held_because="")

    def _write(
        self, user_ids: list[int], shares: Mapping[int, telling.Share], wishes: Mapping[int, Preferences]
    ) -> None:
        users = User.objects.in_bulk(user_ids)
        own = message_templates.of_group(self.group.pk, DIGESTS)
        told = {user: one for one in self.summaries if one.says_something for user in one.readers}
        records: list[ledger.Record] = []
        written: list[tuple[str, dict[str, Any]]] = []
        for user_id, lines in _with_lines(user_ids, shares):
            digest = Digest(users[user_id], self.group, wishes[user_id], shares.get(user_id), lines)
            digest.summary, digest.urgent = told.get(user_id), user_id in self.urgent
            key, payload, record = self._written(digest, own)
            written.append((key, payload))
            records.append(record)
            if len(written) >= _AT_A_TIME:
                self._post(written)
                written.clear()
        self._post(written)
        if records:
            records.sort(key=lambda record: str(record.data["person"]))
            ledger.record_many(records, group_id=self.group.pk, actor=SYSTEM, at=self.at)

    def _post(self, written: list[tuple[str, dict[str, Any]]]) -> None:
        outbox.post_many(Destination.NOTIFY, written, group_id=self.group.pk, at=self.at)

    def _written(
        self, digest: Digest, own: message_templates.Own
    ) -> tuple[str, dict[str, Any], ledger.Record]:
        """The digest's key, what leaves by the outbound contract, and what the ledger says of it."""
        source = f"run-{self.run.pk}" if self.run else f"group-{self.group.pk}"
        # By the microsecond: of two under one key, as may come within a second, the later would be lost.
        name = f"{source}-{digest.user.pk}-{self.at.timestamp():.6f}"
        recipient = digest.recipient(own.get((digest.kind, digest.wishes.language)), key=name, at=self.at)
        payload = {"kind": str(digest.about), "recipients": [recipient]}
        data = {
            "run": self.run.number if self.run else None,
            "person": digest.user.username,
            "subject": recipient["subject"],
            "findings": digest.findings,
            "folded": digest.folded,
            "decisions": digest.decisions,
            "due_at": recipient["due_at"],
        }
        subject = self.run or self.group
        tenant_id = digest.share.tenant_id if digest.share and digest.tenant else None
        kind = str(subject._meta.model_name)
        record = ledger.Record(Action.NOTIFICATION_SENT, kind, str(subject.pk), str(subject), tenant_id, data)
        return f"digest-{name}", payload, record

    def _remember(self, sent: Collection[int]) -> None:
        for summary in self.summaries:
            told = [pk for pk in summary.readers if pk in sent]
            summaries.remember(summary, self.group.pk, told, whole=self.whole, at=self.at)
            if self.whole:
                rest = [pk for pk in summary.readers if pk not in told]
                summaries.forget(summary, self.group.pk, rest, at=self.at)
        if self.whole:
            telling.forget(self.group.pk)


def quiet_hours(wishes: Preferences) -> Quiet | None:
    """The person's quiet hours, by their own clock."""
    if wishes.quiet_from is None or wishes.quiet_until is None:
        return None
    return Quiet(wishes.quiet_from, wishes.quiet_until, ZoneInfo(wishes.time_zone))


def _with_lines(
    user_ids: list[int], shares: Mapping[int, telling.Share]
) -> Iterable[tuple[int, list[telling.Line]]]:
    """Each person with their lines; who has only a summary to read has none."""
    yield from telling.lines([pk for pk in user_ids if pk in shares], most=LINES)
    yield from ((pk, []) for pk in user_ids if pk not in shares)


def _is_urgent(summary: Summary, settings: Collection[Settings]) -> bool:
    at_once = frozenset().union(*(one.at_once for one in settings))
    matters = {
        "decision": bool(summary.waiting),
        "decision_overdue": any(one.overdue for one in summary.waiting),
        "overdue": bool(summary.overdue),
    }
    return any(matters.get(name, False) for name in at_once)


def policies_in_force(group_id: int, names: Collection[str] = ()) -> dict[int, tuple[str, Settings]]:
    """The policies that act, or those of these names, by id, with what their profiles say about messages."""
    rows = Policy.objects.filter(group_id=group_id, status=Policy.Status.ACTIVE, current__isnull=False)
    if names:
        rows = rows.filter(name__in=names)
    found = rows.values_list("pk", "name", "current__profile")
    return {pk: (name, profiles.settings(profile or {})) for pk, name, profile in found}


def tenants_in_drift(group_id: int, policies: Collection[int]) -> set[int]:
    """The tenants in which these policies have found something to tell."""
    rows = Finding.objects.filter(group_id=group_id, policy__in=list(policies)).asking()
    rows = rows.filter(rule__mode__in=[Mode.REMIND, Mode.ENFORCE])
    return set(rows.order_by().values_list("tenant", flat=True).distinct())


def _upsert(rows: list[Told], fields: list[str]) -> None:
    Told.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["group", "user"], update_fields=fields, batch_size=1000
    )
