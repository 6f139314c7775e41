"""`manage.py callback_secret`: the secret is exchanged while callbacks keep coming."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from config.env import BASE_DIR

GIVEN = "whsec_b2xk"


def secret(action: str, data_dir: Path, **variables: str) -> str:
    environment = {"PATH": os.environ["PATH"], "PLUMBLINE_DATA_DIR": str(data_dir), **variables}
    command = [sys.executable, "manage.py", "callback_secret", action]
    answer = subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_a_new_secret_comes_first_and_the_old_one_is_accepted_until_it_is_retired(tmp_path: Path) -> None:
    assert "1 secret is accepted" in secret("status", tmp_path)
    file = tmp_path / "secrets" / "callback_secret"
    old = file.read_text().strip()

    said = secret("rotate", tmp_path)

    new, kept = file.read_text().split()
    assert (kept, new.startswith("whsec_"), new != old) == (old, True, True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "2 secrets are accepted" in secret("status", tmp_path)
    assert new not in said
    secret("retire", tmp_path)
    assert file.read_text().split() == [new]
    assert "none to retire" in secret("retire", tmp_path)


def test_what_the_environment_says_is_changed_there(tmp_path: Path) -> None:
    said = secret("rotate", tmp_path, PLUMBLINE_CALLBACK_SECRET=GIVEN)
    new = said.splitlines()[0].removeprefix('Set PLUMBLINE_CALLBACK_SECRET="').removesuffix('"')
    assert new.split()[1:] == [GIVEN]
    retired = secret("retire", tmp_path, PLUMBLINE_CALLBACK_SECRET=new)
    assert f'"{new.split()[0]}"' in retired
    assert not (tmp_path / "secrets" / "callback_secret").exists()
