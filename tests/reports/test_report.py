"""The figures of a report from real records: counted again in the test, filtered, compared, and marked as few."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import reports
from hypothesis import given
from hypothesis import strategies as st
from support.command import FULL_VISIT, RUDE_VISIT, run, transcript
from support.record_cases import NOW, live

from counter_listener.domain import Event, translator
from counter_listener.judging import understanding, verdicts
from counter_listener.live import listener
from counter_listener.record import FEW, ReportScope, Row, Share, VisitTotals, aggregates, open_record, sum_totals
from counter_listener.record.figures import duration_statistics

DOCS = Path(__file__).parents[2] / "docs"

Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two weeks of five counters, as the bench makes them: 70 visits."""
    path = tmp_path_factory.mktemp("year") / "year.db"
    reports.make_record(path, weeks=2, branches=1)
    return path


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A full visit at counter 3 on a Thursday morning, and a rude one at counter 4 a week later."""
    path = tmp_path / "events.db"
    for name, lines, counter, began in (
        ("full.jsonl", FULL_VISIT, "3", "2026-01-15 09:30"),
        ("rude.jsonl", RUDE_VISIT, "4", "2026-01-22 14:05"),
    ):
        made = transcript(tmp_path / name, lines, speaker="clerk")
        assert run("check", made, "--store", path, "--counter", counter, "--started", began).exit_code == 0
    return path


def tables(store: Path, *words: object) -> Tables:
    result = run("report", "--store", store, "--format", "json", "--lang", "en", *words)
    assert result.exit_code == 0, result.output
    found: Tables = json.loads(result.stdout)["tables"]
    return found


def row(found: Tables, table: str, name: str) -> dict[str, Any]:
    return next(one for one in found[table] if one["id"] == name)


def read(path: Path) -> list[tuple[Row, dict[str, Any]]]:
    with open_record(path, create=False) as store:
        return [(one, json.loads(one.detail)) for one in store.read()]


def test_the_totals_are_the_counts_of_the_events(year: Path) -> None:
    found, rows = tables(year), read(year)
    closed = [(one, detail) for one, detail in rows if one.kind == "visit_closed"]
    counts = Counter[str]()
    for _, detail in closed:
        counts.update(detail["counts"])
    scores = [one.score for one, _ in closed if one.score is not None]
    passed = sum(bool(detail["passed"]) for _, detail in closed)
    values = {one["id"]: one["value"] for one in found["summary"]}
    assert values["visits"] == len(closed) == 70
    assert values["pass"] == pytest.approx(passed / len(scores))
    assert values["mean"] == pytest.approx(sum(scores) / len(scores))
    assert values["heard"] == pytest.approx(counts["heard"] / (counts["heard"] + counts["not_heard"]))
    assert values["kept"] == pytest.approx(counts["kept"] / (counts["kept"] + counts["broken"]))
    assert values["forbidden"] == counts["forbidden"] > 0


def test_every_phrase_rule_word_and_offence_is_counted_by_its_verdict(year: Path) -> None:
    found, rows = tables(year), read(year)
    told = Counter((one.kind, one.phrase, one.verdict) for one, detail in rows if "scenario" not in detail)
    for one in found["phrases"]:
        assert one["heard"] == told["phrase", one["id"], "heard"]
        assert (one["not_heard"] or 0) == told["phrase", one["id"], "not_heard"]
        assert one["unknown"] == told["phrase", one["id"], "unknown"]
    for one in found["rules"]:
        assert (one["kept"], one["broken"]) == (told["rule", one["id"], "heard"], told["rule", one["id"], "broken"])
    for one in found["words"]:
        assert one["heard"] == told["phrase", one["id"], "heard"]
    assert len(found["words"]) == 5
    for one in found["offences"]:
        assert one["forbidden"] == told["forbidden", one["id"], "forbidden"]
    assert sum(one["forbidden"] for one in found["classes"]) == sum(
        n for (kind, _, verdict), n in told.items() if (kind, verdict) == ("forbidden", "forbidden")
    )


def test_stages_and_steps_add_up_their_required_phrases(year: Path) -> None:
    found = tables(year)
    owed = [one for one in found["phrases"] if one["owed"]]
    assert sum(one["heard"] for one in found["stages"]) == sum(one["heard"] for one in owed) > 0
    assert sum(one["not_heard"] for one in found["stages"]) == sum(one["not_heard"] for one in owed) > 0
    assert {"迎接客户", "满足需求", "送别客户"} <= {one["title"] for one in found["stages"]}
    assert {one["title"] for one in found["steps"]} == {"问候招呼", "倾听需求", "交还送别"}


def test_counters_weekdays_hours_weeks_and_days_hold_each_visit_once(year: Path) -> None:
    found = tables(year)
    for name in ("counters", "weekdays", "hours", "weeks", "days"):
        assert sum(one["visits"] for one in found[name]) == 70, name
        assert sum(one["forbidden"] for one in found[name]) == row(found, "summary", "forbidden")["value"]
    assert len(found["counters"]) == 5
    assert len(found["weeks"]) == 2
    shares = [one["pass_share"] for one in found["counters"]]
    assert shares == sorted(shares)


def test_a_visit_belongs_to_the_local_time_at_which_it_was_opened(two: Path) -> None:
    found = tables(two)
    assert [(one["id"], one["visits"]) for one in found["weekdays"]] == [("4", 2)]
    assert [(one["title"], one["visits"]) for one in found["hours"]] == [("09:00-09:59", 1), ("14:00-14:59", 1)]
    assert [one["id"] for one in found["weeks"]] == ["2026-01-12", "2026-01-19"]
    assert [one["id"] for one in found["days"]] == ["2026-01-15", "2026-01-22"]


def test_the_trend_has_the_change_from_the_week_before(two: Path) -> None:
    first, second = tables(two)["weeks"]
    assert first["mean_change"] is None
    assert second["mean_change"] == pytest.approx(second["mean_score"] - first["mean_score"])
    assert second["pass_change"] == -1


def test_a_period_is_compared_with_the_one_before_it(two: Path) -> None:
    found = tables(two, "--since", "2026-01-19", "--until", "2026-01-26")
    visits = row(found, "summary", "visits")
    assert (visits["value"], visits["before"], visits["change"]) == (1, 1, 0)
    assert row(found, "summary", "mean")["change"] < 0
    assert row(tables(two), "summary", "visits")["before"] is None
    assert row(tables(two, "--since", "2026-01-01"), "summary", "visits")["before"] == 0


def test_a_rude_visit_is_reported_with_its_offence_and_broken_rule(two: Path) -> None:
    found = tables(two, "--counter", "4")
    assert [one["id"] for one in found["counters"]] == ["4"]
    assert [(one["title"], one["forbidden"]) for one in found["classes"]] == [("推诿", 1)]
    assert row(found, "rules", "request-please")["broken"] == 1
    assert row(found, "phrases", "hello")["not_heard"] == 1
    heard = [one for one in found["evidence"] if one["verdict"] == "forbidden"]
    assert [(one["heard"], one["at"]) for one in heard] == [("这个不归我管", 3)]
    assert heard[0]["closeness"] > 90


def test_since_until_and_phrases_choose_what_is_counted(two: Path) -> None:
    assert row(tables(two, "--since", "2026-01-16"), "summary", "visits")["value"] == 1
    assert row(tables(two, "--until", "2026-01-16"), "summary", "visits")["value"] == 1
    assert row(tables(two, "--phrases", "bank-counter"), "summary", "visits")["value"] == 2
    other = tables(two, "--phrases", "service-desk-en")
    assert row(other, "summary", "visits")["value"] == 0
    assert other["phrases"] == other["stages"] == other["visits"] == []


def test_replaced_verdicts_do_not_count(year: Path) -> None:
    rows = read(year)
    old = {rows[0][0].stream, rows[-1][0].stream}
    with open_record(year, create=False) as store:
        found = store.query(lambda connection: aggregates.gather_report_data(connection, ReportScope(), 100, {}, old))
    kept = [one for one, _ in rows if one.stream not in old]
    assert sum_totals(found.by_counter.values()).visits == sum(one.kind == "visit_closed" for one in kept) == 56
    assert sum(one.verdicts["heard"] for one in found.verdict_counts) == sum(one.verdict == "heard" for one in kept)
    assert not old & {one.visit.partition("-")[0] for one in found.visits}


def test_a_share_of_visits_is_of_the_visits_of_its_phrase_set(two: Path, tmp_path: Path) -> None:
    heard = transcript(tmp_path / "hi.jsonl", [(0.0, 2.0, "good morning how can i help you")], speaker="clerk")
    assert run("check", heard, "--store", two, "--phrases", "service-desk-en", "--counter", "5").exit_code == 0
    found = tables(two)
    names = {one["phrase_set"]: one["n"] for one in found["words"]}
    assert sorted(names.values()) == [1, 2]
    assert row(found, "summary", "visits")["value"] == 3


def test_complaints_are_reported_with_how_they_were_handled(tmp_path: Path) -> None:
    longer = tmp_path / "longer.db"  # complaints are rare
    reports.make_record(longer, weeks=6, branches=1)
    rows = read(longer)
    complained = {one.visit for one, detail in rows if one.kind == "visit_closed" and detail["scenarios"]}
    stages = {"listen-complaint", "sympathise", "apologise", "solve", "thank-complaint"}
    missed = {one.visit for one, _ in rows if one.stage in stages and one.verdict == "not_heard"}
    (told,) = tables(longer)["complaints"]
    assert (told["title"], told["visits"], told["missed"]) == ("投诉处理", len(complained), len(missed))
    assert told["handled"] + told["missed"] + told["unknown"] == told["visits"] > 0


def test_lengths_and_the_time_between_visits(year: Path) -> None:
    rows = read(year)
    closed = [(one, detail) for one, detail in rows if one.kind == "visit_closed"]
    lengths = [detail["seconds"] for _, detail in closed]
    between = [
        second["opened"] - first["opened"] - first["seconds"]
        for (a, first), (b, second) in pairwise(closed)
        if a.stream == b.stream
    ]
    told = tables(year)
    for name, values in (("length", lengths), ("between", between)):
        one = row(told, "times", name)
        assert (one["n"], one["mean"]) == (len(values), pytest.approx(sum(values) / len(values)))
        assert one["median"] == pytest.approx(median(values), abs=5)
        assert one["longest"] == pytest.approx(max(values))


def test_coverage_is_the_lost_part_of_the_listening_time(year: Path) -> None:
    found, rows = tables(year), read(year)
    lost = sum(detail["seconds"] for one, detail in rows if one.kind == "gap")
    assert lost > 0
    assert row(found, "summary", "listened")["value"] == 10 * 3000
    assert row(found, "summary", "lost")["value"] == pytest.approx(lost)
    assert row(found, "summary", "lost_share")["value"] == pytest.approx(lost / 30_000, abs=1e-6)
    assert sum(one["gaps"] for one in found["counters"]) == sum(one.kind == "gap" for one, _ in rows)


def test_the_begin_and_the_end_of_listening_are_no_loss() -> None:
    assert aggregates.NO_LOSS == (listener.STARTED, listener.STOPPED, listener.RENEWED)


def test_live_listening_lasts_from_its_first_event_to_its_last(tmp_path: Path) -> None:
    events = [
        Event("gap", 0.0, detail={"seconds": 0.0, "reason": "listening began"}),
        Event("gap", 600.0, detail={"seconds": 90.0, "reason": "the microphone gave no sound for a while"}),
        Event("gap", 3600.0, detail={"seconds": 0.0, "reason": "listening was stopped"}),
    ]
    with open_record(tmp_path / "live.db") as store:
        store.append(events, live(), NOW)
    (told,) = tables(tmp_path / "live.db")["counters"]
    assert (told["id"], told["listened_seconds"], told["lost_seconds"], told["gaps"]) == ("3", 3600, 90, 1)
    assert told["lost_share"] == pytest.approx(0.025)


def test_a_visit_of_unknown_time_is_counted_but_in_no_hour(tmp_path: Path) -> None:
    origin = replace(live(), started=None)
    closed: dict[str, object] = {
        "opened": 0.0,
        "seconds": 9.0,
        "passed": True,
        "grade": None,
        "lost_audio": False,
        "scenarios": [],
    }
    counts = dict.fromkeys(("heard", "not_heard", "unknown", "forbidden", "broken", "kept", "doubtful"), 0)
    with open_record(tmp_path / "r.db") as store:
        store.append([Event("visit_closed", 30.0, 1, score=90.0, detail={**closed, "counts": counts})], origin, NOW)
    found = tables(tmp_path / "r.db")
    assert row(found, "summary", "visits")["value"] == 1
    assert found["hours"] == found["days"] == []
    assert row(tables(tmp_path / "r.db", "--since", "2024-05-21"), "summary", "visits")["value"] == 0


def test_small_samples_are_marked(two: Path, year: Path) -> None:
    few = row(tables(two), "summary", "pass")
    assert (few["few"], few["n"]) == (True, 2)
    assert few["high"] - few["low"] > 0.6
    assert not row(tables(year), "summary", "pass")["few"]


def test_the_index_alone_answers_the_query_of_verdicts(year: Path) -> None:
    with open_record(year, create=False) as store:
        plans: list[str] = []

        def explained(connection: Any) -> None:
            aggregates.gather_report_data(connection, ReportScope(), 0, {})
            query = aggregates.verdict_query(ReportScope(datetime(2025, 1, 1, tzinfo=UTC)), 10**9)
            text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
            plans.extend(str(line) for line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))

        store.query(explained)
    assert "COVERING INDEX events_told" in " ".join(plans)


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=60))
def test_quartiles_are_within_a_second_of_the_ranks(lengths: list[float]) -> None:
    groups: dict[int, list[float]] = {}
    for one in sorted(lengths):
        groups.setdefault(int(one), []).append(one)
    told = duration_statistics([(second, len(some), sum(some), max(some)) for second, some in groups.items()])
    ranked = sorted(lengths)
    assert told.quartiles is not None
    for part, value in zip((1, 2, 3), told.quartiles, strict=True):
        assert value <= ranked[-(-len(ranked) * part // 4) - 1] < value + 1


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_contains_its_share(part: int, more: int) -> None:
    share = Share(part, part + more)
    if share.value is None or share.interval is None:
        assert share.of == 0
        return
    assert 0 <= share.interval[0] <= share.value <= share.interval[1] <= 1
    assert share.few == (share.of < FEW)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0, 100)), max_size=8))
def test_totals_add_up_in_any_order(parts: list[tuple[int, int, float]]) -> None:
    sums = [VisitTotals(visits=a + b, scored=a, passed=min(a, b), points=c * a, squares=c * c * a) for a, b, c in parts]
    forth, back = sum_totals(sums), sum_totals(reversed(sums))
    assert (forth.visits, forth.passed) == (back.visits, back.passed) == (sum(a + b for a, b, _ in parts), back.passed)
    if forth.mean_interval:
        low, high = forth.mean_interval
        assert forth.mean is not None
        assert 0 <= low <= forth.mean + 1e-6
        assert forth.mean - 1e-6 <= high <= 100


def test_the_previous_period_has_the_same_length() -> None:
    day = datetime(2026, 1, 31, tzinfo=UTC)
    before = ReportScope(day, day + timedelta(days=28), ("3",), "x").before()
    assert before == ReportScope(day - timedelta(days=28), day, ("3",), "x")
    assert ReportScope(day, None).before() is None


def test_every_reason_of_an_unknown_verdict_has_a_text_in_each_language() -> None:
    constants = {**vars(verdicts), **vars(understanding)}
    reasons = [value for name, value in constants.items() if name.isupper() and isinstance(value, str) and " " in value]
    assert verdicts.SHARED in reasons
    assert understanding.ODD_TIMES in reasons
    assert all(translator("zh")(reason) != reason for reason in reasons)


def test_every_table_and_column_is_documented(year: Path) -> None:
    known = set(re.findall(r"`([a-z_0-9]+)`", (DOCS / "supervisor.md").read_text(encoding="utf-8")))
    found = tables(year)
    assert set(found) <= known
    assert {key for rows in found.values() for one in rows for key in one} <= known


def test_of_many_visits_a_page_unfolds_the_worst_and_lists_the_others_in_a_line(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(lang: str) -> str:
        assert run("report", "--store", two, "-o", tmp_path / "r.html", "--lang", lang).exit_code == 0
        return (tmp_path / "r.html").read_text(encoding="utf-8")

    whole = page("en")
    assert (whole.count('<details class="visit'), whole.count('<p class="visit')) == (2, 0)
    monkeypatch.setattr("counter_listener.reports.html.UNFOLDING", 1)
    short = page("en")
    assert (short.count('<details class="visit'), short.count('<p class="visit')) == (1, 1)
    assert "The evidence of the first 1 visits unfolds" in short
    assert "前 1 次服务可以展开依据" in page("zh")
    (line,) = re.findall(r'<p class="visit[^"]*">(.*?)</p>', short, re.DOTALL)
    assert "100" in line
    assert "full.jsonl" in line
    assert "不归我管" in short, "the worst one keeps its evidence"
    assert len(whole) - len(short) > 1_000
