"""The phrase set in a real browser, in Chinese: a change from the form to its use and back, and a spoken sentence."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pages_browser import Browser, browsing_at, needs_browser
from support.sets_site import SET, make_record

FIXTURES = Path(__file__).parents[1] / "fixtures"
HERE = f"set={SET}"
SPOKEN = 5.0
"""Seconds of the recording that the microphone of the browser plays."""

pytestmark = [
    needs_browser,
    pytest.mark.slow,
]  # test_phrases, test_pages_browser and test_practice_browser are of every day


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("browser")
    store, said = make_record(folder), folder / "said.wav"
    with wave.open(str(FIXTURES / "full-marks.wav")) as source, wave.open(str(said), "wb") as made:
        made.setparams(source.getparams())
        made.writeframes(source.readframes(int(SPOKEN * source.getframerate())))
    microphone = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={said}%noloop",
    )
    with browsing_at(store, *microphone) as opened:
        yield opened
        assert [one for one in opened.complaints() if "422" not in one] == []


def test_a_template_is_changed_compared_put_in_force_and_taken_back(pages: Browser) -> None:
    pages.open(f"/phrases/entry?{HERE}&kind=phrase&id=hello")
    pages.find("textarea[name=say]").send_keys("早安欢迎光临")
    pages.button("检查并存为新版本").click()
    pages.until(lambda: "版本 1 已保存，尚未启用" in pages.text())
    pages.button("会有什么变化").click()
    pages.button("重新判定最近 30 天").click()
    pages.until(lambda: "4 次服务中，有 2 次的判定会不同" in pages.text())
    assert "已完整重新判定" in pages.text()
    pages.button("启用版本 1").click()
    pages.until(lambda: "版本 1 从现在起启用" in pages.text())
    pages.button("恢复这一版").click()
    pages.until(lambda: "版本 2 从现在起启用" in pages.text())
    assert "恢复版本 0" in pages.text()
    pages.open(f"/phrases/entry?{HERE}&kind=phrase&id=hello")
    assert "早安" not in str(pages.find("textarea[name=say]").get_property("value"))


def test_a_fault_is_told_in_chinese(pages: Browser) -> None:
    pages.open(f"/phrases/entry?{HERE}&kind=phrase&id=hello")
    pages.find("textarea[name=say]").send_keys("(您好")
    pages.button("检查并存为新版本").click()
    pages.until(lambda: "括号" in pages.text())
    assert "(您好" in str(pages.find("textarea[name=say]").get_property("value"))


def test_a_sentence_is_spoken_into_the_microphone(pages: Browser) -> None:
    pages.open(f"/phrases?{HERE}")
    button = pages.find(".spoken button")
    button.click()
    pages.until(lambda: "还剩 5 秒" in pages.find(".spoken-status").text)
    button.click()
    pages.until(lambda: pages.find("#tried").text)
    assert "您好" in str(pages.find("input[name=said]").get_property("value")).replace(" ", "")
    assert pages.find("#tried .found").text
