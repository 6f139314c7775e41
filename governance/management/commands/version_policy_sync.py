"""manage.py version_policy_sync: the whole loop once."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from django.conf import settings
from django.utils import timezone
from django_typer.management import TyperCommand
from rich.console import Console
from rich.table import Table

from config import borrowed
from config.access import SYSTEM
from governance import configuration, flags, pipeline, presenters
from governance.cli import configuration as configuration_answers
from governance.cli.output import Output
from governance.models import Run
from governance.models.snapshot import Trigger
from tenants.models import Group

FAILED, REFUSED = 1, 5


class Command(TyperCommand):
    """Applies the YAML, then collects, evaluates, enforces, notifies and reports as the profiles say."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = "Run the whole loop once, for every group or for those named."

    def handle(
        self,
        group: Annotated[list[str] | None, typer.Option(help="Only this group; may be given again.")] = None,
        config: Annotated[
            Path | None, typer.Option(help="The folder of the YAML files; config/version by default.")
        ] = None,
        skip_config: Annotated[bool, typer.Option(help="Leave the policies as they are.")] = False,
        dry_run: Annotated[
            bool, typer.Option(help="Apply the YAML, evaluate, plan; change nothing else.")
        ] = False,
        timeout: Annotated[float, typer.Option(help="Seconds to wait for upgrade tasks.")] = 600,
        as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON.")] = False,
    ) -> None:
        """Exit codes: 0 done (also where a conflict waits for a person), 1 failed, 5 refused."""
        console = Console(stderr=as_json)
        outcome: dict[str, Any] = {"configuration": None, "groups": {}}
        out = Output(self.stdout.write, as_json=as_json)
        try:
            chosen = self._groups(group)
            if not skip_config:
                folder = config or settings.CONFIGURATION_DIR
                # Groups that weren't named are left alone, whatever the files say of them.
                outcome["configuration"] = self._apply(folder, group or [], out)
            with borrowed.sandbox():
                for one in chosen:
                    outcome["groups"][one.slug] = self._loop(one, dry_run, timeout, console)
        except (configuration.ConfigurationError, borrowed.NotReady) as failure:
            self._give_up(FAILED, str(failure), as_json)
        except (flags.FlagOff, pipeline.RunUnderWay) as refusal:
            self._give_up(REFUSED, str(refusal), as_json)
        outcome["changed"] = any(figures["changed"] for figures in outcome["groups"].values())
        configured = bool(outcome["configuration"] and outcome["configuration"]["changed"])
        self._show(outcome, console, as_json, is_changed=outcome["changed"] or configured)
        if any(figures["status"] == Run.Status.FAILED for figures in outcome["groups"].values()):
            raise SystemExit(FAILED)  # typer.Exit would end as 0 here

    def _apply(self, folder: Path, groups: list[str], out: Output) -> dict[str, Any]:
        applied = configuration.apply_folder(folder, actor=SYSTEM, at=timezone.now(), groups=groups)
        if not out.as_json and applied.changed:
            out.say(f"From the files in {folder}, which count for more than what was done in the console:")
            configuration_answers.show(out, applied, "")
        return applied.as_json()

    def _groups(self, slugs: list[str] | None) -> list[Group]:
        groups = Group.objects.order_by("slug")
        if not slugs:
            return list(groups)
        found = list(groups.filter(slug__in=slugs))
        if missing := set(slugs) - {one.slug for one in found}:
            raise typer.BadParameter(f"There is no group {', '.join(sorted(missing))}.")
        return found

    def _loop(self, group: Group, dry_run: bool, timeout: float, console: Console) -> dict[str, Any]:
        run = pipeline.start_run(
            group, trigger=Trigger.COMMAND, actor=SYSTEM, at=timezone.now(), dry_run=dry_run
        )
        with console.status(f"{group}: …") as status:

            def tell(run: Run) -> None:
                waiting = run.figures.get(Run.Stage.VERIFY, {}).get("waiting")
                tasks = f", {waiting} upgrade tasks under way" if waiting else ""
                status.update(f"{group}: {run.get_stage_display()}{tasks}")

            run = pipeline.drive(run.pk, timeout=timeout, progress=tell)
        shown = presenters.run(run)
        return {**shown, "changed": bool(run.figures.get("changed"))}

    def _show(self, outcome: dict[str, Any], console: Console, as_json: bool, *, is_changed: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(outcome, indent=2))
            return
        for slug, run in outcome["groups"].items():
            table = Table(title=f"{slug}: run {run['number']}, {run['status'].replace('_', ' ')}")
            for heading in ("stage", "seconds", "figures"):
                table.add_column(heading)
            for stage, figures in run["figures"].items():
                if isinstance(figures, dict):
                    told = ", ".join(
                        f"{name.replace('_', ' ')} {value}"
                        for name, value in figures.items()
                        if name != "seconds" and value not in (None, 0)
                    )
                    table.add_row(stage, f"{figures.get('seconds', 0):.2f}", told or "nothing to do")
            console.print(table)
            if run["error"]:
                console.print(run["error"], style="red")
            if run["status"] == Run.Status.NEEDS_DECISION or run["conflicts_left"]:
                told = f"`manage.py policy decide --group {slug}` lists what waits, with the ways out."
                console.print(f"{run['says']}. {told}", soft_wrap=True)
        if not is_changed:
            is_first = all(run["number"] == 1 for run in outcome["groups"].values())
            console.print(f"Nothing has changed{'' if is_first else ' since the last run'}.")

    def _give_up(self, code: int, reason: str, as_json: bool) -> None:
        self.stdout.write(json.dumps({"error": reason})) if as_json else self.stderr.write(reason)
        raise SystemExit(code)
