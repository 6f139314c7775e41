"""manage.py check_orchestrator: does an orchestrator keep the contract?"""

from typing import Annotated, Any

import typer
from django.conf import settings
from django_typer.management import TyperCommand
from rich.progress import track

from governance.cli.output import Exit, ExitCodes, Output, end
from governance.conformance.promises import PROMISES, Verdict, judge
from governance.conformance.receiver import Receiver
from governance.conformance.trial import Subject, Trial

Tenant = Annotated[str, typer.Option(help="The tenant to try it on.")]
Group = Annotated[str, typer.Option(help="The group of that tenant.")]
Plugin = Annotated[str, typer.Option(help="A plugin that the tenant has.")]
Installed = Annotated[str, typer.Option(help="The version of the plugin that it has.")]
Token = Annotated[str, typer.Option(help="The bearer token; this installation's unless given.")]
Secret = Annotated[str, typer.Option(help="The whsec_ secret that signs; this installation's unless given.")]
Listen = Annotated[str, typer.Option(help="Where to take callbacks; port 0 is a free one.")]
CallbackUrl = Annotated[str, typer.Option(help="How the orchestrator reaches that, if by another address.")]
Patience = Annotated[float, typer.Option(min=1, help="Seconds to wait for an end and for a callback.")]


class Command(ExitCodes, TyperCommand):
    """Places orders that change nothing on one tenant, and judges answers and callbacks."""

    help = "Try an orchestrator against the contract, on a tenant of which nothing is changed."
    requires_system_checks: list[str] = []  # it speaks HTTP only

    def handle(
        self,
        url: Annotated[str, typer.Argument(help="The orchestrator's base address.")],
        group: Group,
        tenant: Tenant,
        plugin: Plugin,
        installed: Installed,
        token: Token = "",
        secret: Secret = "",
        listen: Listen = "127.0.0.1:0",
        callback_url: CallbackUrl = "",
        patience: Patience = 60.0,
        as_json: Annotated[bool, typer.Option("--json", help="The verdicts as one object.")] = False,
    ) -> None:
        """Exit codes: 0 every promise is kept, 1 some are not, 2 wrong usage."""
        out = Output(self.stdout.write, as_json=as_json)
        with _receiver(out, listen, callback_url).listening() as receiver:
            trial = Trial(
                url,
                token=token or settings.ORCHESTRATOR_TOKEN,
                secrets=secret.split() or settings.CALLBACK_SECRETS,
                subject=Subject(group, tenant, plugin, installed),
                receiver=receiver,
                patience=patience,
            )
            verdicts = _verdicts(out, trial)
        out.answer(_document(url, verdicts), lambda: _show(out, verdicts))
        if not all(verdict.kept for verdict in verdicts):
            end(Exit.FAILED)


def _verdicts(out: Output, trial: Trial) -> list[Verdict]:
    judging = track(judge(trial), "Trying", total=len(PROMISES), console=out.console, transient=True)
    try:
        return list(judging)
    finally:
        trial.close()


def _receiver(out: Output, listen: str, callback_url: str) -> Receiver:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        out.stop(Exit.USAGE, f"--listen must be an address and a port, such as 127.0.0.1:0, not {listen}.")
    try:
        return Receiver(host, int(port), callback_url)
    except (OSError, OverflowError) as error:
        out.stop(Exit.USAGE, f"Nothing can listen on {listen}: {error}.")


def _document(url: str, verdicts: list[Verdict]) -> dict[str, Any]:
    kept = sum(verdict.kept for verdict in verdicts)
    return {
        "orchestrator": url,
        "checks": len(verdicts),
        "passed": kept,
        "failed": len(verdicts) - kept,
        "results": [
            {
                "name": verdict.promise.name,
                "sentence": verdict.promise.sentence,
                "passed": verdict.kept,
                "seen": verdict.seen,
                "advice": "" if verdict.kept else verdict.promise.advice,
            }
            for verdict in verdicts
        ],
    }


def _show(out: Output, verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        if verdict.kept:
            out.say(f"pass  {verdict.promise.sentence}", "green")
            continue
        out.say(f"FAIL  {verdict.promise.sentence}", "red")
        out.say(f"      Seen: {verdict.seen}")
        out.say(f"      To do: {verdict.promise.advice}")
    kept = sum(verdict.kept for verdict in verdicts)
    out.say(f"{kept} of {len(verdicts)} checks passed.")
