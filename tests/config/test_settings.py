"""What the environment says, as a fresh process reads it."""

import base64
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.env import BASE_DIR

DEPLOYED = {
    "DATABASE_URL": "postgres://plumbline:secret@db.invalid:5433/governance",
    "PLUMBLINE_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "PLUMBLINE_ORCHESTRATOR_TOKEN": "token",
    "PLUMBLINE_CALLBACK_SECRET": "whsec_c2VjcmV0",
    "PLUMBLINE_BASE_URL": "https://plumbline.example/",
    "PLUMBLINE_ALLOWED_HOSTS": "plumbline.example",
}
NAMES = [
    "ALLOWED_HOSTS", "AUDIT_URL", "BASE_URL", "CALLBACK_SECRET", "CALLBACK_SECRETS", "DATABASES",
    "EMAIL_BACKEND", "EMAIL_FILE_PATH", "EMAIL_HOST", "EMAIL_HOST_PASSWORD", "EMAIL_PORT", "EMAIL_USE_TLS",
    "NOTIFY_URL", "ORCHESTRATOR_URL", "SECRET_KEY", "SECURE_HSTS_SECONDS",
    "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "USES_SANDBOX",
    "CSRF_COOKIE_SECURE", "ORCHESTRATOR_TOKEN", "Q_CLUSTER", "DEBUG",
]  # fmt: skip


def _start(data_dir: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    values = f"{{name: getattr(settings, name) for name in {NAMES}}}"
    program = f"import json; from config import settings; print(json.dumps({values}))"
    environment = {"PATH": os.environ["PATH"], "PLUMBLINE_DATA_DIR": str(data_dir), **variables}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False)


def _read(data_dir: Path, **variables: str) -> dict[str, Any]:
    answer = _start(data_dir, variables)
    assert answer.returncode == 0, answer.stderr
    settings: dict[str, Any] = json.loads(answer.stdout)
    return settings


def test_with_nothing_set_everything_has_a_value_that_works(tmp_path: Path) -> None:
    settings = _read(tmp_path)
    assert settings["DATABASES"]["default"]["ENGINE"] == "config.embedded"
    assert settings["DATABASES"]["default"]["CONN_MAX_AGE"] > 0
    assert settings["USES_SANDBOX"]
    assert settings["ORCHESTRATOR_URL"] == "http://127.0.0.1:8010"
    assert settings["NOTIFY_URL"] == settings["AUDIT_URL"] == ""
    assert settings["EMAIL_BACKEND"].endswith("filebased.EmailBackend")
    assert settings["EMAIL_FILE_PATH"] == str(tmp_path / "mail")
    assert not settings["DEBUG"]
    assert not settings["SESSION_COOKIE_SECURE"]  # or nobody could sign in over plain http


def test_secrets_are_made_once_for_their_owner_only(tmp_path: Path) -> None:
    first, second = _read(tmp_path), _read(tmp_path)
    names = ["SECRET_KEY", "ORCHESTRATOR_TOKEN", "CALLBACK_SECRET"]
    assert [first[name] for name in names] == [second[name] for name in names]
    assert len({first[name] for name in names}) == 3
    assert len(first["SECRET_KEY"]) >= 50
    assert first["CALLBACK_SECRET"].startswith("whsec_")
    assert len(base64.b64decode(first["CALLBACK_SECRET"].removeprefix("whsec_"), validate=True)) == 32
    files = list((tmp_path / "secrets").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len(files) == 3


def test_a_deployment_is_described_whole(tmp_path: Path) -> None:
    settings = _read(tmp_path, **DEPLOYED)
    database = settings["DATABASES"]["default"]
    assert (database["ENGINE"], database["HOST"], database["PORT"], database["NAME"]) == (
        "django.db.backends.postgresql",
        "db.invalid",
        5433,
        "governance",
    )
    assert settings["BASE_URL"] == "https://plumbline.example"
    assert settings["ALLOWED_HOSTS"] == ["plumbline.example"]
    assert settings["SECRET_KEY"] == DEPLOYED["PLUMBLINE_SECRET_KEY"]
    assert settings["ORCHESTRATOR_URL"] == ""
    assert not settings["USES_SANDBOX"]
    assert list(tmp_path.iterdir()) == []


def test_an_https_address_makes_everything_secure(tmp_path: Path) -> None:
    settings = _read(tmp_path, PLUMBLINE_BASE_URL="https://plumbline.example")
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SECURE_HSTS_SECONDS"] > 0


def test_mail_goes_where_the_address_says(tmp_path: Path) -> None:
    settings = _read(tmp_path, EMAIL_URL="smtp+tls://me:secret@mail.example:587")
    assert settings["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
    assert (settings["EMAIL_HOST"], settings["EMAIL_PORT"]) == ("mail.example", 587)
    assert settings["EMAIL_HOST_PASSWORD"] == "secret"
    assert settings["EMAIL_USE_TLS"]


def test_a_job_is_given_out_again_only_after_it_was_ended(tmp_path: Path) -> None:
    queue = _read(tmp_path, PLUMBLINE_JOB_TIMEOUT="30")["Q_CLUSTER"]
    assert queue["timeout"] == 30 < queue["retry"]
    assert queue["max_attempts"] > 0
    assert queue["save_limit"] == -1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PLUMBLINE_BASE_URL", "plumbline.example"),
        ("PLUMBLINE_NOTIFY_URL", "ftp://notify.example"),
        ("PLUMBLINE_ORCHESTRATOR_URL", "sand box"),
        ("PLUMBLINE_PORT", "eighty"),
        ("PLUMBLINE_CALLBACK_SECRET", "whsec_bmV3 plain"),
        ("PLUMBLINE_CALLBACK_SECRET", "whsec_b2x"),
        ("DATABASE_URL", "sqlite:///plumbline.db"),
    ],
)
def test_a_value_that_cannot_be_right_stops_the_start(tmp_path: Path, variable: str, value: str) -> None:
    answer = _start(tmp_path, {variable: value})
    assert answer.returncode != 0
    assert variable in answer.stderr or value in answer.stderr


def test_of_several_callback_secrets_the_first_signs_and_all_are_accepted(tmp_path: Path) -> None:
    settings = _read(tmp_path, PLUMBLINE_CALLBACK_SECRET="whsec_bmV3 whsec_b2xk")
    assert settings["CALLBACK_SECRETS"] == ["whsec_bmV3", "whsec_b2xk"]
    assert settings["CALLBACK_SECRET"] == "whsec_bmV3"


@pytest.mark.parametrize("secret", ["SECRET_KEY", "ORCHESTRATOR_TOKEN", "CALLBACK_SECRET"])
def test_a_deployment_names_its_secrets_itself(tmp_path: Path, secret: str) -> None:
    variables = {name: value for name, value in DEPLOYED.items() if name != f"PLUMBLINE_{secret}"}
    answer = _start(tmp_path, variables)
    assert answer.returncode != 0
    assert f"PLUMBLINE_{secret} must be set" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_djangos_own_examination_of_a_deployment_finds_nothing() -> None:
    answer = subprocess.run(
        [BASE_DIR / "script" / "check-deploy"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def test_every_variable_is_documented() -> None:
    names = ("settings.py", "env.py", "web.py", "postgres.py")
    code = "".join((BASE_DIR / "config" / name).read_text() for name in names)
    read = set(re.findall(r"""["'](PLUMBLINE_[A-Z_]+)["']""", code))
    documented = (BASE_DIR / "docs" / "configuration.md").read_text()
    assert len(read) > 15
    assert [name for name in sorted(read) if f"`{name}`" not in documented] == []
