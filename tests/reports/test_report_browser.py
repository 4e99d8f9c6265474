"""A report in a real browser: its links play the recording at that second, and a phone shows its whole width."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from support.command import run

RECORDING = Path(__file__).parents[1] / "fixtures" / "full-marks.wav"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}

PLAYING = "const m = document.querySelector('video, audio'); return m && !m.paused && m.readyState > 2 && m.currentTime"

pytestmark = [
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs Chromium and its driver"),
    pytest.mark.slow,  # test_report_formats reads the page, test_pages_browser plays a recording
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a recording that is still there, with a name that a link must escape."""
    folder = tmp_path_factory.mktemp("report")
    recording = folder / "三号柜台 #1 100%.wav"
    shutil.copy(RECORDING, recording)
    run("check", recording, "--store", folder / "events.db")
    run("report", "--store", folder / "events.db", "-o", folder / "report.html", "--lang", "zh")
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = BROWSER or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--mute-audio"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with Chrome(options, ChromeService(DRIVER)) as driver:
        yield driver


def play_position(browser: Chrome) -> float:
    """Wait until the page plays; return the position in the recording in seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        position = browser.execute_script(PLAYING)
        if position:
            return float(position)
        time.sleep(0.05)
    raise AssertionError("nothing was played")


def test_a_link_plays_the_recording_at_that_second(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    links = browser.find_elements(By.CSS_SELECTOR, "a[href^='file:'][href*='#t=']")
    link = links[-1]
    asked = float(urlsplit(link.get_attribute("href") or "").fragment.removeprefix("t="))
    assert asked > 5
    link.click()
    browser.switch_to.window(browser.window_handles[-1])
    began = time.monotonic()
    first = play_position(browser)
    assert unquote(urlsplit(browser.current_url).path).endswith("三号柜台 #1 100%.wav")
    assert asked <= first < asked + 1 + time.monotonic() - began
    time.sleep(0.3)
    assert play_position(browser) > first
    browser.close()
    browser.switch_to.window(browser.window_handles[0])


def test_a_phone_shows_the_whole_width_and_the_browser_logs_no_error(browser: Chrome, page: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        browser.get(page.as_uri())
        width, inner = browser.execute_script(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert inner == PHONE["width"]
    assert width <= inner
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
    assert [one for one in fetched if not one.startswith("data:")] == []
