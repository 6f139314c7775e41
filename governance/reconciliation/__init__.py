"""What should agree, compared: installations, findings, tasks, orchestrator, outbox and ledger."""

from governance.reconciliation.kinds import KINDS, Disagreement
from governance.reconciliation.running import as_document, last, reconcile

__all__ = ["KINDS", "Disagreement", "as_document", "last", "reconcile"]
