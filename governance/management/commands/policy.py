"""manage.py policy: policies from the command line."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand, command

from governance.cli import configuration, conflicts, plans, policies, rollback, runs, simulations
from governance.cli.output import ExitCodes, Output, group_of
from governance.cli.simulations import (
    AgainstOption,
    EndOption,
    FailOn,
    FailOnOption,
    MarkdownOption,
    Question,
    RetireOption,
    SnapshotOption,
    SupposeOption,
    WhenOption,
    WithdrawOption,
)
from governance.restoring import Scope
from governance.rollbacks import Asked

GroupOption = Annotated[
    str | None, typer.Option("--group", help="The group's slug, where there are several.")
]
GroupsOption = Annotated[
    list[str] | None, typer.Option("--group", help="Only this group; may be given again.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="YAML files, or the folder with them; by default the deployment's own."),
]
PruneOption = Annotated[bool, typer.Option(help="What the files leave out is retired.")]
OnlyTenants = Annotated[list[str] | None, typer.Option(help="Only this tenant; may be given again.")]
PausedOption = Annotated[list[str] | None, typer.Option(help="Pause this policy, whatever the others do.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept in the ledger.")]
TimeoutOption = Annotated[float, typer.Option(help="Seconds to stay with it.")]


class Command(ExitCodes, TyperCommand):
    """Policies: what they say, what they would do, and doing it.

    Exit codes: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 differences found or changes pending,
    4 a person has to decide, 5 refused (switched off, in the wrong state, or the world moved)."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = __doc__ or ""

    @command(name="list")
    def list_policies(
        self,
        group: GroupOption = None,
        retired: Annotated[bool, typer.Option(help="Retired ones too.")] = False,
        as_json: JsonOption = False,
    ) -> None:
        """The policies, with their open drift."""
        out = self._output(as_json)
        with out.failures():
            policies.list_policies(out, group_of(group), retired=retired)

    @command()
    def show(
        self,
        name: str,
        group: GroupOption = None,
        number: Annotated[int | None, typer.Option("--version", help="Another version.")] = None,
        as_json: JsonOption = False,
    ) -> None:
        """One policy: what it says, whom it selects, its versions."""
        out = self._output(as_json)
        with out.failures():
            policies.show_policy(out, policies.named(group_of(group), name), number)

    @command()
    def diff(
        self,
        paths: Paths = None,
        group: GroupsOption = None,
        prune: PruneOption = False,
        as_json: JsonOption = False,
    ) -> None:
        """What applying the YAML would change. Exit code 3 if anything."""
        out = self._output(as_json)
        with out.failures():
            configuration.diff(out, paths or [], group or [], prune=prune, at=self._now())

    @command()
    def apply(
        self,
        paths: Paths = None,
        group: GroupsOption = None,
        prune: PruneOption = False,
        simulation: Annotated[int | None, typer.Option(help="What it supposed, instead of YAML.")] = None,
        yes: Annotated[bool, typer.Option("--yes", help="Without it, a terminal asks.")] = False,
        comment: Annotated[str, typer.Option(help="Kept with the versions that it makes.")] = "",
        as_json: JsonOption = False,
    ) -> None:
        """Show what the YAML changes, and put it in force: all of it or nothing. With --simulation, put in
        force what that supposed and draft its plan; exit code 5 if anything changed since."""
        out = self._output(as_json)
        with out.failures():
            if simulation is not None:
                chosen = group_of(group[0] if group else None)
                simulations.apply(out, chosen, simulation, yes=yes, comment=comment, at=self._now())
                return
            configuration.apply(
                out, paths or [], group or [], prune=prune, yes=yes, comment=comment, at=self._now()
            )

    @command()
    def export(
        self,
        group: GroupsOption = None,
        output: Annotated[Path | None, typer.Option(help="Write both files to this folder.")] = None,
        as_json: JsonOption = False,
    ) -> None:
        """What is in force, as the YAML that would put it in force."""
        out = self._output(as_json)
        with out.failures():
            configuration.export(out, group or [], output)

    @command()
    def simulate(
        self,
        against: AgainstOption = None,
        suppose: SupposeOption = None,
        retire: RetireOption = None,
        finish: EndOption = None,
        withdraw: WithdrawOption = None,
        when: WhenOption = None,
        snapshot: SnapshotOption = None,
        group: GroupOption = None,
        prune: PruneOption = False,
        title: Annotated[str, typer.Option(help="Kept with the simulation.")] = "",
        markdown: MarkdownOption = None,
        fail_on: FailOnOption = FailOn.DIFFERENCE,
        as_json: JsonOption = False,
    ) -> None:
        """What it would do to the tenants, with nothing done.

        Exit codes: 0 no difference, or none that --fail-on names; 1 the files or what is supposed can't be
        used; 2 wrong usage; 3 what --fail-on names, by default any difference; 4 a new conflict, which a
        person would have to decide; 5 refused: governance is switched off, or the world moved meanwhile."""
        out = self._output(as_json)
        ends = (retire or [], finish or [], withdraw or [])
        question = Question(against or [], suppose, *ends, when, snapshot, prune, title)
        with out.failures():
            simulations.simulate(out, group_of(group), question, markdown, fail_on, at=self._now())

    @command()
    def enforce(
        self,
        names: Annotated[list[str] | None, typer.Argument(help="Only these policies act.")] = None,
        group: GroupOption = None,
        dry_run: Annotated[bool, typer.Option(help="Show the plan and change nothing.")] = False,
        timeout: TimeoutOption = 600,
        as_json: JsonOption = False,
    ) -> None:
        """Run the loop and stay with it. Exit code 4 where it stands at a conflict."""
        out = self._output(as_json)
        with out.failures():
            found = group_of(group)
            chosen = [policies.named(found, name).name for name in names or []]
            runs.enforce(out, found, chosen, dry_run=dry_run, timeout=timeout, at=self._now())

    @command()
    def watch(
        self,
        number: Annotated[int | None, typer.Argument(help="The run; by default the newest.")] = None,
        group: GroupOption = None,
        timeout: TimeoutOption = 600,
        as_json: JsonOption = False,
    ) -> None:
        """Stay with a run until it stands."""
        out = self._output(as_json)
        with out.failures():
            runs.watch(out, group_of(group), number, timeout=timeout)

    @command()
    def decide(
        self,
        conflict: Annotated[str | None, typer.Argument(help="Its id, or how that begins.")] = None,
        set_aside: Annotated[list[str] | None, typer.Option(help="policy/rule; may be given again.")] = None,
        way: Annotated[int | None, typer.Option(help="A way out by its number, instead of rules.")] = None,
        take_back: Annotated[bool, typer.Option("--take-back", help="Let it wait again.")] = False,
        reason: ReasonOption = "",
        person: Annotated[str, typer.Option("--as", help="The username of the person who decides.")] = "",
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Record a person's decision on a conflict, or take it back. Else, those that wait (code 4)."""
        out = self._output(as_json)
        with out.failures():
            found = group_of(group)
            if conflict is None:
                conflicts.list_waiting(out, found)
                return
            if bool(set_aside) + (way is not None) + take_back != 1 or not (reason and person):
                needs = "A decision needs one of --set-aside, --way and --take-back, and --reason and --as."
                raise typer.BadParameter(needs)
            said = conflicts.Said(reason, person, self._now())
            if take_back:
                conflicts.take_back(out, found, conflict, said)
            else:
                conflicts.decide(out, found, conflict, said, set_aside=set_aside or (), way=way)

    @command()
    def pause(
        self, name: str, group: GroupOption = None, reason: ReasonOption = "", as_json: JsonOption = False
    ) -> None:
        """Let a policy act on nothing; it still finds drift."""
        out = self._output(as_json)
        with out.failures():
            policies.pause(out, policies.named(group_of(group), name), reason=reason, at=self._now())

    @command()
    def resume(
        self, name: str, group: GroupOption = None, reason: ReasonOption = "", as_json: JsonOption = False
    ) -> None:
        """Let a paused policy act again."""
        out = self._output(as_json)
        with out.failures():
            policies.resume(out, policies.named(group_of(group), name), reason=reason, at=self._now())

    @command()
    def halt(self, group: GroupOption = None, reason: ReasonOption = "", as_json: JsonOption = False) -> None:
        """Stop all hand-overs of the group, whatever the policy."""
        out = self._output(as_json)
        with out.failures():
            runs.halt(out, group_of(group), reason=reason, at=self._now())

    @command()
    def release(
        self, group: GroupOption = None, reason: ReasonOption = "", as_json: JsonOption = False
    ) -> None:
        """Let hand-overs go on that were stopped."""
        out = self._output(as_json)
        with out.failures():
            runs.release(out, group_of(group), reason=reason, at=self._now())

    @command()
    def cancel(
        self,
        plan: Annotated[int | None, typer.Argument(help="The plan; by default the one under way.")] = None,
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Cancel a plan: what waits is never handed over, what is under way ends by itself."""
        out = self._output(as_json)
        with out.failures():
            runs.cancel(out, group_of(group), plan, at=self._now())

    @command()
    def rollback(
        self,
        name: Annotated[str | None, typer.Argument(help="Only what this policy is about.")] = None,
        to: Annotated[int | None, typer.Option(help="The snapshot that is wanted back.")] = None,
        before_plan: Annotated[int | None, typer.Option(help="Only what this plan changed.")] = None,
        tenant: OnlyTenants = None,
        pause: Annotated[bool, typer.Option("--pause", help="Pause what would undo it.")] = False,
        pause_policy: PausedOption = None,
        until: Annotated[
            str, typer.Option(help="Else the tenants are exempt from it so long: 2030-01-31, in 30d.")
        ] = "in 30d",
        profile: Annotated[str, typer.Option(help="By whose rings and limits; must enforce.")] = "",
        reason: ReasonOption = "",
        yes: Annotated[bool, typer.Option("--yes", help="Do it, rather than show it.")] = False,
        group: GroupOption = None,
        timeout: TimeoutOption = 600,
        as_json: JsonOption = False,
    ) -> None:
        """Want a snapshot's state back; what would undo it gives way. Exit code 3 without --yes, which shows
        it; 4 where a person has to approve the plan."""
        out = self._output(as_json)
        with out.failures():
            found = group_of(group)
            only = policies.named(found, name) if name else None
            plan = plans.numbered(found, before_plan) if before_plan is not None else None
            scope = Scope(frozenset(tenant or ()), only, plan)
            way, given = ("pause" if pause else "exempt"), reason or "At the command line."
            ends, ways = rollback.ending(until, at=self._now()), dict.fromkeys(pause_policy or (), "pause")
            asked = Asked(to, scope, way, ends, given, profile, ways)
            rollback.rollback(out, found, asked, apply=yes, timeout=timeout, at=self._now())

    def _output(self, as_json: bool) -> Output:
        return Output(self.stdout.write, as_json=as_json)

    def _now(self) -> datetime:
        return timezone.now()
