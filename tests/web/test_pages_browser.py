"""The pages in a real browser, in Chinese: their main tasks, keys, axe-core, narrow and wide, dark, hostile names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from support.pages_browser import Pages, needs_browser, pages_in_browser

pytestmark = needs_browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    with pages_in_browser(tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture(autouse=True)
def _plain_screen(pages: Pages) -> Iterator[None]:
    pages.screen(1280)
    pages.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
    pages.complaints()
    yield
    assert pages.complaints() == []


PATHS = ("/?days=all", "/visits", "/visits?verdict=forbidden", "/system", "ungreeted", "hostile", "gone", "/nowhere")


def opened(pages: Pages, path: str) -> None:
    if path.startswith("/"):
        pages.open(path)
    elif path == "gone":
        pages.open(f"/visits/{pages.visits[path]}")
    else:
        pages.visit(path)


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_serious_by_day_and_by_night(pages: Pages, path: str) -> None:
    for width, dark in ((1280, False), (360, True)):
        pages.screen(width, dark=dark)
        opened(pages, path)
        assert [one for one in pages.complaints() if "404" not in one] == []
        assert pages.serious_faults() == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("width", [360, 1920])
def test_no_page_is_wider_than_the_screen(pages: Pages, path: str, width: int) -> None:
    pages.screen(width)
    opened(pages, path)
    assert pages.run("return document.documentElement.scrollWidth") <= width
    if path == "/nowhere":
        pages.complaints()


def test_the_overview_leads_to_the_moment_of_an_offence(pages: Pages) -> None:
    pages.open("/?days=all")
    assert pages.find("html").get_attribute("lang") == "zh-CN"
    assert pages.find(".lead").text.startswith("共 8 次服务，")
    pages.until(lambda: pages.run("return document.querySelectorAll('.chart canvas').length") == 2)
    link = pages.find(".lead .playing")
    at = float((link.get_attribute("href") or "").partition("#t=")[2])
    link.click()
    pages.until(lambda: "/visits/" in pages.driver.current_url)
    pages.until(lambda: abs(pages.run("return sound.currentTime") - max(0, at - 2)) < 0.3)


def test_a_choice_in_the_filter_shows_at_once_and_stands_in_the_address(pages: Pages) -> None:
    pages.open("/visits")
    Select(pages.find("select[name=counter]")).select_by_visible_text("4")
    pages.until(lambda: "counter=4" in pages.driver.current_url)
    pages.until(lambda: len(pages.driver.find_elements(By.CSS_SELECTOR, ".list tbody tr")) == 1)
    assert "问候语" in pages.find(".list tbody").text
    pages.driver.refresh()
    assert Select(pages.find("select[name=counter]")).first_selected_option.text == "4"
    pages.find(".list tbody tr a").click()
    pages.until(lambda: pages.visits["ungreeted"] in pages.driver.current_url)


def test_a_search_is_typed_and_the_list_follows(pages: Pages) -> None:
    pages.open("/visits")
    pages.find("#search").send_keys("三号柜台")
    pages.until(lambda: len(pages.driver.find_elements(By.CSS_SELECTOR, ".list tbody tr")) == 1)
    assert "三号柜台 #1 100%.wav" in pages.find(".list tbody").text


def test_a_click_plays_the_moment_and_what_was_not_heard_plays_when_it_was_due(pages: Pages) -> None:
    pages.visit("ungreeted")
    missed = pages.find(".item.not_heard")
    start, end = (float(missed.get_attribute(f"data-{name}") or 0) for name in ("from", "to"))
    missed.find_element(By.CSS_SELECTOR, "button.play").click()
    pages.until(lambda: pages.run("return !sound.paused"))
    assert start <= pages.run("return sound.currentTime") <= end
    pages.run("sound.playbackRate = 8")
    pages.until(lambda: pages.run("return sound.paused"))
    assert pages.run("return sound.currentTime") == pytest.approx(end, abs=2.5)
    heard = pages.driver.find_elements(By.CSS_SELECTOR, ".item.heard")[-1]
    heard.find_element(By.CSS_SELECTOR, "button.play").click()
    pages.until(lambda: pages.run("return !sound.paused"))
    assert "current" in (heard.get_attribute("class") or "")
    assert pages.run("return sound.currentTime") >= float(heard.get_attribute("data-from") or 0) - 0.3
    pages.run("sound.pause()")


def test_the_keyboard_alone_goes_through_a_visit(pages: Pages) -> None:
    pages.visit("rude")
    keys = ActionChains(pages.driver)
    keys.send_keys("j").perform()
    first = pages.find(".item.current")
    assert "你自己看" in first.text
    keys.reset_actions()
    keys.send_keys("jjk").perform()
    assert pages.find(".item.current") != first
    keys.reset_actions()
    keys.send_keys(Keys.ENTER).perform()
    pages.until(lambda: pages.run("return !sound.paused"))
    pages.run("sound.pause(); document.activeElement.blur()")
    keys.reset_actions()
    keys.send_keys(" ").perform()
    pages.until(lambda: pages.run("return !sound.paused"))
    keys.reset_actions()
    keys.send_keys(" ").perform()
    pages.until(lambda: pages.run("return sound.paused"))
    before = pages.run("return sound.currentTime")
    keys.reset_actions()
    keys.send_keys(Keys.ARROW_RIGHT).perform()
    assert pages.run("return sound.currentTime") == pytest.approx(before + 2, abs=0.1)


def test_the_waveform_has_a_mark_for_each_moment(pages: Pages) -> None:
    pages.visit("ungreeted")
    marks = "return document.querySelector('#wave > div').shadowRoot.querySelectorAll('[part^=region]').length"
    items = "return document.querySelectorAll('.item[data-start]').length"
    pages.until(lambda: pages.run(marks) >= pages.run(items))


def test_times_are_those_of_the_reader(pages: Pages) -> None:
    shown = []
    for zone in ("Asia/Shanghai", "America/New_York"):
        pages.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": zone})
        pages.open(f"/visits/{pages.visits['full']}")
        shown.append(pages.find("h1").text)
    assert shown == ["2026-01-16 12:30", "2026-01-15 23:30"]


def test_hostile_names_run_nothing(pages: Pages) -> None:
    pages.run("window.called = 0")
    for path in ("/visits", "/?days=all", "hostile", "/visits?counter=%3Cscript%3Ealert(1)%3C/script%3E"):
        opened(pages, path)
        assert pages.run("return document.querySelectorAll('img, script:not([src])').length") == 0
        pages.run("window.alert = () => { throw new Error('a script ran') }")


def test_language_and_colours_are_chosen_in_the_menu(pages: Pages) -> None:
    pages.open("/visits?counter=4")
    pages.find(".who summary").click()
    Select(pages.find(".who select[name=theme]")).select_by_value("dark")
    pages.until(lambda: pages.find("html").get_attribute("data-theme") == "dark")
    assert "counter=4" in pages.driver.current_url, "the page stays"
    pages.find(".who summary").click()
    Select(pages.find(".who select[name=lang]")).select_by_value("en")
    pages.until(lambda: pages.find("html").get_attribute("lang") == "en")
    pages.find(".who summary").click()
    Select(pages.find(".who select[name=theme]")).select_by_value("auto")
    pages.until(lambda: pages.find("html").get_attribute("data-theme") is None)
    pages.find(".who summary").click()
    Select(pages.find(".who select[name=lang]")).select_by_value("zh")
    pages.until(lambda: pages.find("html").get_attribute("lang") == "zh-CN")


def test_what_was_near_is_shown_beside_what_was_looked_for(pages: Pages) -> None:
    pages.visit("ungreeted")
    pages.find("#near button").click()
    pages.until(lambda: pages.driver.find_elements(By.CSS_SELECTOR, "#near .alignment td"))
    assert "要找的话" in pages.find("#near").text
