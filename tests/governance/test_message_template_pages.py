"""Message templates in the console: written, previewed with what is so, checked, taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from audit.models import Entry, Report
from audit.models.report import ReportStatus
from governance import exemptions, message_templates, reminders
from governance.messages import texts
from governance.messages.kinds import Kind
from governance.messages.texts import Texts
from governance.models import Exemption, MessageTemplate, Notification
from tenants import deputies
from tenants.models import Preferences
from tests.factories import AT, World
from tests.governance.furnished import Furnished
from tests.governance.test_reminders import last

LIST = "/g/acme/notifications/templates/"
OWN = {
    "subject": "{{ count }} to do",
    "text": "Dear {{ person }}, {{ count }} to do.",
    "html": "<p>Dear {{ person }}, <strong>{{ count }}</strong> to do.</p>",
}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def owner(house: Furnished, client: Client) -> Client:
    client.force_login(house.world.owner)
    return client


def said(client: Client, path: str, data: dict[str, str] | None = None, status: int = 200) -> str:
    answer = client.get(path) if data is None else client.post(path, data)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_template_is_shown_with_what_is_so_now(
    house: Furnished, owner: Client, kind: Kind, language: str
) -> None:
    told = {
        Kind.REMINDER: "host-app",
        Kind.ESCALATION: "host-app",
        Kind.SUMMARY: "<strong>3</strong>",
        Kind.DECISION: "crm",
        Kind.ALERT: "20 %",
        Kind.EXEMPTION: "tenant-b",
        Kind.REPORT: "in line",
        Kind.DEPUTY: "viewer",
        Kind.DEPUTY_ENDED: "no longer stands in" if language == "en" else "不再代理",
        Kind.ROLLBACK: "snapshot",
    }
    Report.objects.update(status=ReportStatus.READY)
    world, days = house.world, {"starts_on": AT.date(), "ends_on": AT.date()}
    actor = world.access(world.owner).actor
    deputies.appoint(world.group, world.tenant_admin, "viewer", **days, actor=actor, at=AT)
    page = said(owner, f"{LIST}{kind}/{language}/")
    real = "As the admin of one tenant" if kind == Kind.REMINDER else "from what you reach"
    assert real in page
    assert told[kind] in page


def test_without_anything_of_the_kind_the_values_are_made_up(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert "so the values are made up" in said(client, f"{LIST}exemption/en/")


def test_a_preview_keeps_nothing_and_sends_nothing(house: Furnished, owner: Client) -> None:
    before = Entry.objects.count(), Notification.objects.count()
    page = said(owner, f"{LIST}reminder/en/preview/", OWN)
    assert "<strong>2</strong> to do." in page, "what one tenant's admin would read, not all the group's"
    assert (Entry.objects.count(), Notification.objects.count()) == before
    assert not MessageTemplate.objects.exists()


def test_a_template_that_is_kept_writes_the_messages_from_then_on(house: Furnished, owner: Client) -> None:
    said(owner, f"{LIST}reminder/en/change/", OWN, status=303)
    reminders.send(house.world.group, at=AT)
    assert last(house.world.tenant_admin)["subject"] == "2 to do"
    assert "your own, changed" in said(owner, LIST)
    assert Entry.objects.get(action="template.changed").data["subject"] == "{{ count }} to do"


def test_each_language_has_its_own(house: Furnished, owner: Client) -> None:
    Preferences.objects.create(user=house.world.tenant_admin, language="zh")
    said(owner, f"{LIST}reminder/en/change/", OWN, status=303)
    reminders.send(house.world.group, at=AT)
    assert "项偏差" in last(house.world.tenant_admin)["subject"]


@pytest.mark.parametrize(
    ("part", "text", "complaint"),
    [
        ("subject", "{{ sender }}", "Line 1: “sender” isn&#x27;t known"),
        ("text", "a\n{% if count %}b", "Line 2: Unclosed tag"),
        ("html", "<p>\n\n<script>x</script></p>", "Line 3: &lt;script&gt; can&#x27;t be used"),
        ("text", "x" * 20_001, "at most 20000 characters"),
        ("html", "{% if own %}<ul>{% endif %}<li>a</li>{% if not own %}</ul>{% endif %}", "comes out broken"),
    ],
)
def test_a_template_with_a_mistake_is_refused_with_its_line(
    owner: Client, part: str, text: str, complaint: str
) -> None:
    for verb in ("preview", "change"):
        answer = owner.post(f"{LIST}reminder/en/{verb}/", {**OWN, part: text})
        assert complaint in answer.content.decode()
    assert answer.status_code == 422
    assert not MessageTemplate.objects.exists()


def test_back_to_what_ships(owner: Client) -> None:
    said(owner, f"{LIST}reminder/en/change/", OWN, status=303)
    said(owner, f"{LIST}reminder/en/restore/", {}, status=303)
    assert not MessageTemplate.objects.exists()
    assert Entry.objects.filter(action="template.restored").count() == 1
    said(owner, f"{LIST}reminder/en/restore/", {}, status=303)
    assert Entry.objects.filter(action="template.restored").count() == 1


def test_what_ships_is_not_kept_as_ones_own(house: Furnished) -> None:
    world = house.world
    actor = world.access(world.owner).actor
    shipped = texts.shipped(Kind.ALERT, "en")
    assert message_templates.change(world.group, Kind.ALERT, "en", shipped, actor=actor, at=AT) is None
    own = Texts("a", "b", "<p>c</p>")
    message_templates.change(world.group, Kind.ALERT, "en", own, actor=actor, at=AT)
    message_templates.change(world.group, Kind.ALERT, "en", shipped, actor=actor, at=AT)
    assert not MessageTemplate.objects.exists()


def test_only_who_administers_the_group_writes_templates(house: Furnished, client: Client) -> None:
    for person in (house.world.viewer, house.world.tenant_admin, house.world.outsider):
        client.force_login(person)
        said(client, LIST, status=404)
        said(client, f"{LIST}reminder/en/change/", OWN, status=404)


def test_a_kind_or_language_that_is_not_there_is_not_found(owner: Client) -> None:
    said(owner, f"{LIST}gossip/en/", status=404)
    said(owner, f"{LIST}reminder/tlh/", status=404)


def test_a_preview_takes_as_many_queries_however_much_there_is(
    owner: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(60):
        said(owner, f"{LIST}decision/en/")


def test_who_asked_for_an_exemption_hears_of_the_decision_and_deciders_of_the_question(
    house: Furnished,
) -> None:
    world = house.world
    asker = world.access(world.tenant_admin).actor
    asked = exemptions.request(
        world.tenant_a, house.core, reason="A feature", expires_at=AT.replace(month=5), actor=asker, at=AT
    )
    assert last(world.owner)["subject"] == "tenant-a: exemption from core requested"
    exemptions.approve(asked, actor=world.access(world.owner).actor, at=AT, comment="Once")
    told = last(world.tenant_admin)
    assert told["subject"] == "tenant-a: exemption from core approved"
    assert "It was approved by owner. Once" in told["text"]
    assert Exemption.objects.get(pk=asked.pk).status == "approved"
    exemptions.expire_due(world.group, at=asked.expires_at)
    told = last(world.tenant_admin)
    assert told["subject"] == "tenant-a: exemption from core expired"
    assert "Its time is over: what it covered is drift again." in told["text"]
    assert "expired by" not in told["text"], "nobody did that"
