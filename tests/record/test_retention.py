"""How long something is kept, by branch; and legal holds, which every purge respects. In both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from support.record_cases import DAY, NOW, live, recorded_as, visit_events
from support.sending import Line, add_visits, chain_holds, enrolled, opened, send, sources

from counter_listener.domain import Event, RecordError, RetentionError, ReviewError
from counter_listener.record import (
    Hold,
    Place,
    Record,
    Retention,
    ReviewRequest,
    Rule,
    Scope,
    Sight,
    Who,
    all_retention,
    iso,
    lift_hold,
    open_record,
    review,
    set_hold,
    set_place,
    set_rule,
)
from counter_listener.record.keeping import Limits
from counter_listener.record.retention_file import as_handed, keep_handed, retention_file

ROOT = Who("root")
EAST, NORTH, ALL = Scope("branch", "东街"), Scope("region", "北区"), Scope()
PLACES = {"1": ("东街", "北区"), "2": ("西街", "北区"), "3": ("南街", "南区")}


@pytest.fixture
def record(location: str) -> Iterator[Record]:
    """Four counters, one of which belongs to no branch; visits on ten days before NOW."""
    with open_record(location) as opened_record:
        for counter, place in PLACES.items():
            set_place(opened_record, Place(counter, *place), "root", NOW - 50 * DAY)
        for day in range(1, 11):
            for counter in (*PLACES, "4"):
                add_visit(opened_record, counter, day)
        yield opened_record


def add_visit(record: Record, counter: str, day: int) -> None:
    recording, origin = recorded_as(100 * int(counter) + day, NOW - day * DAY)
    record.add_recording(recording, visit_events(1), replace(origin, counter=counter), NOW - day * DAY)


def left(record: Record) -> dict[str, list[int]]:
    """For each counter, how many days ago its visits were."""
    found: dict[str, list[int]] = {}
    for row in record.read():
        if row.kind == "visit_closed":
            days = (NOW - datetime.fromisoformat(str(row.wall))) // DAY + 1
            found.setdefault(str(row.counter), []).append(days)
    return {counter: sorted(days) for counter, days in found.items()}


def retention(record: Record) -> Retention:
    return record.query(lambda connection: all_retention(connection, record.path))


def by_rules(record: Record) -> Limits:
    return retention(record).limits("visits", NOW)


def midnight(days_ago: int) -> str:
    """A midnight of the zone of this machine."""
    return iso(datetime.combine(NOW.astimezone().date() - days_ago * DAY, time()).astimezone())


def since(limit: str) -> list[int]:
    """How many days ago the visits were that are not before a limit."""
    return [day for day in range(1, 11) if iso(NOW - day * DAY + timedelta(seconds=90)) >= limit]


def test_a_branch_goes_before_its_region_and_that_before_everything(record: Record) -> None:
    assert by_rules(record).latest == ""
    assert record.remove_old(by_rules(record), NOW).rows == 0, "without a rule nothing goes"
    for rule in (Rule(ALL, visits=8), Rule(NORTH, visits=5), Rule(EAST, visits=2)):
        set_rule(record, rule, ROOT, NOW)
    expected = {counter: since(midnight(days)) for counter, days in {"1": 2, "2": 5, "3": 8, "4": 8}.items()}
    told = record.would_remove(by_rules(record))
    assert told.visits == {counter: 10 - len(days) for counter, days in expected.items()}
    assert sum(map(len, left(record).values())) == 40, "telling removes nothing"
    done = record.remove_old(by_rules(record), NOW, {"by": "root", "by_rules": True})
    assert done == told
    assert left(record) == expected
    assert len(list(record.recordings())) == sum(map(len, expected.values()))
    (row,) = [row for row in record.read() if row.kind == "purge"]
    detail = json.loads(row.detail)
    assert (detail["by"], detail["by_rules"], detail["rows"]) == ("root", True, done.rows)
    assert record.verify().broken is None
    set_rule(record, Rule(EAST), ROOT, NOW)
    assert [rule.scope for rule in retention(record).rules] == [ALL, NORTH], "taken away again"


def test_what_is_held_stays_whatever_purge_comes_and_goes_once_it_is_lifted(record: Record) -> None:
    word = next(row for row in record.read() if row.kind == "visit_closed" and row.counter == "2")
    assert word.visit
    review(record, ReviewRequest(word.visit, "note", "anna", 999, note="x"), NOW)
    record.append([Event("gap", 5.0)], replace(live("live-9", NOW - 4 * DAY), counter="1"), NOW - 4 * DAY)
    record.append([Event("gap", 5.0)], replace(live("live-8", NOW - 4 * DAY), counter="3"), NOW - 4 * DAY)
    one = set_hold(record, Hold("", EAST, iso(NOW - 5 * DAY), iso(NOW - 2 * DAY), "案 20260412"), ROOT, NOW)
    two = set_hold(record, Hold("", Scope("visit", word.visit), reason="投诉"), ROOT, NOW)
    overlap = set_hold(record, Hold("", Scope("counter", "1"), iso(NOW - 4.5 * DAY), reason="x"), ROOT, NOW)
    lift_hold(record, overlap, "twice", ROOT, NOW)
    assert (one, two, overlap) == ("H1", "H2", "H3")
    done = record.remove_old(Limits(iso(NOW)), NOW)
    assert (done.held.visits, dict(done.held.holds)) == (4, {"H1": 3, "H2": 1})
    day = (NOW - datetime.fromisoformat(str(word.wall))) // DAY + 1
    assert left(record) == {"1": [3, 4, 5], "2": [day]}
    assert [row.counter for row in record.read() if row.kind == "gap"] == ["1"]
    assert len(list(record.read(visit=word.visit))) == 4, "what people said of it stays too"
    assert len(list(record.recordings())) == 4
    assert record.verify().broken is None
    kept = record.kept_from(Limits(iso(NOW)), Limits(iso(NOW)))
    assert set(kept.values()) == {0.0}, "the transcripts of what is held stay whole"
    assert record.purge(NOW, NOW) == 0
    lift_hold(record, one, "案件已结", ROOT, NOW)
    lift_hold(record, two, "closed", ROOT, NOW)
    assert record.remove_old(Limits(iso(NOW)), NOW).held.visits == 0
    assert left(record) == {}
    assert not list(record.recordings())
    rows = [row for row in record.read() if row.stream == "retention"]
    assert len(rows) == 6, "no purge touches who set and lifted what"
    assert record.verify().broken is None
    first = retention(record).holds[0]
    assert (first.reason, first.lifted_by, first.in_force) == ("案 20260412", "root", False)


def test_a_hold_on_everything_keeps_all_and_its_dates_can_be_changed(record: Record) -> None:
    set_rule(record, Rule(ALL, visits=1), ROOT, NOW)
    name = set_hold(record, Hold("", ALL, reason="audit"), ROOT, NOW)
    done = record.remove_old(by_rules(record), NOW)
    old = set(range(1, 11)) - set(since(midnight(1)))
    assert (done.rows, done.held.visits) == (0, 4 * len(old))
    set_hold(record, Hold(name, ALL, until=iso(NOW - 8 * DAY), reason="only the first days"), ROOT, NOW)
    record.remove_old(by_rules(record), NOW)
    assert left(record) == {counter: [*since(midnight(1)), 9, 10] for counter in "1234"}
    (hold,) = retention(record).holds
    assert (hold.id, hold.until, hold.reason) == ("H1", iso(NOW - 8 * DAY), "only the first days")


def test_transcripts_may_go_earlier_than_their_visits(record: Record) -> None:
    set_rule(record, Rule(ALL, visits=9, transcripts=3), ROOT, NOW)
    set_rule(record, Rule(EAST, transcripts=6), ROOT, NOW)
    found = retention(record)
    kept = record.kept_from(found.limits("visits", NOW), found.limits("transcripts", NOW))
    recordings = {row.sha256: (str(row.counter), str(row.started)) for row in record.recordings()}
    whole = [recordings[sha256] for sha256, second in kept.items() if second == 0]
    limits = {"1": midnight(6), "2": midnight(3), "3": midnight(3), "4": midnight(3)}
    assert sorted(whole) == sorted(each for each in recordings.values() if each[1] >= limits[each[0]])
    undated, origin = recorded_as(999, None)
    record.add_recording(undated, visit_events(1), origin, NOW - 5 * DAY)
    kept = record.kept_from(found.limits("visits", NOW), found.limits("transcripts", NOW))
    assert kept[undated.sha256] == float("inf"), "of a recording without a date, the day on which it was checked counts"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(Scope("branch", " "), visits=3), "name the region"),
        (Rule(Scope("counter", "1"), visits=3), "a rule is for"),
        (Rule(ALL, visits=0), "1 to 36500 days"),
        (Rule(ALL, transcripts=36_501), "1 to 36500 days"),
    ],
    ids=["no name", "a counter", "no day", "too long"],
)
def test_a_rule_that_cannot_be_is_refused(tmp_path: Path, rule: Rule, said: str) -> None:
    with open_record(tmp_path / "record.db") as record:
        with pytest.raises(RetentionError, match=said):
            set_rule(record, rule, ROOT, NOW)
        with pytest.raises(RetentionError, match="needs a reason"):
            set_hold(record, Hold("", ALL), ROOT, NOW)
        with pytest.raises(RetentionError, match="after it begins"):
            set_hold(record, Hold("", ALL, iso(NOW), iso(NOW), "x"), ROOT, NOW)
        with pytest.raises(RetentionError, match="no hold H7"):
            lift_hold(record, "H7", "x", ROOT, NOW)
        with pytest.raises(ReviewError, match="holds no visit"):
            set_hold(record, Hold("", Scope("visit", "nowhere-1"), reason="x"), ROOT, NOW)
        assert not list(record.read())


def test_who_sees_a_part_rules_over_that_part_and_changes_nothing_that_came_from_above(tmp_path: Path) -> None:
    with open_record(tmp_path / "record.db") as record:
        for counter, place in PLACES.items():
            set_place(record, Place(counter, *place), "root", NOW)
        add_visit(record, "2", 1)
        east, north = Who("sun", Sight(branch="东街")), Who("zhou", Sight(region="北区"))
        clerk = Who("li", Sight(counter="1"))
        assert set_rule(record, Rule(EAST, visits=30), east, NOW)
        assert not set_rule(record, Rule(EAST, visits=30), east, NOW), "nothing changes"
        assert set_rule(record, Rule(EAST, visits=40), north, NOW)
        assert set_hold(record, Hold("", Scope("counter", "2"), reason="x"), north, NOW) == "H1"
        for who, scope in ((east, NORTH), (east, ALL), (north, ALL), (north, Scope("branch", "南街")), (clerk, EAST)):
            with pytest.raises(RetentionError, match="rules over that part alone"):
                set_rule(record, Rule(scope, visits=9), who, NOW)
        with pytest.raises(RetentionError, match="sees more than yours"):
            set_rule(record, Rule(EAST, visits=9), east, NOW)
        visit = next(row.visit for row in record.read() if row.visit)
        assert visit
        with pytest.raises(RetentionError, match="rules over that part alone"):
            set_hold(record, Hold("", Scope("visit", visit), reason="x"), east, NOW)
        name = set_hold(record, Hold("", EAST, reason="head office"), ROOT, NOW)
        assert set_hold(record, Hold("", EAST, reason="ours"), east, NOW) == "H3", "beside it one of our own"
        for who in (east, north):
            with pytest.raises(RetentionError, match="sees more than yours"):
                lift_hold(record, name, "x", who, NOW)
        assert lift_hold(record, "H3", "x", north, NOW)


@pytest.mark.parametrize(
    "scope", [Scope("counter", "3"), pytest.param(ALL, marks=pytest.mark.slow)], ids=["counter", "everything"]
)
def test_a_purge_that_is_carried_to_a_server_leaves_what_is_held_there(
    tmp_path: Path, location: str, scope: Scope
) -> None:
    """What the counter writes afterwards under the same names still arrives, for its own rows are gone."""
    with opened(tmp_path, "counter") as counter, open_record(location) as server:
        line = Line(server, enrolled(server))
        recording, origin = recorded_as(7)
        counter.add_recording(recording, visit_events(1), origin, NOW)
        add_visits(counter, 1, 2)
        set_place(counter, Place("3", "东街"), "somebody", NOW)
        send(counter, line)
        set_hold(server, Hold("", scope, reason="x"), ROOT, NOW)
        before = [row.uid for row in server.read(visit="live-1-1")]
        assert counter.purge(NOW + DAY, NOW + DAY) > 0
        set_place(counter, Place("3", "西街"), "somebody", NOW + DAY)
        add_visits(counter, 1, days=2)
        assert counter.add_recording(recording, visit_events(1), origin, NOW + DAY)
        counter.append(visit_events(2), live("live-1", NOW + 2 * DAY), NOW + 2 * DAY)
        for _ in range(2):
            send(counter, line)
            assert [source.state for source in sources(server)] == ["ok"]
            assert all(chain_holds(server, source) for source in sources(server))
            assert server.verify().broken is None
            add_visits(counter, 5, days=3)
        assert [row.uid for row in server.read(visit="live-1-1")] == before, "they are there, and no more"
        again = [row.visit for row in server.read() if row.kind == "visit_closed" and "@" in str(row.visit)]
        assert again == [
            f"live-1@{sources(server)[0].id}.2-1",
            f"{origin.stream}@1.2-1",
            "live-1@1.2-2",
            "live-1@1.2-5",
        ]
        (told,) = [json.loads(row.detail) for row in server.read() if row.stream == "purge"]
        assert (told["held"], told["holds"]) == (3, {"H1": 3})
        lift_hold(server, "H1", "x", ROOT, NOW + 9 * DAY)
        server.purge(NOW + timedelta(days=1), NOW + 9 * DAY)
        assert not list(server.read(visit="live-1-1"))
        assert all(chain_holds(server, source) for source in sources(server))
        assert server.verify().broken is None


def test_what_a_server_hands_out_is_respected_at_the_counter(tmp_path: Path) -> None:
    with opened(tmp_path, "counter") as counter, opened(tmp_path, "server") as server:
        set_place(server, Place("3", "东街", "北区"), "root", NOW)
        set_place(server, Place("9", "西街", "北区"), "root", NOW)
        line = Line(server, enrolled(server))
        add_visits(counter, 1, 2)
        send(counter, line)
        set_rule(server, Rule(NORTH, visits=3), ROOT, NOW)
        set_rule(server, Rule(Scope("branch", "西街"), visits=1), ROOT, NOW)
        set_hold(server, Hold("", Scope("visit", "live-1-2"), reason="a secret reason"), ROOT, NOW)
        set_hold(server, Hold("", Scope("counter", "9"), reason="of another"), ROOT, NOW)
        handed = as_handed(retention(server), [Place("3", "东街", "北区")])
        assert "secret" not in handed
        assert "西街" not in handed
        assert "of another" not in handed
        keep_handed(counter.path, handed)
        set_rule(counter, Rule(ALL, visits=500), Who("clerk"), NOW)
        limits = retention(counter).limits("visits", NOW + 9 * DAY)
        assert limits.of("3") == retention(server).limits("visits", NOW + 9 * DAY).of("3"), "the region's goes first"
        done = counter.remove_old(limits, NOW + 9 * DAY)
        assert dict(done.held.holds) == {"server:H1": 1}
        assert {row.visit for row in counter.read() if row.visit} == {"live-1-2"}
        retention_file(counter.path).write_text("{", encoding="utf-8")
        with pytest.raises(RecordError, match="does not tell what is under hold"):
            counter.purge(NOW + 9 * DAY, NOW + 9 * DAY)
