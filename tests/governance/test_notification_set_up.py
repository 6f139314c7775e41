"""What a profile says about messages: checked with its line, kept, given back, and shown."""

import pytest
from django.test import Client

from config.access import SYSTEM
from governance import configuration
from governance.documents import ConfigurationError
from tests.factories import AT, World

PROFILES = """\
version: 1
profiles:
  - name: steady
    mode: remind
    notify:
      window: 4h
      at_once: [overdue]
      escalation:
        - {tell: tenant_admins}
        - {tell: policy_owners, before: 2d}
        - {tell: owners, after: 0d}
"""
BASELINES = """\
version: 1
groups:
  acme:
    baselines: []
"""


def apply(profiles: str) -> configuration.Files:
    """Both files, put in force."""
    baselines = configuration.load_text(BASELINES, file="baselines.yaml").baselines
    files = configuration.Files(baselines, configuration.load_text(profiles, file="profiles.yaml").profiles)
    configuration.apply(files, actor=SYSTEM, at=AT)
    return files


def refusal(profiles: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        apply(profiles)
    return "\n".join(str(problem) for problem in refused.value.problems)


def test_an_export_gives_back_the_notification_set_up(world: World) -> None:
    files = apply(PROFILES)
    assert files.profiles is not None
    assert configuration.export_profiles([world.group]) == files.profiles.data


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("before: 2d", "before: 2d, after: 1d", "profiles.yaml:10: profiles[0].notify.escalation[1].after"),
        ("before: 2d", "before: 2d, after: 1d", "before and after exclude each other"),
        (
            "{tell: owners, after: 0d}",
            "{tell: tenant_admins}",
            "profiles.yaml:11: profiles[0].notify.escalation[2]",
        ),
        ("{tell: owners, after: 0d}", "{tell: tenant_admins}", "is the same step as one above it"),
        ("tell: owners", "tell: everybody", "isn't one of tenant_admins, policy_owners, owners"),
        ("tell: owners, after: 0d", "after: 0d", "“tell” is missing"),
        ("window: 4h", "window: soon", "Minutes, hours, days or weeks"),
        ("[overdue]", "[gossip]", "isn't one of decision"),
        ("window: 4h", "windows: 4h", "did you mean “window”?"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(
    world: World, written: str, instead: str, said: str
) -> None:
    assert said in refusal(PROFILES.replace(written, instead))


def test_the_page_of_profiles_says_who_is_reminded_when(world: World, client: Client) -> None:
    apply(PROFILES)
    client.force_login(world.viewer)
    page = client.get("/g/acme/policies/profiles/").content.decode()
    assert "tenant admins at once, policy owners 2 days before it, owners at the due date" in page
    assert "at most one in 4 hours" in page
