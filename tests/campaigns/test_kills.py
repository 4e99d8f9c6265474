"""Kills at random moments: of listeners, of `check` and of `purge`. Seeded; the long campaigns are marked slow."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter as Count
from pathlib import Path

import pytest

from counter_listener.domain import bundled_folder
from counter_listener.record import open_record

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(scope="module")
def sooner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phrase set of the bank counter, with visits that close after a few seconds without speech."""
    text = (bundled_folder("phrase_sets") / "bank-counter.toml").read_text(encoding="utf-8")
    text = text.replace(" quiet = 20,", " quiet = 2,").replace(" idle = 120,", " idle = 3,")
    assert " quiet = 2," in text
    assert " idle = 3," in text
    file = tmp_path_factory.mktemp("phrases") / "sooner.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("scene", "kills", "seed"),
    [
        ("visits", 15, 11),
        ("talk", 15, 12),
        pytest.param("visits", 200, 13, marks=pytest.mark.slow),
        pytest.param("talk", 300, 14, marks=pytest.mark.slow),
    ],
)
def test_killed_listeners_lose_nothing_that_was_sent_and_accuse_nobody(
    tmp_path: Path, sooner: Path, scene: str, kills: int, seed: int
) -> None:
    """Each is killed at a random moment, also right after it has begun; the next one continues the visit."""
    path = tmp_path / "events.db"
    words = [sys.executable, *map(str, (SUPPORT / "live_child.py", path, sooner, scene, kills, seed))]
    shown = subprocess.run(words, capture_output=True, encoding="utf-8", check=False, timeout=3000)
    assert shown.returncode == 0, shown.stderr
    sent = [event for line in shown.stdout.splitlines() for event in json.loads(line)]
    with open_record(path, create=False) as record:
        rows = list(record.read())
        assert record.verify().broken is None
    there = Count((row.kind, row.at, row.phrase) for row in rows)
    assert not Count((one["kind"], one["at"], one["phrase"]) for one in sent) - there
    assert len(sent) > kills
    judged = Count((row.visit, row.phrase) for row in rows if row.kind == "phrase" and '"scenario"' not in row.detail)
    assert not [one for one, times in judged.items() if times > 1]
    assert not [row for row in rows if row.verdict == "not_heard"]
    opened = {row.visit for row in rows if row.kind == "visit_opened"}
    assert opened == {row.visit for row in rows if row.kind == "visit_closed"}
    assert len(opened) > kills // 10
