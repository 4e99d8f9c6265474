"""A site in a real browser, in Chinese: a server in a thread, and Chromium that is signed in by the one-time link."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from counter_listener.web import Settings, create_app
from support.pages_site import ONCE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
WAIT = 60


class Browser:
    """A browser at a site."""

    def __init__(self, base: str, driver: Chrome) -> None:
        self.base, self.driver = base, driver

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
        return str(self.driver.execute_script("return document.querySelector('main')?.innerText ?? ''"))

    def until(self, is_so: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            if found := is_so():
                return found
            time.sleep(0.1)
        raise AssertionError(self.text())

    def complaints(self) -> list[str]:
        """What the browser logged, such as a script that the policy forbids."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@contextmanager
def browsing(given: Settings, *arguments: str) -> Iterator[Browser]:
    """A browser that is signed in at a site with these settings, started with more arguments."""
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--mute-audio", *arguments):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": "zh-CN,zh"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(given), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with Chrome(options, ChromeService(DRIVER)) as driver:
                made = Browser(f"http://127.0.0.1:{listening.getsockname()[1]}", driver)
                made.open(f"/sign-in/once?key={ONCE}")
                yield made
        finally:
            server.should_exit = True
            thread.join(WAIT)
