"""What the pages for readers show of the demo is what the program prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import run

TOP = Path(__file__).resolve().parents[2]
PAGES = {"en": ("README.md", "docs/supervisor.md"), "zh": ("README.zh-CN.md", "docs/zh/supervisor.md")}


@pytest.mark.parametrize("lang", ["zh", pytest.param("en", marks=pytest.mark.slow)])
def test_the_example_is_what_is_printed(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    recording = TOP / "tests" / "fixtures" / "forbidden.wav"
    done = run("check", recording, "--store", "none", "--lang", lang)
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    for page in PAGES[lang]:
        text = (TOP / page).read_text("utf-8")
        head, *lines = text[text.index("forbidden.wav  ") :].partition("\n```")[0].splitlines()
        at = printed.index(lines[0])
        assert printed[at : at + len(lines)] == lines, page
        length = head.removeprefix("forbidden.wav").split("，")[0].split(",")[0]
        assert length in done.stdout, "its length; the date is that of the file"
