"""What a policy set would do, with nothing done: the real detection and evaluation over other inputs."""

from governance.simulation.applying import (
    NeedsAnother,
    NotApplicable,
    Outdated,
    apply,
    conclude,
    grants,
    hindrance,
    needs_another,
    outdated,
    put_in_force,
    require_current,
)
from governance.simulation.exporting import (
    KINDS,
    as_document,
    decisions,
    edits,
    export,
    in_later_plans,
    is_worse,
    markdown,
    verdict,
    warnings,
)
from governance.simulation.figures import columns, figures
from governance.simulation.filed import file_warnings, joined, simulate_files, suppose_files
from governance.simulation.naming import gone, texts
from governance.simulation.reading import NotSupposable, look, read
from governance.simulation.running import WorldMoving, request, run, simulate, simulate_what, usual_seconds
from governance.simulation.supposition import Supposition, of_document

__all__ = [
    "KINDS",
    "NeedsAnother",
    "NotApplicable",
    "NotSupposable",
    "Outdated",
    "Supposition",
    "WorldMoving",
    "apply",
    "as_document",
    "columns",
    "conclude",
    "decisions",
    "edits",
    "export",
    "figures",
    "file_warnings",
    "gone",
    "grants",
    "hindrance",
    "in_later_plans",
    "is_worse",
    "joined",
    "look",
    "markdown",
    "needs_another",
    "of_document",
    "outdated",
    "put_in_force",
    "read",
    "request",
    "require_current",
    "run",
    "simulate",
    "simulate_files",
    "simulate_what",
    "suppose_files",
    "texts",
    "usual_seconds",
    "verdict",
    "warnings",
]
