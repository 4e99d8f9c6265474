"""The card for clerks is printed on pages of its own size, one in each language."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CARD = Path(__file__).resolve().parents[2] / "docs" / "clerk-card.html"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def test_a_page_has_the_size_of_a_card_in_words_that_css_knows() -> None:
    text = CARD.read_text(encoding="utf-8")
    page = re.findall(r"@page \{ size: (\d+mm) (\d+mm); margin: 0 \}", text)
    assert page == re.findall(r"article \{[^}]*width: (\d+mm); height: (\d+mm);", text), "CSS knows no A6"
    assert page == [("105mm", "148mm")]
    assert text.count("<article") == 2


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_the_command_of_the_docs_prints_two_pages_of_a6(tmp_path: Path) -> None:
    words = (*("--headless", "--no-sandbox", "--no-pdf-header-footer"), f"--print-to-pdf={tmp_path / 'card.pdf'}")
    subprocess.run([str(CHROMIUM), *words, CARD.as_uri()], check=True, capture_output=True, timeout=300)
    boxes = re.findall(rb"/MediaBox *\[0 0 ([0-9.]+) ([0-9.]+)\]", (tmp_path / "card.pdf").read_bytes())
    assert [(round(float(width) / 72 * 25.4), round(float(height) / 72 * 25.4)) for width, height in boxes] == [
        (105, 148),
        (105, 148),
    ]
