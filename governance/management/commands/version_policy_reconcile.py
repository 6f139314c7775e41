"""manage.py version_policy_reconcile: compare all that should agree, and repair it."""

from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand

from governance.cli import reconciliations
from governance.cli.output import ExitCodes, Output, group_of
from tenants.models import Group


class Command(ExitCodes, TyperCommand):
    """Compare installations, findings, tasks, orchestrator, outbox and ledger, and name every disagreement.

    Nothing is changed without --apply, which repairs what has one right answer and lists the rest.

    Exit codes: 0 nothing is left, 1 failed, 2 wrong usage, 3 disagreements that --apply repairs, 4 what is
    left needs a person, or the orchestrator could not be asked about everything."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = __doc__ or ""

    def handle(
        self,
        group: Annotated[list[str] | None, typer.Option(help="Only this group; may be given again.")] = None,
        apply: Annotated[bool, typer.Option("--apply", help="Repair what has one right answer.")] = False,
        whole: Annotated[
            bool, typer.Option("--all", help="Also what was over when the last one that left nothing began.")
        ] = False,
        as_json: Annotated[
            bool, typer.Option("--json", help="One JSON document on standard output.")
        ] = False,
    ) -> None:
        """See the class."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            chosen = [group_of(slug) for slug in group] if group else list(Group.objects.order_by("slug"))
            reconciliations.reconcile(out, chosen, apply=apply, whole=whole, at=timezone.now())
