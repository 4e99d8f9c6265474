"""Practice in a real browser, in Chinese: typed, and spoken into a microphone that plays a recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from support.pages_browser import Pages, browsing, needs_browser

from counter_listener.asr import find_model
from counter_listener.domain import bundled_folder
from counter_listener.web.dialogues import dialogues
from counter_listener.web.practice import prepare
from counter_listener.web.spoken import recognise_samples

pytestmark = needs_browser
FIXTURE = Path(__file__).parents[1] / "fixtures" / "full-marks.wav"
BANK = bundled_folder("phrase_sets") / "bank-counter.toml"
PATIENCE = 300.0
"""Seconds in which a busy machine loads the phrase set and the model."""
GREETING, DEPOSIT = dialogues("zh")[:2]
VOICES = """
const speaking = Object.assign(new EventTarget(), {
  getVoices: () => %s,
  cancel() {},
  speak: (one) => (window.said = [...(window.said || []), one.text]),
});
Object.defineProperty(window, "speechSynthesis", { value: speaking });
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    microphone = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={FIXTURE}%noloop",
    )
    with browsing(tmp_path_factory.mktemp("practice"), *microphone) as made:
        made.site.worker.run(prepare, BANK, patience=PATIENCE)
        made.site.worker.run(recognise_samples, find_model("counter-cn"), b"", patience=PATIENCE)
        yield made


def answer(pages: Pages, typed: str) -> None:
    pages.find("#answer input[name=text]").clear()
    pages.find("#answer input[name=text]").send_keys(typed + "\n")


def text(pages: Pages, selector: str) -> str:
    """The text of an element, even while htmx replaces it."""
    return str(pages.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))


def result(pages: Pages, holds: str) -> str:
    """The result, once it holds some words."""
    return str(pages.until(lambda: holds in text(pages, "#result") and text(pages, "#result")))


@pytest.mark.slow
def test_a_clerk_practises_a_dialogue_with_typed_answers(pages: Pages) -> None:
    pages.screen(360)
    pages.open("/practice")
    assert len(pages.driver.find_elements(By.CSS_SELECTOR, ".dialogues li")) == 10
    assert pages.faults() == []
    assert pages.run("return document.documentElement.scrollWidth") <= 360
    pages.driver.find_element(By.PARTIAL_LINK_TEXT, DEPOSIT.title).click()
    pages.until(lambda: DEPOSIT.turn[0].customer in text(pages, ".customer"))
    assert "没有本机中文语音" in pages.find(".voice").text
    answer(pages, "存多少钱？")
    shown = result(pages, "还差一点")
    assert "问候语" in shown
    assert "您好" in pages.find(".ways").text
    assert pages.faults() == []
    assert pages.run("return document.documentElement.scrollWidth") <= 360
    answer(pages, DEPOSIT.turn[0].say)
    result(pages, "说得好")
    pages.find(".next a").click()
    pages.until(lambda: DEPOSIT.turn[1].customer in text(pages, ".customer"))
    assert pages.driver.current_url.endswith("turn=2")
    assert pages.run("return document.activeElement.name") == "text", "the next answer can be typed at once"
    pages.open("/practice")
    assert "答对 1 / 6 句" in pages.find(".dialogues").text
    pages.find(".own button").click()
    pages.until(lambda: "已清除" in text(pages, ".flash"))
    assert "答对" not in pages.find(".dialogues").text
    assert pages.complaints() == []


def test_an_answer_is_spoken_into_the_microphone(pages: Pages) -> None:
    pages.screen(1280)
    pages.open(f"/practice/{GREETING.id}")
    button = pages.find(".spoken button")
    button.click()
    pages.until(lambda: "还剩 4 秒" in text(pages, ".spoken-status"))
    button.click()
    shown = result(pages, "听到：")
    assert "您好" in shown
    assert pages.find("#answer input[name=text]").get_attribute("value").startswith("您好")  # type: ignore[union-attr]
    assert "问候语" in text(pages, "#result .chip.heard")
    assert pages.complaints() == []


@pytest.mark.slow
def test_the_line_is_spoken_by_a_voice_of_the_machine_and_by_no_other(pages: Pages) -> None:
    remote, own = '{lang: "zh-CN", localService: false}', '{lang: "zh-CN", localService: true}'
    for voices, spoken in ((f"[{remote}]", []), (f"[{remote}, {own}]", [GREETING.turn[0].customer])):
        command = {"source": VOICES % voices}
        added = pages.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", command)
        pages.open(f"/practice/{GREETING.id}")
        pages.until(lambda: pages.find("#answer"))
        assert pages.run("return window.said || []") == spoken
        assert pages.find(".again").is_displayed() == bool(spoken)
        pages.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert pages.complaints() == []
