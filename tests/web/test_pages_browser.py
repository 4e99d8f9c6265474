"""The pages in a real browser, in Chinese: their main tasks, keys, axe-core, narrow and wide, dark, hostile names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Keys
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select
from support.pages_browser import Pages, browsing, needs_browser

from counter_listener.record import Row, open_record

pytestmark = needs_browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    with browsing(tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture(autouse=True)
def _plain_screen(pages: Pages) -> Iterator[None]:
    pages.screen(1280)
    pages.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
    pages.complaints()
    yield
    assert pages.complaints() == []


PATHS = (
    *("/?days=all", "ungreeted"),
    *(
        pytest.param(path, marks=pytest.mark.slow)
        for path in (
            *("/visits", "/review?source=all", "/appeals", "/samples", "/machine", "/jobs", "/phrases", "/counters"),
            *("/practice", "/system", "hostile", "/nowhere", "/visits?verdict=forbidden", "gone"),
        )
    ),
)


def opened(pages: Pages, path: str) -> None:
    if path.startswith("/"):
        pages.open(path)
    elif path == "gone":
        pages.open(f"/visits/{pages.visits[path]}")
    else:
        pages.visit(path)


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_serious_by_day_and_by_night_and_no_page_is_wider_than_the_screen(
    pages: Pages, path: str
) -> None:
    for width, dark in ((1920, False), (360, True)):
        pages.screen(width, dark=dark)
        opened(pages, path)
        assert pages.run("return document.documentElement.scrollWidth") <= width
        assert [one for one in pages.complaints() if "404" not in one] == []
        assert pages.faults() == []


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


@pytest.mark.slow  # beside the choice in the filter
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


@pytest.mark.slow
def test_the_waveform_has_a_mark_for_each_moment(pages: Pages) -> None:
    pages.visit("ungreeted")
    wave = "document.querySelector('#wave > div')?.shadowRoot"
    marks = f"return {wave}?.querySelectorAll('[part^=region]').length ?? -1"
    items = "return document.querySelectorAll('.item[data-start]').length"
    pages.until(lambda: pages.run(marks) >= pages.run(items))


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow  # test_visits finds it every day
def test_what_was_near_is_shown_beside_what_was_looked_for(pages: Pages) -> None:
    pages.visit("ungreeted")
    pages.find("#near button").click()
    pages.until(lambda: pages.driver.find_elements(By.CSS_SELECTOR, "#near .alignment td"))
    assert "要找的话" in pages.find("#near").text


def rows(pages: Pages, kind: str) -> list[Row]:
    """What people added to the record."""
    with open_record(pages.store, create=False) as record:
        return [row for row in record.read() if row.kind == kind]


def test_the_queue_is_worked_off_by_keys_alone_and_plays_each_question(pages: Pages) -> None:
    pages.open("/review?source=all")
    keys = ActionChains(pages.driver)
    for pressed in ("1", "1", "2"):
        question = pages.find(".question")
        pages.until(lambda: pages.run("return !document.querySelector('#card audio')?.paused"))
        if pressed == "2":
            keys.send_keys("r").perform()
            Select(pages.driver.switch_to.active_element).select_by_value("misheard")
            keys.reset_actions()
            keys.send_keys(Keys.ESCAPE)
        keys.send_keys(pressed).perform()
        keys.reset_actions()
        pages.until(partial(is_gone, question))
        assert ("维持" if pressed == "1" else "改判") in pages.find("#card .last").text
    assert ['"misheard"' in row.detail for row in rows(pages, "review")] == [False, False, True]


def is_gone(element: WebElement) -> bool:
    """Whether the page has replaced it."""
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    return False


def test_a_verdict_is_overturned_on_the_page_of_its_visit_and_the_score_follows(pages: Pages) -> None:
    pages.open(f"/visits/{pages.visits['gone']}")
    before = pages.find("#visit-score").text
    item = pages.find(".item.not_heard")
    item.find_element(By.CSS_SELECTOR, "details.judge summary").click()
    Select(item.find_element(By.CSS_SELECTOR, "select[name=reason]")).select_by_index(1)
    item.find_element(By.CSS_SELECTOR, "button[value=heard]").click()
    pages.until(lambda: pages.find("#visit-score").text != before)
    assert "100" in pages.find("#visit-score").text
    pages.open("/machine?days=all")
    assert "听过的" in pages.find(".lead-figure").text


@pytest.mark.slow
def test_a_verdict_is_disputed_and_the_appeal_withdrawn(pages: Pages) -> None:
    pages.open(f"/visits/{pages.visits['ungreeted']}")
    item = pages.find(".item.not_heard")
    fold = item.find_elements(By.CSS_SELECTOR, "details.judge")[-1]
    fold.find_element(By.CSS_SELECTOR, "summary").click()
    fold.find_element(By.CSS_SELECTOR, "[name=note]").send_keys("不是我说的")
    fold.find_element(By.CSS_SELECTOR, "button").click()
    pages.until(lambda: rows(pages, "appeal"))
    pages.open("/appeals")
    assert "不是我说的" in pages.find(".appeal").text
    assert pages.faults() == []
    pages.find(".appeal form button").click()
    pages.until(lambda: pages.count(".appeal") == 0)


@pytest.mark.slow
def test_a_sample_is_drawn_and_asked_in_the_queue(pages: Pages) -> None:
    pages.open("/samples")
    pages.run("document.querySelector('input[name=since]').value = '2026-01-01'")
    pages.run("document.querySelector('input[name=until]').value = '2026-01-31'")
    pages.find("form[action='/samples'] button").click()
    pages.until(lambda: pages.count("tbody tr") == 1)
    assert pages.faults() == []
    pages.find("a[href='/review?source=mine']").click()
    pages.until(lambda: pages.count("#card .question"))
    assert "您还有" in pages.find("#card .facts").text


@pytest.mark.slow
def test_the_record_is_verified_on_the_page_of_the_system(pages: Pages) -> None:
    pages.open("/system")
    pages.find("form[action='/system/verify'] button").click()

    def told() -> bool:
        pages.open("/system")
        return pages.count(".panel .good svg") > 0

    pages.until(told)
