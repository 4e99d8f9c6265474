"""Reports show the machine's verdict, the review, and both scores; and how right the machine is."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.command import FULL_VISIT, RUDE_VISIT, run, transcript

from counter_listener.domain import ReviewAction, Verdict
from counter_listener.phrases import find_phrase_set, read_phrase_set
from counter_listener.record import ReviewRequest, Row, SamplePlan, draw, open_record, review, visit_history

NOW = datetime(2026, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full visit and a rude one. Of each, one verdict is overturned; the full one is looked at to its end."""
    folder = tmp_path_factory.mktemp("reviewed")
    path = folder / "events.db"
    for name, lines, began in (
        ("full.jsonl", FULL_VISIT, "2026-01-15 09:30"),
        ("rude.jsonl", RUDE_VISIT, "2026-01-22 14:05"),
    ):
        made = transcript(folder / name, lines, speaker="clerk")
        words = ("--store", path, "--counter", "3", "--started", began, "--key", "none")
        assert run("check", made, *words).exit_code == 0
    sets = [read_phrase_set(find_phrase_set("bank-counter"))]
    with open_record(path) as record:
        rude = next(row for row in record.read() if row.verdict == "forbidden")
        full = next(row.visit for row in record.read() if row.visit and row.visit != rude.visit)
        assert rude.visit
        plan = SamplePlan("一月", 1, NOW - timedelta(days=30), NOW, ("anna",), "root")
        draw(record, plan, NOW)

        def enter(visit: str, action: ReviewAction, row: Row | None = None, **more: Any) -> None:
            last = record.query(lambda connection: visit_history(connection, visit)).last
            uid = row.uid if row else None
            review(record, ReviewRequest(visit, action, "anna", last, uid, **more), NOW, sets)

        verdict: Verdict = "not_heard"
        enter(rude.visit, "overturn", rude, verdict=verdict, reason="other_speaker", note="只给自己看")
        farewell = next(row for row in record.read(visit=full) if row.phrase == "goodbye")
        enter(full, "overturn", farewell, verdict=verdict, reason="misheard")
        enter(full, "uphold")
        enter(full, "observe", phrase="see-smile", verdict="heard")
    return path


def report(store: Path, out: Path, *words: object) -> Path:
    assert run("report", "--store", store, "-o", out, "--lang", "zh", *words).exit_code == 0
    return out


def test_json_holds_both_scores_the_reviews_and_the_machine(store: Path, tmp_path: Path) -> None:
    found = json.loads(report(store, tmp_path / "r.json").read_text(encoding="utf-8"))["tables"]
    rude, full = found["visits"]
    assert (rude["reviews"], rude["score"], rude["reviewed_score"]) == (1, 0, 0)
    assert (full["reviews"], full["score"], full["passed"], full["reviewed_passed"]) == (3, 100, True, False)
    assert full["reviewed_score"] < 80
    offence = next(one for one in found["evidence"] if one["verdict"] == "forbidden")
    assert (offence["review"], offence["review_reason"]) == ("not_heard", "是别人说的")
    smile = next(one for one in found["evidence"] if one["id"] == "see-smile")
    assert (smile["title"], smile["verdict"], smile["review"]) == ("微笑", None, "heard")
    figures = {one["id"]: one for one in found["reviews"]}
    assert (figures["reviewed"]["value"], figures["changed"]["value"]) == (2, 2)
    assert figures["mean_after"]["value"] == full["reviewed_score"] / 2 < figures["mean"]["value"]
    assert (figures["sampled"]["value"], figures["finished"]["value"]) == (2, 1)
    machine = {(one["id"], one["verdict"]): one for one in found["machine"]}
    assert machine[offence["id"], "forbidden"]["share"] == 0
    assert (machine["hello", "heard"]["share"], machine["goodbye", "heard"]["share"]) == (1, 0)
    values = {one["id"]: one["value"] for one in found["summary"]}
    assert values["mean"] == pytest.approx(figures["mean"]["value"]), "the figures of the machine stay its own"


def test_a_page_shows_them_and_tells_said_from_missing(store: Path, tmp_path: Path) -> None:
    page = report(store, tmp_path / "r.html").read_text(encoding="utf-8")
    for text in ("复核后", "是别人说的", "机器在这里准不准", "rude.jsonl", "说了：", "缺少："):
        assert text in page, text
    assert "只给自己看" not in page, "a note stays in the record"


def test_a_spreadsheet_and_csv_hold_them(store: Path, tmp_path: Path) -> None:
    book = zipfile.ZipFile(report(store, tmp_path / "r.xlsx"))
    texts = book.read("xl/sharedStrings.xml").decode()
    for text in ("复核后得分", "机器在这里准不准", "微笑"):
        assert text in texts, text
    for word in (">phrase<", ">forbidden<", ">rule<", ">not_heard<"):
        assert word not in texts, "everything that people read is in their language"
    sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert all(book.read(name).count(b"<row ") > 3 for name in sheets), "no sheet is empty"
    lines = report(store, tmp_path / "r.csv").read_text(encoding="utf-8-sig").splitlines()
    rows = [row for row in csv.DictReader(lines) if row["table"] == "visits"]
    assert [row["reviews"] for row in rows] == ["1", "3"]


def test_without_reviews_a_report_says_nothing_of_them(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    made = transcript(tmp_path / "full.jsonl", FULL_VISIT, speaker="clerk")
    assert run("check", made, "--store", path).exit_code == 0
    found = json.loads(report(path, tmp_path / "r.json").read_text(encoding="utf-8"))["tables"]
    assert found["reviews"] == found["machine"] == []
    assert found["visits"][0]["reviews"] == 0
