"""manage.py callback_secret."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.env import env, replace_secret, signing_key

VARIABLE = "PLUMBLINE_CALLBACK_SECRET"


class Command(BaseCommand):
    """Exchanges the secret that signs the orchestrator's callbacks, with none refused meanwhile."""

    requires_system_checks: list[str] = []  # nothing of the product is needed for it
    help = "Rotate the secret that signs callbacks: `rotate` adds a new one, `retire` drops the older ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do."""
        parser.add_argument("action", choices=["status", "rotate", "retire"])

    def handle(self, *_args: Any, action: str, **_options: Any) -> None:
        """Do it."""
        getattr(self, action)()

    def status(self) -> None:
        """Say how many secrets are accepted, and where they are set; never what they are."""
        count = len(settings.CALLBACK_SECRETS)
        accepted = "1 secret is" if count == 1 else f"{count} secrets are"
        self.stdout.write(f"{accepted} accepted, from {self._place()}.")

    def rotate(self) -> None:
        """Put a new secret before those that are accepted."""
        new = signing_key()
        self._keep([new, *settings.CALLBACK_SECRETS])
        self.stdout.write(
            "Then restart web and worker, which accept the new secret and the old one from then on; give the "
            "orchestrator the new one, which is the first; and once it signs with that, run "
            "`callback_secret retire`. The sandbox has it when `manage.py run` starts again."
        )

    def retire(self) -> None:
        """Accept the newest secret only."""
        if len(settings.CALLBACK_SECRETS) == 1:
            self.stdout.write("Only one secret is accepted; there is none to retire.")
            return
        self._keep([settings.CALLBACK_SECRET])
        self.stdout.write("Then restart web and worker: what the older ones sign is refused from then on.")

    def _keep(self, secrets: list[str]) -> None:
        """Write them where they are read from, or say what to write there."""
        if env.str(VARIABLE, default=""):
            self.stdout.write(f'Set {VARIABLE}="{" ".join(secrets)}"')
            return
        replace_secret(settings.DATA_DIR / "secrets" / "callback_secret", "\n".join(secrets))
        self.stdout.write(f"Written to {self._place()}.")

    def _place(self) -> str:
        if env.str(VARIABLE, default=""):
            return f"the variable {VARIABLE}"
        return str(settings.DATA_DIR / "secrets" / "callback_secret")
