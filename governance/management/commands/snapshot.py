"""manage.py snapshot: collect, and seal a group's state."""

from contextlib import nullcontext
from datetime import datetime
from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand

from config import borrowed
from governance import collectors, drift, flags, presenters, snapshots
from governance.cli.output import Exit, Output, end, group_of, operator
from governance.models import ManifestSource
from governance.models.snapshot import Trigger
from tenants.models import Group


class Command(TyperCommand):
    """Exit codes: 0 sealed or nothing new, 1 a source failed, 2 wrong usage, 5 switched off."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = "Collect manifests from the group's sources and seal a numbered snapshot."

    def handle(
        self,
        group: Annotated[str | None, typer.Option(help="The group's slug, where there are several.")] = None,
        collect: Annotated[bool, typer.Option(help="Ask the sources first.")] = True,
        force: Annotated[bool, typer.Option(help="Seal even if nothing changed.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="The snapshot as JSON.")] = False,
    ) -> None:
        """Seal the state as it is now; the last snapshot again if nothing changed."""
        out = Output(self.stdout.write, as_json=as_json)
        found, at = group_of(group), timezone.now()
        try:
            flags.require_governance(found)
        except flags.FlagOff as refusal:
            out.stop(Exit.REFUSED, str(refusal))
        errors = _collect(out, found, at) if collect else {}
        sealed = snapshots.seal(found, trigger=Trigger.COMMAND, actor=operator(), at=at, force=force)
        new = sealed.sealed_at == at
        said = f"Snapshot {sealed.number}: {sealed.tenants} tenants, {sealed.installations} installations"
        out.answer(
            {**presenters.snapshot(sealed), "new": new, "errors": errors},
            lambda: out.say(f"{said}." if new else f"{said}. Nothing has changed since."),
        )
        for source, error in errors.items():
            out.say(f"{source}: {error}", "red")
        if errors:
            end(Exit.FAILED)


def _collect(out: Output, group: Group, at: datetime) -> dict[str, str]:
    """Ask the sources; which of them failed, and why."""
    sandboxes = ManifestSource.objects.filter(group=group, kind=ManifestSource.Kind.SANDBOX)
    ready = borrowed.sandbox() if sandboxes.exists() else nullcontext()
    with ready, out.console.status(f"{group}: collecting …"):
        collected = collectors.collect(group, actor=operator(), at=at)
        drift.detect(group, at=at, tenant_ids=collected.changed_tenant_ids)
    return collected.errors
