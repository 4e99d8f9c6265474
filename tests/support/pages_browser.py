"""A server with a record, and Chromium that is signed in to it, for the tests of the pages."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from counter_listener.web import create_app
from counter_listener.web.context import Site
from support.pages_record import fill
from support.pages_site import ONCE, settings

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
WAIT = 60
SERIOUS = {"serious", "critical"}
RUN_AXE = "const done = arguments[arguments.length - 1]; axe.run(document, {resultTypes: ['violations']}).then(done)"
needs_browser = pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs Chromium and its driver")


class Browser:
    """A server, and a browser that is signed in."""

    def __init__(self, base: str, driver: Chrome, site: Site) -> None:
        self.base, self.driver, self.site = base, driver, site
        self.run: Callable[..., Any] = driver.execute_script

    def open(self, path: str) -> None:
        self.driver.get(self.base + path)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def button(self, text: str) -> WebElement:
        """The first button or link that has this text."""
        path = f"//main//*[self::button or self::a][contains(normalize-space(.), '{text}')]"
        return self.driver.find_element(By.XPATH, path)

    def text(self) -> str:
        """The text of the page; empty while the next one is loaded."""
        return str(self.run("return document.querySelector('main')?.innerText ?? ''"))

    def until(self, is_so: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            with suppress(StaleElementReferenceException):  # the page is just being replaced
                if found := is_so():
                    return found
            time.sleep(0.05)
        raise AssertionError(self.text())

    def screen(self, width: int, *, dark: bool = False) -> None:
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def complaints(self) -> list[str]:
        """What the browser logged, such as a script that the policy forbids."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def count(self, selector: str) -> int:
        """Elements that are there."""
        return len(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def faults(self) -> list[tuple[str, str, str]]:
        """What axe finds that is serious: the rule, the element, and what would mend it."""
        self.run(AXE.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(RUN_AXE)["violations"]
        self.complaints()  # axe styles what it looks at, which the policy forbids
        return [
            (one["id"], node["html"][:150], node.get("failureSummary", "")[:300])
            for one in found
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]


class Pages(Browser):
    """The same with a record of visits whose names are known."""

    def __init__(self, browser: Browser, store: Path, visits: dict[str, str]) -> None:
        super().__init__(browser.base, browser.driver, browser.site)
        self.store, self.visits = store, visits

    def visit(self, what: str) -> None:
        """Opens a visit whose waveform is drawn."""
        self.open(f"/visits/{self.visits[what]}")
        self.until(lambda: self.run("return document.querySelector('#wave > div')?.shadowRoot !== null"))
        self.until(lambda: self.run("return sound.readyState > 0"))


@contextmanager
def browsing(folder: Path, *arguments: str) -> Iterator[Pages]:
    """Fills a record in a folder, serves it, and opens its link in a Chinese browser with more arguments."""
    visits, store = fill(folder), folder / "events.db"
    with browsing_at(store, *arguments) as browser:
        yield Pages(browser, store, visits)


@contextmanager
def browsing_at(store: Path, *arguments: str, clip_key: Path | None = None) -> Iterator[Browser]:
    """Serves a record, and opens its link in a Chinese browser with more arguments."""
    names = frozenset({"127.0.0.1"})
    given = settings(store, key_file=store.parent / "key" / "key.pem", names=names, clip_key=clip_key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = create_app(given)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with chrome(*arguments) as driver:
                base = f"http://127.0.0.1:{listening.getsockname()[1]}"
                made = Browser(base, driver, app.state.site)
                made.open(f"/sign-in/once?key={ONCE}")
                yield made
        finally:
            server.should_exit = True
            thread.join(WAIT)


def chrome(*arguments: str) -> Chrome:
    """A Chinese browser with more arguments."""
    return Chrome(_options(*arguments), ChromeService(DRIVER))


def _options(*arguments: str) -> ChromeOptions:
    options = ChromeOptions()
    options.binary_location = BROWSER or ""
    usual = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--mute-audio")
    for argument in (*usual, "--autoplay-policy=no-user-gesture-required", *arguments):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": "zh-CN,zh"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return options
