"""A clip in a real browser: it plays, it can be sought in, and the page holds to the rules for access."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.clip_cases import add_clip
from support.pages_browser import browsing_at, needs_browser
from support.pages_record import fill
from support.pages_site import NOW

from counter_listener.record import make_clip_keys, open_record


@needs_browser
@pytest.mark.slow  # test_pages_browser plays a recording
def test_a_clip_plays_and_can_be_sought_in(tmp_path: Path) -> None:
    visit, store, key = fill(tmp_path)["live"], tmp_path / "events.db", tmp_path / "clip-key.pem"
    with open_record(store, create=False) as record:
        uid = next(row.uid for row in record.read(visit=visit) if row.verdict)
    add_clip(store, visit, make_clip_keys(key).public[0], NOW, seconds=8.0, verdicts=(uid,))
    with browsing_at(store, clip_key=key) as browser:
        browser.open(f"/visits/{visit}?lang=zh")
        assert browser.find("#clips h2").text == "片段"
        assert browser.faults() == []
        browser.run("clip = document.querySelector('#clips audio'); clip.muted = true; clip.play()")
        browser.until(lambda: browser.run("return clip.currentTime > 0.2"))
        assert browser.run("return clip.duration") == pytest.approx(8.0, abs=0.1)
        browser.run("clip.currentTime = 6")
        browser.until(lambda: browser.run("return clip.currentTime > 6.1"))
        assert browser.complaints() == []
