"""The page beside the clerk: the terminal's state and no more, for who knows the address, in a real browser too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from support.live_board import beat, begun, closed, event, heard
from support.live_window import Window, states, window
from support.pages_browser import Browser, chrome, needs_browser

from counter_listener.cli.terminal.page_state import page_state
from counter_listener.domain import use_language
from counter_listener.web.live_page import POLICY

SHARED = "请稍等一下"
CUSTOMER: tuple[dict[str, Any], ...] = (
    beat(2.0),
    {"guess": "我想 取 两万 块 钱", "ids": [], "doubtful": [], "signs": ["errand-cash"]},
    event("visit_opened", 2.0),
)


@pytest.fixture(scope="module")
def shown() -> Iterator[Window]:
    with window(begun()) as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/events", "/wrong/live.js", "/wrong/order", "nothing", "x/y"])
def test_who_does_not_know_the_address_gets_nothing(shown: Window, path: str) -> None:
    method = "POST" if path.endswith("order") else "GET"
    status, text = shown.request(path, method)
    assert status == 403
    assert "counter-listener listen --page" in text
    assert shown.page.token not in text


def test_only_the_page_itself_orders_and_nothing_that_the_keys_do_not(shown: Window) -> None:
    own = shown.link.split("/", 3)
    here = "/".join(own[:3])
    for headers in ({"Origin": "https://example.org"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        assert shown.request("order", "POST", "wrong", **headers)[0] == 403
    assert shown.request("order", "POST", "stop", Origin=here)[0] == 400
    assert shown.request("order", "GET")[0] == 403
    assert shown.orders == []
    assert shown.request("order", "POST", "wrong", Origin=here)[0] == 204
    assert shown.orders == ["wrong"]


def test_another_name_of_this_machine_is_refused_and_no_script_of_others_runs(shown: Window) -> None:
    assert shown.request(Host="example.org")[0] == 421
    status, text = shown.request()
    assert status == 200
    assert "<script>" not in text
    assert "style=" not in text
    assert not {"'unsafe-inline'", "*", "https:"} & set(" ".join(POLICY).split())


def test_the_state_of_the_terminal_is_sent_and_nothing_else() -> None:
    board = begun()
    for message in (
        *CUSTOMER,
        heard("hello", 3.0, "问候语", heard="您好"),
        closed(60.0, 87.5),
        {"marked": "x", "for": 9},
    ):
        board.apply(message)
    with use_language("zh"):
        sent = json.loads(page_state(board))
    assert sent["last"] == [["87.5 分 良好", "green"]]
    assert sent["day"] == ["今天：服务 1 次，合格 1 次，平均 87.5 分，忌语 0 次"]
    assert sent["words"] == "我想取2万块钱"
    board.apply({"guess": "", "ids": []})
    board.apply(beat(80.0))
    with use_language("zh"):
        later = page_state(board)
    assert "取" not in later
    assert "2026" not in later


def test_a_window_that_opens_late_has_the_newest_state_and_every_window_learns_the_end() -> None:
    with window(begun()) as made:
        made.show(*CUSTOMER)
        first = states(made.link, 30)
        assert next(first)["open"]
        made.show({"stopped": True})
        late = states(made.link, 30)
        assert [state["state"] for state in islice(late, 1)] == ["stopped"]
        made.page.close()
        assert [state["state"] for state in first][-1] == "stopped"
        assert list(late) == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chrome() as driver:
        yield Browser("", driver, cast("Any", None))


def marks(browser: Browser) -> dict[str, str]:
    return dict(
        browser.run("return [...document.querySelectorAll('#stages li')].map(e => [e.dataset.id, e.dataset.mark])")
    )


@needs_browser
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_shows_a_visit_from_its_hint_to_the_day(browser: Browser, lang: Any) -> None:
    with window(begun(), lang) as made:
        browser.open(made.link)
        browser.until(lambda: marks(browser).get("hello") == "open")
        made.show(*CUSTOMER, {"guess": "", "ids": []}, beat(7.5))
        browser.until(lambda: "您好" in browser.find("#hint").text)
        assert browser.find("#hint").is_displayed()
        made.show(heard("hello", 8.0, "问候语"), {"guess": SHARED, "ids": ["wait"]}, beat(8.2))
        browser.until(lambda: (marks(browser)["hello"], marks(browser).get("wait")) == ("heard", "guessed"))
        assert not browser.find("#hint").is_displayed()
        made.show({"restarting": "the microphone was away", "in": 4.0})
        browser.until(lambda: browser.find("#wrong").is_displayed())
        for width, dark in ((360, False), (1000, True)):
            browser.screen(width, dark=dark)
            assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
            assert browser.faults() == []
        made.show(beat(40.0), closed(60.0, 87.5), {"stopped": True})
        browser.until(lambda: "87.5" in browser.find("#day").text)
        assert not browser.find("#keys").is_displayed()
    assert browser.run("return document.body.dataset.state") == "stopped"  # it is over, and not broken
    assert browser.complaints() == []


@needs_browser
def test_buttons_and_keys_order_what_the_keys_of_the_terminal_do(browser: Browser) -> None:
    with window(begun()) as made:
        browser.open(made.link)
        browser.until(lambda: marks(browser))
        browser.find("#not-me").click()
        browser.until(lambda: made.orders == ["wrong"])
        made.show({"marked": "快点", "for": 10.0})
        browser.until(lambda: browser.find("#mark").is_displayed())
        browser.find("body").send_keys("u")
        browser.until(lambda: made.orders == ["wrong", "undo"])
        browser.find("[data-order=space]").send_keys(Keys.SPACE)  # presses the button, once
        browser.until(lambda: made.orders == ["wrong", "undo", "space"])
        browser.find("body").send_keys("q")
        browser.find("body").send_keys("N")
        browser.until(lambda: made.orders == ["wrong", "undo", "space", "wrong"])


@needs_browser
def test_one_line_has_what_is_due_and_no_more(browser: Browser) -> None:
    with window(begun()) as made:
        made.show(*CUSTOMER, {"guess": "", "ids": []}, beat(7.5))
        for width in (360, 1000):
            browser.screen(width)
            browser.open(made.link)
            browser.until(lambda: browser.find("#hint").is_displayed())
            browser.find("#size").send_keys(Keys.ENTER)
            assert browser.run("return location.search") == "?line"
            assert browser.find("#hint").is_displayed()
            assert not browser.find("#day").is_displayed()
            height = browser.run("return Math.max(...[...document.body.children].map(e => e.offsetHeight))")
            assert height < 70
            assert browser.faults() == []
        browser.find("#size").click()
        assert browser.find("#day").is_displayed()
    assert browser.driver.find_elements(By.CSS_SELECTOR, "script[src^=http]") == []


@needs_browser
def test_a_connection_that_breaks_is_told_and_made_anew(browser: Browser) -> None:
    with window(begun()) as made:
        browser.open(made.link)
        browser.until(lambda: marks(browser))
        made.page.close()  # the stream ends, and nothing was stopped
        browser.until(lambda: "连接断了" in browser.find("#wrong").text)
        made.page._closing = False  # noqa: SLF001 - the listener is there again
        made.show(*CUSTOMER)
        browser.until(lambda: "第 1 次服务" in browser.find("#visit").text)
        assert browser.find("#wrong").text == ""
    browser.until(lambda: browser.find("#wrong").is_displayed())
    browser.complaints()
