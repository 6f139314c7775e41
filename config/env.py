"""Typed readers of the environment. A bad value stops the start with its name, never with a guess."""

import base64
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

# Tests keep their database and their secrets apart from the developer's own, however they are started.
TESTING = "pytest" in sys.modules


def data_dir() -> Path:
    """Where the embedded database, the sandbox's state and generated secrets live."""
    default = BASE_DIR / ".data" / "test" if TESTING else BASE_DIR / ".data"
    return Path(env.str("PLUMBLINE_DATA_DIR", default=str(default))).absolute()


def database_url() -> str:
    """The address of a PostgreSQL of the deployment's own; empty for the embedded one."""
    url: str = env.str("DATABASE_URL", default="")
    return url


def database() -> dict[str, Any]:
    """Django's description of the database: the one that is named, else the embedded one."""
    if not database_url():
        return {"ENGINE": "config.embedded", "NAME": "plumbline", "USER": "plumbline"}
    described: dict[str, Any] = env.db_url("DATABASE_URL")
    if described["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL: postgres://user:password@host/name.")
    return described


def base_url(name: str, *, default: str) -> str:
    """The http or https address in this variable, without a slash at its end, or the default."""
    url: str = env.str(name, default=default).rstrip("/")
    parts = urlsplit(url)
    if url != default and (parts.scheme not in {"http", "https"} or not parts.netloc):
        raise ImproperlyConfigured(f"{name} must be an http or https address, not {url!r}.")
    return url


def token() -> str:
    """A fresh secret for signing."""
    return secrets.token_urlsafe(48)


def signing_key() -> str:
    """A fresh secret in the form that the Standard Webhooks specification gives it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def generated_secret(name: str, make: Callable[[], str] = token) -> str:
    """The secret of this name: from the environment, else one made once and kept under the data directory.

    With a database of its own a deployment may have many machines, which must agree on a secret, so there
    nothing is made up: it names its secrets itself.
    """
    given: str = env.str(f"PLUMBLINE_{name}", default="")
    if given:
        return given
    if database_url() and not TESTING:
        raise ImproperlyConfigured(
            f"PLUMBLINE_{name} must be set where DATABASE_URL is; see docs/configuration.md."
        )
    return kept_secret(data_dir() / "secrets" / name.lower(), make)


def signing_keys(name: str) -> list[str]:
    """The signing secrets in this variable or file, the newest first, with white space between them."""
    keys = generated_secret(name, signing_key).split()
    if not keys or not all(_is_signing_key(key) for key in keys):
        raise ImproperlyConfigured(
            f"PLUMBLINE_{name} must hold whsec_ and base64, or several, the newest first."
        )
    return keys


def _is_signing_key(text: str) -> bool:
    if not text.startswith("whsec_"):
        return False
    try:
        return bool(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except ValueError:
        return False


def replace_secret(path: Path, text: str) -> None:
    """Write another secret to the file, so that who reads it meanwhile gets the old one or the new one."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def kept_secret(path: Path, make: Callable[[], str] = token) -> str:
    """The secret in the file, which is made if it is missing and which only its owner may read."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        # A hard link fails if another process was first, so that all of them read the same secret.
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
