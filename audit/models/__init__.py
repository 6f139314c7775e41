"""The tables of proof and of what leaves the house."""

from audit.models.circuit import Circuit
from audit.models.entry import Entry
from audit.models.machine import Machine
from audit.models.outbox import OutboxMessage
from audit.models.report import Report, ReportFile

__all__ = ["Circuit", "Entry", "Machine", "OutboxMessage", "Report", "ReportFile"]
