"""Single keys: through the list and to the search; never where somebody types, off if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.dashboard import documents as made

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pymongo.database import Database

    from tests.dashboard.conftest import Site

    Mongo = Database[dict[str, Any]]

pytestmark = pytest.mark.browser


@pytest.fixture
def opened_list(site: Site, mongo: Mongo, page: Page) -> Page:
    names = ("first", "second", "third")
    mongo.issues.insert_many(
        [made.issue(name, last_seen=made.moment(hours=n)) for n, name in enumerate(names, 1)]
    )
    page.goto(site.url)
    return page


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


def test_j_and_k_go_through_the_list_and_enter_opens_an_issue(opened_list: Page):
    expected = [("j", "first"), ("j", "second"), ("j", "third"), ("j", "third"), ("k", "second")]
    for key, name in expected:
        opened_list.keyboard.press(key)
        assert f"{name} is not a function" in focused(opened_list)
    opened_list.keyboard.press("Enter")
    opened_list.wait_for_url("**/issues/**")
    assert "second is not a function" in opened_list.title()


def test_a_slash_goes_to_the_search_where_keys_are_text(opened_list: Page):
    opened_list.keyboard.press("/")
    opened_list.keyboard.type("jk/?")
    assert opened_list.get_by_role("searchbox").input_value() == "jk/?"
    assert not opened_list.get_by_role("dialog").is_visible()


def test_a_question_mark_says_which_keys_there_are_and_they_can_be_turned_off(opened_list: Page):
    opened_list.keyboard.press("?")
    dialog = opened_list.get_by_role("dialog", name="Keys")
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Close").click()
    opened_list.reload()
    opened_list.keyboard.press("j")
    assert opened_list.evaluate("document.activeElement.tagName") == "BODY"
    opened_list.get_by_role("button", name="Keys").click()
    dialog.get_by_role("checkbox").check()
    opened_list.keyboard.press("Escape")
    opened_list.evaluate("document.activeElement.blur()")
    opened_list.keyboard.press("j")
    assert "first is not a function" in focused(opened_list)


def test_keys_with_a_modifier_are_the_browsers(opened_list: Page):
    opened_list.keyboard.press("Control+j")
    assert opened_list.evaluate("document.activeElement.tagName") == "BODY"
