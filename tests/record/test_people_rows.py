"""The rows that people add: verified, purged with their visit, printed, counted in no figure; kills lose none."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.record_cases import DAY, NOW, live, raw, run_child, unguard, visit_events
from support.review_cases import add_visit, history_of, row_with, sets

from counter_listener.cli import cli
from counter_listener.record import (
    PEOPLE,
    AppealRequest,
    ReportScope,
    ReviewRequest,
    gather_report_data,
    note_access,
    open_appeal,
    review,
)
from counter_listener.record.store import Record, open_record

REMARK = "一句写在意见里的话"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.db"


def add_people(record: Record, visit: str, days: int = 0) -> None:
    """A review, an appeal and an access row of a visit, some days later."""
    row = row_with(record, visit, "forbidden")
    last = history_of(record, visit).last
    request = ReviewRequest(visit, "overturn", "anna", last, row.uid, "not_heard", reason="misheard", note=REMARK)
    review(record, request, NOW + days * DAY, sets())
    open_appeal(record, AppealRequest(visit, "li", REMARK), NOW + days * DAY, 99 * DAY)
    note_access(record, "anna", "seen", NOW + days * DAY, visit)


def test_verify_covers_them(path: Path) -> None:
    with open_record(path) as record:
        add_people(record, add_visit(record, 1))
        assert record.verify().broken is None
        seq = next(row.seq for row in record.read() if row.kind == "review")
    unguard(path)
    raw(path, f"UPDATE events SET verdict = 'forbidden' WHERE seq = {seq}")  # noqa: S608
    with open_record(path) as record:
        broken = record.verify().broken
        assert broken
        assert "changed" in str(broken.wrong) or broken.seq == seq


def test_a_purge_removes_them_with_their_visit_by_the_dates_of_the_machine(path: Path) -> None:
    with open_record(path) as record:
        visits = [add_visit(record, number) for number in range(2)]
        for visit in visits:
            add_people(record, visit, 40)
        note_access(record, "anna", "signed_in", NOW + 40 * DAY)
        live_rows = record.append(visit_events(1), live("live-9", NOW + 30 * DAY), NOW + 30 * DAY)
        assert record.purge(NOW + 20 * DAY, NOW + 41 * DAY)
        left = list(record.read())
        assert [row.kind for row in left if row.kind in PEOPLE] == ["access"], "it belongs to no visit and is not old"
        assert len(left) == live_rows + 2
        assert record.verify().broken is None
    assert REMARK.encode() not in path.read_bytes()


def test_a_review_of_yesterday_keeps_no_old_visit_and_a_new_visit_keeps_its_review(path: Path) -> None:
    with open_record(path) as record:
        visit = add_visit(record, 1)
        add_people(record, visit)
        assert record.purge(NOW - DAY, NOW) == 0
        assert [row.kind for row in record.read(visit=visit)][-3:] == ["review", "appeal", "access"]


def test_no_figure_of_the_machine_counts_them(path: Path) -> None:
    with open_record(path) as record:
        visits = [add_visit(record, number) for number in range(3)]
        ask = lambda connection: gather_report_data(connection, ReportScope(), 9, {})  # noqa: E731
        before = record.query(ask)
        for visit in visits:
            add_people(record, visit)
        after = record.query(ask)
    for name in ("by_counter", "by_quarter", "verdict_counts", "coverage", "durations", "no_service"):
        assert getattr(after, name) == getattr(before, name), name
    assert [replace(visit, reviews=(), reviewed=None) for visit in after.visits] == list(before.visits)


def test_a_live_visit_continues_without_them(path: Path) -> None:
    with open_record(path) as record:
        record.append(visit_events(1)[:2], live(), NOW)
        before = record.newest_visit("3")
        note_access(record, "anna", "seen", NOW, "live-1-1")
        assert record.newest_visit("3") == before


def test_events_prints_them(path: Path) -> None:
    with open_record(path) as record:
        visit = add_visit(record, 1)
        add_people(record, visit)
    words = ["events", "--store", str(path), "--visit", visit]
    lines = CliRunner().invoke(cli, [*words, "--format", "jsonl"]).output.splitlines()
    review_row = next(row for row in map(json.loads, lines) if row["kind"] == "review")
    assert (review_row["by"], review_row["action"], review_row["note"]) == ("anna", "overturn", REMARK)
    shown = CliRunner().invoke(cli, [*words, "--lang", "zh"]).output
    assert "复核" in shown
    assert "申诉" in shown


@pytest.mark.slow  # beside the kill of test_record_trust
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_an_acknowledged_review_survives_kills(path: Path, tmp_path: Path) -> None:
    with open_record(path, key_file=tmp_path / "key.pem") as record:
        visits = [add_visit(record, number) for number in range(3)]
    code, output = run_child("kill_reviewers", path, tmp_path / "key.pem", "8", *visits)
    assert code == 0
    with open_record(path, create=False) as record:
        assert record.verify().broken is None
        rows = [row for row in record.read() if row.kind == "review"]
    acknowledged = json.loads(output)
    assert set(acknowledged) <= {row.uid for row in rows}
    assert len(acknowledged) >= 8
    assert len(rows) <= len(acknowledged) + 8, "at most one a kill was written and not acknowledged"
