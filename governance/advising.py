"""What is the matter with a destination, and what a person does about it before a message is tried again."""

from __future__ import annotations

from audit.models import OutboxMessage
from audit.models.outbox import Cause, Destination, OutboxStatus

MATTERS: dict[str, str] = {
    Cause.AWAY: "It can’t be reached or gives no answer in time: is it running, and is its address right?",
    Cause.FULL: "It takes no more: make room there, or raise its limits.",
    Cause.CLOCK: (
        "It refuses the message for its time: set its clock and this machine’s by the same time server. "
        "Each attempt is signed anew."
    ),
    Cause.REFUSED: "It refuses the message; its answer says why.",
    Cause.FAULT: "It failed on the message; its own log should say why.",
    Cause.HELD: "It failed too often in a row and rests a while; Deliveries in the console says how long.",
}
_TODO: dict[str, str] = {
    Destination.ORCHESTRATOR: (
        "See to the orchestrator, then retry: it is the same order under the same key. Else the next run "
        "plans the tenant anew."
    ),
    Destination.CANCELLATION: (
        "See to the orchestrator, then retry. The upgrade goes on; the tenant’s next manifest tells."
    ),
    Destination.NOTIFY: "See to the notification service, then retry.",
    Destination.AUDIT: "See to the audit service, then retry. The ledger has the entry in any case.",
    Destination.EMAIL: "See to the mail server, then retry. The console’s inbox has the message in any case.",
    Destination.CHAT: (
        "See to the chat service, or have the address entered anew, then retry. The console’s inbox has what "
        "people were told in any case."
    ),
    Destination.WEBHOOK: "See to the receiver, or add the webhook again if it has ended; then retry.",
}


def advice(message: OutboxMessage) -> str:
    """What is the matter, as far as is known, and what to do; what waits is tried again by itself."""
    matter = MATTERS.get(message.cause, "")
    return f"{matter} {_TODO[message.destination]}" if message.status == OutboxStatus.DEAD else matter
