"""D-1 and D-2 as people play them in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.journeys.browsing import Visitor, chromium
from tests.journeys.product import Product, three_hours

pytestmark = pytest.mark.browser

PLUGIN = "powerx-crm-plugin"
HOLD = """\
name: tenant-b-freeze
title: Nothing changes in tenant-b while its books are closed
tenants: {keys: [tenant-b]}
plugins: [powerx-crm-plugin]
until: in 30 days
reason: The tenant closes its books; the plugin must stay as it is until then.
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the module; every visitor has a session of their own."""
    with chromium() as running:
        yield running


def test_d1_and_then_d2(product: Product, browser: Browser, tmp_path: Path) -> None:
    owner = Visitor(browser, product, "powerx-owner")
    admin = an_owner_brings_the_tenant_behind_into_line(owner, browser, tmp_path / "report.pdf")
    product.fall_behind()
    an_owner_decides_what_a_hold_made_undecidable_and_the_tenants_admin_sees(owner, admin)
    assert owner.complaints + admin.complaints == []


def an_owner_brings_the_tenant_behind_into_line(owner: Visitor, browser: Browser, report: Path) -> Visitor:
    """D-1; the tenant's admin, who is told."""
    upgrades_take(owner.product, seconds=8)
    sees_the_drift(owner)
    admin = Visitor(browser, owner.product, "tenant-b-admin")
    agrees_when_the_tenant_may_be_changed(admin)
    watches_a_run_upgrade_the_tenant(owner)
    admin.go("My tenant")
    is_told_with_a_due_date(admin)
    sees_only_the_own_tenant(admin, owner)
    downloads_the_report(owner, report)
    owner.go("Overview")
    expect(compliance(owner.page)).to_contain_text("2 of 2 tenants")
    upgrades_take(owner.product, seconds=0.5)
    return admin


def upgrades_take(product: Product, *, seconds: float) -> None:
    """Tell the sandbox how long to work on each, so that a person can watch."""
    with product.sandbox() as sandbox:
        sandbox.patch("/sandbox/settings", json={"delay_seconds": seconds}).raise_for_status()


def sees_the_drift(owner: Visitor) -> None:
    """The overview names what is out of line, the list of drift the versions."""
    expect(owner.page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    expect(compliance(owner.page)).to_contain_text("1 of 2 tenants")
    expect(owner.page.locator("main a, main text").filter(has_text=PLUGIN).first).to_be_visible()
    owner.go("Drift")
    row = owner.page.get_by_role("row").filter(has_text="tenant-b")
    expect(row).to_contain_text("2.3.0")
    expect(row).to_contain_text("2.4.0")


def agrees_when_the_tenant_may_be_changed(admin: Visitor) -> None:
    """A window that is open, so that the run's upgrade is handed over within it."""
    page = admin.page
    admin.go("My tenant", "tenant-b", "Windows")
    for day in page.get_by_role("checkbox").all():
        day.check()
    for label, clock in zip(("From", "To"), three_hours(timedelta(hours=-1)), strict=True):
        page.get_by_label(label, exact=True).fill(clock)
    admin.press("Agree")
    expect(page.get_by_role("listitem").filter(has_text="agreed")).to_contain_text("by tenant-b-admin")


def watches_a_run_upgrade_the_tenant(owner: Visitor) -> None:
    """The run leads to its plan, whose page follows the task to its end without being loaded anew."""
    page = owner.page
    owner.go("Overview", "Runs")
    owner.go("Run now")
    owner.press("Run now")
    expect(page.locator("#run")).to_contain_text("Plan 1")
    owner.go("Plan 1")
    page.evaluate("document.body.dataset.same = 'page'")
    expect(page.locator("#progress")).to_contain_text("1 of 1")
    for part in ("#progress", "#tasks"):
        expect(page.locator(part)).to_contain_text("Succeeded")
    expect(page.locator("#progress")).to_contain_text("0 of 1")
    expect(page.locator("#progress")).to_contain_text("Completed")
    assert page.evaluate("document.body.dataset.same") == "page"


def is_told_with_a_due_date(admin: Visitor) -> None:
    """The tenant's admin finds the reminder, with its due date, at home and among the notifications."""
    page = admin.page
    expect(page.get_by_role("heading", name="My tenant", level=1)).to_be_visible()
    unread = page.locator("section", has=page.get_by_role("heading", name="Unread messages"))
    expect(unread).to_contain_text(re.compile(r"due|in \d+ ", re.IGNORECASE))
    admin.go("Notifications")
    message = page.locator("#notifications tbody tr").first
    expect(message).to_contain_text("tenant-b")
    message.get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text(PLUGIN)
    expect(page.locator("main")).to_contain_text("2.4.0")


def sees_only_the_own_tenant(admin: Visitor, owner: Visitor) -> None:
    """Nothing names the other tenant, whose page isn't there for this admin."""
    for path in ("/g/powerx/mine/", "/g/powerx/drift/", "/g/powerx/exemptions/", "/g/powerx/notifications/"):
        admin.page.goto(path)
        assert "tenant-a" not in admin.page.content(), path
    owner.go("Tenants", "tenant-a")
    address = owner.page.url
    assert (owner.status(address), admin.status(address)) == (200, 404)
    assert admin.status("/g/powerx/plans/") in {403, 404}


def downloads_the_report(owner: Visitor, file: Path) -> None:
    """The run's report follows its making, is listed, and its PDF is one."""
    owner.go("Reports", "#1")
    expect(owner.page.locator("#report")).to_contain_text("2 of 2 tenants in line")
    owner.go("Reports")
    row = owner.page.locator("#reports tbody tr").first
    expect(row).to_contain_text("Ready")
    expect(row).to_contain_text("100")
    with owner.page.expect_download() as started:
        row.get_by_role("link", name="PDF").click()
    started.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF-")


def an_owner_decides_what_a_hold_made_undecidable_and_the_tenants_admin_sees(
    owner: Visitor, admin: Visitor
) -> None:
    """D-2."""
    writes_the_hold(owner)
    run = starts_a_run_that_stands(owner)
    opens_the_conflict(owner)
    sees_it_and_may_not_decide(admin, urlsplit(owner.page.url).path)
    decides_with_a_reason(owner)
    owner.page.goto(run)
    expect(owner.page.locator("#run")).to_contain_text("Completed")
    owner.go("Plan 2")
    expect(owner.page.locator("#tasks")).to_contain_text("Succeeded")


def writes_the_hold(owner: Visitor) -> None:
    """In the editor, with what it would do shown before it does it."""
    owner.go("Policies", "Write a policy")
    owner.page.get_by_label("Kind").select_option("hold")
    text = owner.page.get_by_label("Policy, as YAML")
    expect(text).to_have_value(re.compile("^until: ", re.MULTILINE))
    text.fill(HOLD)
    owner.press("Preview the impact")
    expect(owner.page.get_by_role("heading", name="What it would do")).to_be_visible()
    owner.press("Put in force")
    expect(owner.page.get_by_role("heading", level=1)).to_contain_text("tenant-b-freeze")


def starts_a_run_that_stands(owner: Visitor) -> str:
    """The address of the run that does nothing and waits."""
    owner.go("Overview", "Runs")
    owner.go("Run now")
    owner.press("Run now")
    run = owner.page.locator("#run")
    expect(run).to_contain_text("Needs a decision")
    expect(run).to_contain_text("The run waits for these decisions")
    expect(run.locator("dl.facts div").filter(has_text="Plan")).to_contain_text("–")
    return owner.page.url


def opens_the_conflict(owner: Visitor) -> None:
    """It is listed among the decisions."""
    owner.go("Decisions")
    owner.page.locator("#conflicts tbody tr").get_by_role("link").first.click()
    expect(owner.page.locator("main")).to_contain_text("Why they conflict")


def sees_it_and_may_not_decide(admin: Visitor, conflict: str) -> None:
    """The tenant's admin finds at home that a decision is needed, which isn't theirs."""
    admin.go("My tenant")
    expect(admin.page.locator("main")).to_contain_text("Needs a decision")
    assert admin.status(conflict) in {403, 404}


def decides_with_a_reason(owner: Visitor) -> None:
    """The page says whom it touches and what could be done; one of these ways out is chosen.

    A reason of blanks is refused, and the page that says so is where it has to be mended.
    """
    main = owner.page.locator("main")
    for named in ("core-align/", "tenant-b-freeze/", "tenant-b"):
        expect(main).to_contain_text(named)
    owner.page.locator("ol li").filter(has_text="tenant-b-freeze").get_by_role("link").first.click()
    reason = owner.page.get_by_label("Reason")
    reason.fill("  ")
    owner.press("Record the decision")
    expect(main).to_contain_text("This field is required.")
    expect(reason).to_be_focused()
    assert "422" in owner.complaints.pop(), "which the browser tells of, too"
    reason.fill("The books are closed.")
    owner.press("Record the decision")
    expect(main).to_contain_text("by powerx-owner")
    expect(main).to_contain_text("The books are closed.")


def compliance(page: Page) -> Locator:
    """The overview's card that says how many tenants are in line."""
    return page.locator(".card", has=page.get_by_role("heading", name="Compliance", exact=True))
