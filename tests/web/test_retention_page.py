"""The page of retention and holds: set and lifted by who may, each for what the account sees; and the daily purge."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.pages_site import NOW, PASSWORD, accounts, browser, csrf, settings, sign_in
from support.record_cases import recorded_as, visit_events

from counter_listener.domain import RecordError
from counter_listener.record import (
    Hold,
    Place,
    RecordPool,
    Rule,
    Scope,
    Who,
    all_retention,
    due_visits,
    open_record,
    set_hold,
    set_place,
    set_rule,
)
from counter_listener.web.daily_purge import DailyPurge
from counter_listener.web.memory import Memory
from counter_listener.web.server_file import RetentionTable

PLACES = {"1": ("东街", "北区"), "2": ("西街", "北区"), "3": ("南街", "南区")}
ROOT = Who("root")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three counters with visits on ten days before NOW."""
    with open_record(tmp_path / "events.db", key_file=tmp_path / "key.pem") as record:
        for counter, place in PLACES.items():
            set_place(record, Place(counter, *place), "root", NOW)
            for day in range(1, 11):
                recording, origin = recorded_as(100 * int(counter) + day, NOW - timedelta(days=day))
                origin = type(origin)(origin.stream, origin.source, counter, origin.started, "p", "h", "m")
                record.add_recording(recording, visit_events(1), origin, NOW - timedelta(days=day))
    return tmp_path / "events.db"


@pytest.fixture
def people(store: Path) -> Iterator[Any]:
    """Gives a browser in which somebody is signed in."""
    kept = accounts(store.parent, "root", role="administrator")
    kept.add("sun", "supervisor", PASSWORD, NOW - timedelta(days=1), branch="东街")
    kept.add("zhou", "supervisor", PASSWORD, NOW - timedelta(days=1), region="北区")
    kept.add("wu", "auditor", PASSWORD, NOW - timedelta(days=1))
    kept.add("li", "clerk", PASSWORD, NOW - timedelta(days=1), counter="1")
    given = settings(store, key_file=store.parent / "key.pem", accounts=kept)
    with ExitStack() as stack:

        def person(name: str) -> Any:
            client = stack.enter_context(browser(given))
            sign_in(client, name)
            return client

        yield person


def form(client: Any, **values: str) -> dict[str, str]:
    return {"csrf": csrf(client, "/retention"), **values}


def rows(store: Path) -> list[dict[str, Any]]:
    with open_record(store, key_file=store.parent / "key.pem") as record:
        assert record.verify().broken is None
        return [json.loads(row.detail) for row in record.read() if row.stream == "retention"]


def test_a_rule_and_a_hold_are_set_changed_and_lifted_and_the_record_tells_who(store: Path, people: Any) -> None:
    root = people("root")
    assert "No rule says how long" in root.get("/retention").text
    rule = form(root, scope="everything:", visits="3", transcripts="")
    assert root.post("/retention/rules", data=rule).status_code == 303
    assert root.post("/retention/rules", data={**rule, "scope": "branch:西街", "visits": "5"}).status_code == 303
    hold = form(root, scope="branch:东街", since="2026-01-06", until="2026-01-07", reason="案 2026-0412 <b>")
    refused = root.post("/retention/holds", data={**hold, "scope": ""})
    assert (refused.status_code, "name the region, the branch" in refused.text) == (422, True)
    assert root.post("/retention/holds", data=hold).status_code == 303
    page = root.get("/retention").text
    assert "案 2026-0412 &lt;b&gt;" in page
    assert "3 days" in page
    assert "5 days" in page
    changed = {**hold, "hold": "H1", "until": "2026-01-08", "reason": "longer"}
    assert root.post("/retention/holds", data=changed).status_code == 303
    assert "longer" in root.get("/retention").text
    assert root.post("/retention/lift", data=form(root, hold="H1", reason="closed")).status_code == 303
    assert "No hold is in force" in root.get("/retention").text
    told = rows(store)
    assert [each["what"].partition(",")[0] for each in told] == [
        "retention of everything: visits 3 days",
        "retention of branch 西街: visits 5 days",
        "hold H1 on branch 东街 set",
        "hold H1 on branch 东街 changed",
        "hold H1 on branch 东街 lifted",
    ]
    assert {each["by"] for each in told} == {"root"}


@pytest.mark.parametrize(
    ("path", "values", "said"),
    [
        ("rules", {"scope": "counter:1", "visits": "3"}, "a rule is for"),
        ("rules", {"scope": "nonsense", "visits": "3"}, "name the region"),
        ("rules", {"scope": "everything:", "visits": "three"}, "1 to 36500 days"),
        ("holds", {"scope": "everything:", "reason": " "}, "needs a reason"),
        ("holds", {"visit": "nowhere-1", "reason": "x"}, "holds no visit"),
        ("holds", {"scope": "everything:", "since": "soon", "reason": "x"}, "is no day"),
        ("lift", {"hold": "H9", "reason": "x"}, "there is no hold H9"),
    ],
    ids=["rule for a counter", "no scope", "no number", "no reason", "no visit", "no day", "no hold"],
)
def test_what_cannot_be_set_is_told_in_a_sentence(
    store: Path, people: Any, path: str, values: dict[str, str], said: str
) -> None:
    root = people("root")
    answer = root.post(f"/retention/{path}", data=form(root, **values))
    assert (answer.status_code, said in answer.text) == (422, True)
    assert rows(store) == []


def test_each_account_sees_and_sets_what_is_its_own(store: Path, people: Any) -> None:
    with open_record(store, key_file=store.parent / "key.pem") as record:
        set_rule(record, Rule(Scope(), visits=3), ROOT, NOW)
        set_rule(record, Rule(Scope("branch", "南街"), visits=4), ROOT, NOW)
        for level, name in (("branch", "南街"), ("branch", "东街"), ("everything", "")):
            set_hold(record, Hold("", Scope(level, name), reason=f"reason {name or 'all'}"), ROOT, NOW)  # type: ignore[arg-type]
    sun, zhou, wu = people("sun"), people("zhou"), people("wu")
    page = sun.get("/retention").text
    assert "reason 东街" in page
    assert "Lift the hold" not in page, "head office set it"
    for word in ("南街", "西街", "北区", "南区", "reason all"):
        assert word not in page.partition("<main")[2], word
    assert "as set above your branch or region" in page
    table = re.search(r"What the next purge removes.*?</table>", page, re.DOTALL)
    assert table
    assert re.findall(r'"number">(\d+)<', table[0]) == ["7", "7", "0"] or "6" in table[0]
    for name, scope, status in (
        ("sun", "branch:东街", 303),
        ("sun", "branch:西街", 422),
        ("sun", "region:北区", 422),
        ("sun", "everything:", 422),
        ("zhou", "branch:西街", 303),
        ("zhou", "branch:南街", 422),
    ):
        client = {"sun": sun, "zhou": zhou}[name]
        data = form(client, scope=scope, visits="9", reason="x")
        assert client.post("/retention/rules", data=data).status_code == status, (name, scope)
        assert client.post("/retention/holds", data=data).status_code == status, (name, scope)
    assert sun.post("/retention/lift", data=form(sun, hold="H2", reason="x")).status_code == 422
    assert wu.get("/retention").status_code == 200
    assert wu.post("/retention/lift", data=form(wu, hold="H2", reason="x")).status_code == 403
    assert people("li").get("/retention").status_code == 403
    assert all(each.get("lifted") is None for each in rows(store))


def test_the_page_counts_what_the_purge_removes(location: str) -> None:
    with open_record(location) as record:
        for counter, place in {**PLACES, "4": (None, None)}.items():
            set_place(record, Place(counter, *place), "root", NOW)
            for day in range(1, 11):
                recording, origin = recorded_as(100 * int(counter) + day, NOW - timedelta(days=day))
                origin = type(origin)(origin.stream, origin.source, counter, origin.started, "p", "h", "m")
                record.add_recording(recording, visit_events(1), origin, NOW - timedelta(days=day))
        for rule in (Rule(Scope(), visits=8), Rule(Scope("region", "北区"), visits=4)):
            set_rule(record, rule, ROOT, NOW)
        set_hold(
            record, Hold("", Scope("branch", "东街"), (NOW - timedelta(days=7)).isoformat(), reason="x"), ROOT, NOW
        )
        found = record.query(partial(all_retention, record=record.path))
        limits = found.limits("visits", NOW)
        due = record.query(partial(due_visits, limits=limits, holds=found.scopes()))
        exact = record.would_remove(limits)
        assert {counter: each.visits - each.held for counter, each in due.items()} == exact.visits
        assert sum(each.held for each in due.values()) == exact.held.visits > 0
        assert set(record.query(partial(due_visits, limits=limits, holds=(), only=("2",)))) == {"2"}


def test_the_daily_purge_comes_once_a_day_and_again_if_it_failed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(store.with_name("memory.json"))
    daily, off = DailyPurge(RetentionTable(daily=True, at="03:00"), memory), DailyPurge(RetentionTable(), memory)
    start = datetime(2026, 1, 16, 2, 0).astimezone()
    assert off.state(start) is None
    with closing(RecordPool(str(store), key_file=store.parent / "key.pem")) as pool:
        with pool.writing() as record:
            set_rule(record, Rule(Scope(), visits=5), ROOT, NOW)

        def visits() -> int:
            with pool.reading() as record:
                return sum(1 for row in record.read() if row.kind == "visit_closed")

        off.step(pool, start + timedelta(days=9))
        daily.step(pool, start)
        assert visits() == 30, "what was due before it was asked for is not made up for"
        daily.step(pool, start + timedelta(hours=2))
        left = visits()
        assert left < 30
        daily.step(pool, start + timedelta(hours=20))
        assert visits() == left, "once a day"
        state = daily.state(start + timedelta(hours=20))
        assert state
        assert (state.rows > 0, state.failed, state.next.hour) == (True, None, 3)
        with monkeypatch.context() as patched:
            patched.setattr("counter_listener.record.Record.remove_old", fail)
            with pytest.raises(RecordError):
                daily.step(pool, start + timedelta(days=3, hours=2))
        daily.step(pool, start + timedelta(days=3, hours=2, minutes=30))
        assert visits() == left, "it waits before it tries again"
        assert str(daily.state(start + timedelta(days=3, hours=2, minutes=30)).failed) == "no room"  # type: ignore[union-attr]
        daily.step(pool, start + timedelta(days=3, hours=4))
        assert visits() < left
        with pool.reading() as record:
            details = [json.loads(row.detail) for row in record.read() if row.kind == "purge"]
        assert {(each["by"], each["by_rules"]) for each in details} == {("serve", True)}


def fail(*_given: object) -> None:
    raise RecordError("no room")
