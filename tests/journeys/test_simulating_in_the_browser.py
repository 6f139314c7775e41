"""An owner asks what would happen, watches it being worked out, and puts it in force."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.browsing import Visitor, chromium
from tests.journeys.product import Product

SUPPOSED = """\
holds:
  - name: books
    tenants: {keys: [tenant-b]}
    plugins: [powerx-crm-plugin]
    until: in 9 days
    reason: The books are being closed.
"""


@pytest.mark.browser
def test_changes_are_tried_out_before_they_are_put_in_force(product: Product) -> None:
    with chromium() as browser:
        owner = Visitor(browser, product, "powerx-owner")
        a_hold_is_seen_to_conflict_and_put_in_force(owner)
        the_editor_shows_the_impact_once_a_worker_has_it(owner)
        # The browser notes the one refused form as well, which was meant.
        [refused] = owner.complaints
        assert "422" in refused


def a_hold_is_seen_to_conflict_and_put_in_force(owner: Visitor) -> None:
    """What is wrong with the text is told with its line; what it would do appears by itself."""
    page = owner.page
    owner.go("Simulations")
    owner.go("Ask what would happen")
    page.get_by_label("Title").fill("Hold the books")
    page.get_by_label("Supposed texts, as YAML").fill(SUPPOSED.replace("plugins:", "plugin:"))
    owner.press("Work it out")
    expect(page.get_by_text("Nothing was saved")).to_be_visible()
    expect(page.get_by_text("Line 4")).to_be_visible()
    page.get_by_label("Supposed texts, as YAML").fill(SUPPOSED)
    owner.press("Work it out")
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()
    expect(page.get_by_text("1 conflict that would need a decision")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    owner.press("Apply")
    expect(page.get_by_text("It is in force. No policy has to act")).to_be_visible()
    owner.go("Policies")
    expect(page.get_by_role("link", name="books")).to_be_visible()


def the_editor_shows_the_impact_once_a_worker_has_it(owner: Visitor) -> None:
    """By itself, before anything is in force."""
    page = owner.page
    owner.go("Policies")
    owner.go("core-align")
    owner.go("Edit")
    text = page.get_by_label("Policy, as YAML")
    text.fill(text.input_value().replace("2.4.0", "2.3.0"))
    owner.press("Preview the impact")
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()
    owner.press("Put in force")
    expect(page.get_by_text("Version 2 of core-align is in force.")).to_be_visible()
