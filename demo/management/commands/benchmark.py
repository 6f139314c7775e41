"""manage.py benchmark: how fast the loop and evaluation are on this machine."""

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import typer
from django_typer.management import TyperCommand, command, initialize
from rich.console import Console

from demo.benchmarks import evaluation, executing, execution, loop, tables
from demo.benchmarks.fleet import Fleet, Size
from demo.benchmarks.stages import STAGES

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
Tenants = Annotated[int, typer.Option(min=1, help="How many tenants.")]
Plugins = Annotated[int, typer.Option(min=10, help="Installations in each, the host among them.")]
Policies = Annotated[int, typer.Option(min=1, help="How many policies.")]
Drift = Annotated[float, typer.Option(min=0, max=1, help="The share of installations that break a rule.")]
Distinct = Annotated[bool, typer.Option(help="Every tenant unlike every other: the worst case.")]
Tasks = Annotated[int, typer.Option(min=10, help="How many tenants are upgraded.")]
Seed = Annotated[int, typer.Option(help="The same seed makes the same fleet.")]
Measure = Callable[[evaluation.Tell], dict[str, Any]]


class Command(TyperCommand):
    """Measures throwaway installations; nothing of this one is touched. Without a part, all of them."""

    help = __doc__ or ""

    @initialize(invoke_without_command=True)
    def all_parts(self, context: typer.Context, all_as_json: JsonOption = False) -> None:
        """The loop on the real fleet, evaluation at its usual size, and the worst case."""
        if context.invoked_subcommand is None:
            figures = {"loop": self._measured(loop.measure)}
            for size in (Size(10_000, 200, 50, 0.12), Size(10_000, 200, 50, 0.12, distinct=True)):
                figures[_name(size)] = self._measured(partial(evaluation.measure, size))
            figures["execution"] = self._measured(execution.measure)
            self._print(all_as_json, figures)

    @command(name="loop")
    def measure_loop(self, as_json: JsonOption = False) -> None:
        """The whole loop on the real fleet, from outside as its users see it."""
        self._print(as_json, {"loop": self._measured(loop.measure)})

    @command(name="evaluation")
    def measure_evaluation(
        self,
        tenants: Tenants = 10_000,
        plugins: Plugins = 200,
        policies: Policies = 50,
        drift: Drift = 0.12,
        distinct: Distinct = False,
        seed: Seed = 1,
        as_json: JsonOption = False,
    ) -> None:
        """Detection, decisions and simulation on a fleet generated from the real one's situations."""
        size = Size(tenants, plugins, policies, drift, distinct, seed)
        self._print(as_json, {_name(size): self._measured(partial(evaluation.measure, size))})

    @command(name="execution")
    def measure_execution(self, tasks: Tasks = execution.TASKS, as_json: JsonOption = False) -> None:
        """A plan carried out by the sandbox at its fastest, and the queue of tasks, short and long."""
        self._print(as_json, {"execution": self._measured(partial(execution.measure, tasks=tasks))})

    @command(hidden=True)
    def executing(self, part: str, given: str) -> None:
        """One part of the benchmark of execution, in its installation. What is given is JSON."""
        self.stdout.write(json.dumps(executing.PARTS[part](**json.loads(given))))

    @command(hidden=True)
    def inside(self, stage: str, size: str) -> None:
        """One stage, in the throwaway installation that a measurement has made. The size is JSON."""
        self.stdout.write(json.dumps(STAGES[stage](Fleet(Size(**json.loads(size))))))

    def _measured(self, measure: Measure) -> dict[str, Any]:
        with Console(stderr=True).status("Starting …") as status:
            return measure(lambda what: status.update(f"Benchmark: {what} …"))

    def _print(self, as_json: bool, figures: dict[str, Any]) -> None:
        if as_json:
            self.stdout.write(json.dumps(figures, indent=2))
            return
        for name, part in figures.items():
            show = {"loop": tables.loop, "execution": tables.execution}.get(name)
            Console().print(show(part) if show else tables.evaluation(name, part))
            if show is None:
                self.stdout.write(tables.notes(part))


def _name(size: Size) -> str:
    return "distinct" if size.distinct else "evaluation"
