"""Records come together: rows arrive once, whatever is lost on the way, and a record that was rewritten is told of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.forger import (
    EDITS,
    Edit,
    Forger,
    append_row,
    change_schema_version,
    edit_row,
    put_back_older_copy,
    replace_guard,
)
from support.record_cases import DAY, NOW, connection_of, live, recorded_as, visit_events
from support.sending import Line, add_visits, chain_holds, enrolled, opened, send, sources, through_json

from counter_listener.domain import AccountError, BatchError, RecordError, SendError
from counter_listener.domain.types import Event
from counter_listener.record import (
    Counter,
    Judgement,
    Poster,
    Record,
    Server,
    ServerExchange,
    accept_record,
    add_counter,
    answer_values,
    close_counter,
    counter_of_token,
    counters,
    enrol,
    find_visits,
    merge_record,
    open_record,
    receipt_for,
    send_record,
    visit_history,
)
from counter_listener.record.browse import VisitFilter
from counter_listener.record.people import origin_of, person_row
from counter_listener.record.posting import Posted
from counter_listener.record.schema import chain_tail
from counter_listener.record.sync.outbox import next_batch
from counter_listener.record.sync.receive import receive
from counter_listener.record.sync.wire import Position, read_batch


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Record]:
    with opened(tmp_path, "counter") as record:
        add_visits(record, 1, 2)
        recording, origin = recorded_as(7)
        note = Judgement(origin.stream, options={"one_visit": True}, program="1")
        record.add_recording(recording, visit_events(1), origin, NOW, note)
        yield record


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Record]:
    """A server's record: in SQLite, or where a test asks for it."""
    location = str(tmp_path / "server.db")
    if getattr(request, "param", "sqlite") == "postgresql":
        from support.postgres import url_of

        location = url_of(request.getfixturevalue("database"))
    with open_record(location, key_file=tmp_path / "server.pem") as record:
        add_visits(record, 9, stream="live-0")
        yield record


ON_BOTH = pytest.mark.parametrize("server", ["sqlite", "postgresql"], indirect=True)
ON_BOTH_SLOWLY = pytest.mark.parametrize(
    "server", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
"""Where a server in PostgreSQL differs in nothing that the tests on both do not show."""


@pytest.fixture
def line(server: Record) -> Line:
    return Line(server, enrolled(server))


def rows_of(record: Record) -> list[tuple[Any, ...]]:
    """The rows of the machine, without what is a record's own."""
    return [
        (row.uid, row.visit, row.wall, row.kind, row.detail, row.recorded)
        for row in record.read()
        if row.stream not in ("live-0", "purge") and row.source != "people" and "@" not in row.stream
    ]


def whole(counter: Record, server: Record) -> None:
    """Fails unless the server holds what the counter holds, once, in chains that are right."""
    assert rows_of(server) == rows_of(counter)
    assert sorted(row.sha256 for row in server.recordings()) == sorted(row.sha256 for row in counter.recordings())
    assert server.verify().broken is None
    assert all(chain_holds(server, source) for source in sources(server))


def visits_of(record: Record) -> list[str]:
    found = record.query(lambda connection: find_visits(connection, VisitFilter()))
    return sorted(visit.visit for visit in found.visits)


@ON_BOTH
def test_rows_arrive_once_with_all_their_columns(counter: Record, server: Record, line: Line) -> None:
    assert send(counter, line) == 11
    whole(counter, server)
    assert send(counter, line) == 0
    add_visits(counter, 3)
    assert send(counter, line) == 3
    whole(counter, server)
    assert set(visits_of(counter)) < set(visits_of(server))
    (found,) = server.query(counters)
    assert (found.name, found.rows, found.chain, found.state["version"]) == ("3", 14, "ok", "1")
    assert found.heard == "2024-05-20T09:30:00.000000+00:00"


@ON_BOTH_SLOWLY
def test_the_database_is_asked_once_for_the_names_in_a_batch(counter: Record, server: Record, line: Line) -> None:
    for number in range(20, 50):
        recording, origin = recorded_as(number)
        counter.add_recording(recording, visit_events(1), origin, NOW)
    asked: list[str] = []
    sa.event.listen(
        connection_of(server),
        "before_cursor_execute",
        lambda *given: asked.append(given[2]) if "asked" in given[2] else 0,
    )
    send(counter, line, rows=500)
    assert (len(line.batches), len(asked)) == (2, 1)
    whole(counter, server)


@dataclass
class NarrowPoster:
    """A server that takes few bytes at once, or a proxy before it that does."""

    line: Line
    most: int
    lengths: list[int] = field(default_factory=list)

    def post(self, _url: str, body: bytes, _token: str) -> Posted:
        self.lengths.append(len(body))
        if len(body) > self.most:
            return Posted(413, "Content Too Large")
        return Posted(200, "OK", answer_values(self.line(read_batch(json.loads(body)))))


@pytest.mark.parametrize("refused_by", ["sender", "proxy"])
def test_a_batch_that_is_too_long_is_split_and_a_row_that_is_too_long_is_told_of(
    refused_by: str, counter: Record, server: Record, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_visits(counter, *range(3, 20))
    poster = NarrowPoster(line, 9_000)
    if refused_by == "sender":
        monkeypatch.setattr("counter_listener.record.sync.send.MOST_BYTES", 9_000)
    exchange = ServerExchange(Server("https://x", "3", "t"), cast("Poster", poster), lambda: NOW)
    assert send_record(counter, exchange).added == counter.query(lambda connection: chain_tail(connection)[0])
    assert (max(poster.lengths) > 9_000) == (refused_by == "proxy")
    whole(counter, server)
    poster.most, last = 1_000, line.batches[-1].end.seq
    monkeypatch.setattr("counter_listener.record.sync.send.MOST_BYTES", 1_000)
    counter.append([Event("gap", 1.0, detail={"seconds": 1.0, "reason": "x" * 1_000})], live("live-1", NOW), NOW)
    with pytest.raises(SendError, match=f"row {last + 1} of the record is longer than https://x takes at once"):
        send_record(counter, exchange)


class LostError(Exception):
    "The network is gone."


@settings(
    max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_whatever_is_lost_repeated_or_late_each_row_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with opened(folder, "counter") as counter, opened(folder, "server") as server:
        line = Line(server, enrolled(server))

        def lose(_number: int) -> None:
            if data.draw(st.integers(0, 3)) == 0:
                raise LostError

        line.before = line.after = lose
        for visit in range(1, data.draw(st.integers(2, 6))):
            add_visits(counter, visit)
            with suppress(LostError):
                send(counter, line, rows=data.draw(st.integers(1, 5)))
            for _ in range(data.draw(st.integers(0, 3)) if line.batches else 0):
                late = data.draw(st.sampled_from(line.batches))
                receive(server, through_json(late), line.sender, NOW)
            if data.draw(st.integers(0, 4)) == 0:
                counter.purge(NOW + visit * DAY / 1440, NOW)
        line.before = line.after = lambda _number: None
        for source in sources(server):
            assert source.state == "ok"
        send(counter, line)
        whole(counter, server)


def test_a_server_that_was_put_back_from_a_backup_gets_again_what_it_lost(
    counter: Record, tmp_path: Path, server: Record, line: Line
) -> None:
    send(counter, line)
    server.backup(tmp_path / "backup.db")
    add_visits(counter, 3)
    send(counter, line)
    with open_record(tmp_path / "backup.db", key_file=tmp_path / "server.pem") as restored:
        assert send(counter, Line(restored, line.sender)) == 3
        whole(counter, restored)


@ON_BOTH
def test_a_purge_is_carried_to_the_server_with_what_people_said_there(
    counter: Record, server: Record, line: Line
) -> None:
    add_visits(counter, 40, days=1)
    send(counter, line)
    old, new = "live-1-1", "live-1-40"
    server.append_rows(lambda connection: [note_on(connection, visit) for visit in (old, new)], NOW)
    add_visits(server, 41, stream="live-0", days=1)
    assert counter.purge(NOW + DAY / 2, NOW + 2 * DAY) == 11
    send(counter, line)
    whole(counter, server)
    assert [row.visit for row in server.read() if row.kind == "review"] == [new]
    assert {row.stream for row in server.read() if row.kind == "purge"} == {"purge", "purge@1"}
    assert visits_of(server) == ["live-0-41", "live-0-9", new]


def note_on(connection: Any, visit: str) -> dict[str, object]:
    history = visit_history(connection, visit)
    return person_row("review", {"action": "note", "note": "x", "by": "li"}, NOW, origin_of(history.rows[0]))


@ON_BOTH_SLOWLY
def test_a_purge_at_the_server_leaves_a_hole_across_which_the_chain_holds(
    counter: Record, server: Record, line: Line
) -> None:
    add_visits(counter, 40, days=1)
    send(counter, line, rows=5)
    assert server.purge(NOW + DAY / 2, NOW + 2 * DAY) == 14
    add_visits(counter, 41, days=1)
    send(counter, line)
    assert visits_of(server) == ["live-1-40", "live-1-41"]
    assert server.verify().broken is None
    assert all(chain_holds(server, source) for source in sources(server))
    counter.purge(NOW + DAY / 2, NOW + 2 * DAY)
    send(counter, line)
    assert all(chain_holds(server, source) for source in sources(server))


@pytest.fixture
def forger(counter: Record, tmp_path: Path) -> Forger:
    """Somebody at the counter without its key. The older copy ends two visits before the record does."""
    shutil.copy(counter.path, tmp_path / "older.db")
    add_visits(counter, 3, 4)
    with open_record(tmp_path / "other.db", key_file=tmp_path / "counter.pem") as other:
        add_visits(other, *range(1, 9), stream="live-2")
    return Forger(counter.path, tmp_path / "older.db", tmp_path / "other.db")


FOUND_AT_THE_COUNTER = (edit_row, replace_guard, change_schema_version)
"""What changes no link: `events verify` finds it, and the server holds the rows as they were."""


EVERY_DAY = ("edit_row", "edit_and_recompute", "put_back_older_copy", "put_other_record", "replace_guard")
"""One for each way in which the server answers."""


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(each, marks=() if each.__name__ in EVERY_DAY else pytest.mark.slow)
        for each in EDITS
        if each.__name__ not in ("change_time", "insert_row")
    ],
)
def test_a_record_that_was_rewritten_is_told_of_and_the_rows_stay_as_they_were(
    edit: Edit, forger: Forger, counter: Record, server: Record, line: Line
) -> None:
    send(counter, line)
    before = rows_of(server)
    edit(forger, 5)
    if edit in FOUND_AT_THE_COUNTER:
        assert send(counter, line) == 0
    else:
        with pytest.raises(SendError) as told:
            send(counter, line)
        states = {"cut_end": "cut", "put_back_older_copy": "cut", "put_other_record": "replaced"}
        state = states.get(edit.__name__, "rewritten")
        (found,) = server.query(counters)
        assert (found.chain, str(found.fault)) == (state, str(told.value).rstrip("."))
        with pytest.raises(SendError, match=str(found.fault)):
            send(counter, line)
    assert rows_of(server) == before
    assert server.verify().broken is None
    assert all(chain_holds(server, source) for source in sources(server))


def test_rows_that_were_changed_before_they_were_sent_are_refused(forger: Forger, counter: Record, line: Line) -> None:
    edit_row(forger, 5)
    with pytest.raises(SendError, match="row 5 was changed after it was written"):
        send(counter, line)
    append_row(forger, 5)
    with pytest.raises(SendError, match="row 5"):
        send(counter, line)


def test_a_row_that_was_added_without_the_key_is_told_of(forger: Forger, counter: Record, line: Line) -> None:
    send(counter, line)
    append_row(forger, 5)
    with pytest.raises(SendError, match="added without the key"):
        send(counter, line)


@ON_BOTH_SLOWLY
def test_a_record_that_lost_rows_no_purge_tells_of_is_told_of(counter: Record, server: Record, line: Line) -> None:
    asked = counter.at_once(partial(next_batch, have=None))
    batch = counter.at_once(partial(next_batch, have=Position(0, "0" * 64), rows=50))
    gone = read_batch({**_values(batch), "rows": [{"gone": [1, asked.end.seq, asked.end.chain]}]})
    answer = receive(server, gone, line.sender, NOW)
    assert (answer.state, str(answer.fault)) == (
        "rewritten",
        f"rows 1 to {asked.end.seq} are missing, and no purge tells of it",
    )


def _values(batch: Any) -> dict[str, Any]:
    from counter_listener.record.sync.wire import batch_json

    return dict(json.loads(batch_json(batch)))


def test_a_counter_put_back_from_a_backup_goes_on_once_it_is_accepted(
    counter: Record, tmp_path: Path, server: Record, line: Line
) -> None:
    send(counter, line)
    counter.backup(tmp_path / "backup.db")
    add_visits(counter, 3)
    send(counter, line)
    with open_record(tmp_path / "backup.db", key_file=tmp_path / "counter.pem") as restored:
        add_visits(restored, 5, stream="live-5")
        with pytest.raises(SendError, match="row 14 is not the one that was received"):
            send(restored, line)
        server.change(lambda connection, _append: accept_record(connection, "3"), NOW)
        assert send(restored, line) == 3, "what both have in common is not there twice"
        assert visits_of(server) == sorted({*visits_of(counter), *visits_of(restored), "live-0-9"})
        assert server.verify().broken is None
        restored.purge(NOW + DAY, NOW + 2 * DAY)
        send(restored, line)
        assert visits_of(server) == ["live-0-9", "live-1-3"]
    with pytest.raises(AccountError, match="nothing is wrong"):
        server.change(lambda connection, _append: accept_record(connection, "3"), NOW)


@ON_BOTH_SLOWLY
def test_a_new_record_follows_once_the_counter_is_enrolled_again(
    counter: Record, tmp_path: Path, server: Record, line: Line
) -> None:
    send(counter, line)
    with opened(tmp_path, "new") as new:
        add_visits(new, 1, 2, stream="live-1")  # names that are taken
        with pytest.raises(SendError, match="another record was put in the place"):
            send(new, line)
        line.sender = enrolled(server)
        assert send(new, line) == 6
        assert {"live-1-1", "live-1@2-1", "live-1@2-2"} <= set(visits_of(server))
        assert all(chain_holds(server, source) for source in sources(server))


@ON_BOTH_SLOWLY
def test_a_recording_that_two_counters_checked_counts_once(
    counter: Record, tmp_path: Path, server: Record, line: Line
) -> None:
    send(counter, line)
    before = visits_of(server)
    with opened(tmp_path, "second") as second:
        recording, origin = recorded_as(7)
        second.add_recording(recording, visit_events(1), replace(origin, counter="4"), NOW)
        other = Line(server, enrolled(server, "4"))
        for rows in (2, 2):
            assert send(second, other, rows) in (0, 4)
        assert visits_of(server) == before
        renamed = f"{origin.stream}@2"
        assert server.replaced_streams() == {renamed}
        assert [row.uid for row in server.read(stream=renamed)] == [f"{renamed}:{number}" for number in (1, 2, 3)]
        assert server.verify().broken is None
        assert all(chain_holds(server, source) for source in sources(server))


@ON_BOTH_SLOWLY
def test_a_branch_sends_on_what_it_received_with_the_words_of_its_people(
    counter: Record, tmp_path: Path, server: Record, line: Line
) -> None:
    send(counter, line)
    visit = "live-1-1"
    server.append_rows(lambda connection: [note_on(connection, visit)], NOW)
    with opened(tmp_path, "region") as region:
        on = Line(region, enrolled(region, "West Street", branch="West Street", region="North", many=True))
        send(server, on)
        assert visits_of(region) == visits_of(server)
        history = region.query(partial(visit_history, visit=visit))
        assert [review.by for review in history.reviews] == ["li"]
        assert all(chain_holds(region, source) for source in sources(region))
        known = {each.name: (each.branch, each.region) for each in region.query(counters)}
        assert known == {"3": ("West Street", "North"), "West Street": ("West Street", "North")}


@ON_BOTH
def test_a_counter_sends_its_own_rows_alone(counter: Record, server: Record, line: Line) -> None:
    with pytest.raises(BatchError, match="holds rows of the counter 3, and is sent for 4"):
        send(counter, Line(server, enrolled(server, "4")))
    send(counter, line)
    with pytest.raises(BatchError, match="received from the counter 3 already"):
        send(counter, Line(server, enrolled(server, "5")))


def test_files_are_merged_from_a_stick_as_often_as_one_likes(counter: Record, tmp_path: Path) -> None:
    counter.backup(tmp_path / "older.db")
    add_visits(counter, 3)
    with opened(tmp_path, "merged") as into:
        assert merge_record(counter, into, NOW).added == 14
        with open_record(tmp_path / "older.db", create=False) as older:
            assert merge_record(older, into, NOW).added == 0
        assert merge_record(counter, into, NOW).added == 0
        whole(counter, into)
        line = Line(into, enrolled(into))
        add_visits(counter, 4)
        assert send(counter, line) == 3, "the counter has a network now"


def set_pragma(record: Record, name: str, value: int) -> None:
    with connection_of(record).begin():
        connection_of(record).exec_driver_sql(f"PRAGMA {name} = {value}")


def pages(record: Record) -> int:
    return record.query(lambda connection: int(connection.exec_driver_sql("PRAGMA page_count").scalar_one()))


def test_a_full_disk_at_the_server_takes_all_of_a_batch_or_nothing(counter: Record, server: Record, line: Line) -> None:
    add_visits(counter, *range(10, 60))
    set_pragma(server, "max_page_count", pages(server) + 5)
    with pytest.raises(RecordError, match="no room left"):
        send(counter, line, rows=20)
    assert server.verify().broken is None
    set_pragma(server, "max_page_count", 1_000_000)
    send(counter, line)
    whole(counter, server)


@ON_BOTH
def test_a_code_is_good_once_and_for_a_day(server: Record) -> None:
    def do(work: Callable[[Any], Any]) -> Any:
        return server.change(lambda connection, _append: work(connection), NOW)

    first = do(lambda connection: add_counter(connection, Counter("7", "West"), NOW))
    code = do(lambda connection: add_counter(connection, Counter("7"), NOW))
    with pytest.raises(AccountError, match="not valid"):
        do(lambda connection: enrol(connection, first, NOW))
    with pytest.raises(AccountError, match="not valid"):
        do(lambda connection: enrol(connection, code, NOW + DAY))
    made, token = do(lambda connection: enrol(connection, f" {code.lower()} ", NOW))
    assert (made.name, made.branch) == ("7", "West")
    assert do(lambda connection: counter_of_token(connection, token)).name == "7"
    with pytest.raises(AccountError, match="not valid"):
        do(lambda connection: enrol(connection, code, NOW))
    do(lambda connection: close_counter(connection, "7"))
    assert do(lambda connection: counter_of_token(connection, token)) is None
    for name in ("", "x" * 101, "a\x07b"):
        with pytest.raises(AccountError, match="letters"):
            do(partial(add_counter, counter=Counter(name), now=NOW))


def test_a_receipt_is_an_anchor_at_the_counter(counter: Record, forger: Forger, server: Record, line: Line) -> None:
    send(counter, line)
    receipt = receipt_for(server, "3", NOW)
    assert counter.verify(receipt).broken is None
    add_visits(counter, 50)
    assert counter.verify(receipt).broken is None
    forger.strip()
    assert counter.verify(receipt).broken is None, "the server signed it, not the counter"
    with pytest.raises(RecordError, match="forged or damaged"):
        counter.verify(replace(receipt, seq=2))
    put_back_older_copy(forger, 1)
    with open_record(counter.path) as older:
        assert "its end was cut off" in str(older.verify(receipt).broken)


@pytest.mark.parametrize(
    "values",
    [
        *(None, [], {}, {"record": 5}, {"record": "x", "end": [1]}, {"record": "x", "end": [-1, None]}),
        *({"record": "x", "end": [1, "0"]}, {"record": "x", "end": [0, None], "rows": [5]}),
        *({"record": "x", "end": [0, None], "rows": [{"gone": [2, 1, "0" * 64]}]},),
        *({"record": "x", "end": [0, None], "rows": [{"seq": 1}]},),
        *({"record": "x", "end": [0, None], "rows": [{"colour": 1}]},),
        *({"record": "x", "end": [0, None], "rows": [{}] * 2001},),
        *({"record": "x", "end": [1, "\0" * 64]}, {"record": "x", "end": [1, "\ud800" * 64]}),
    ],
    ids=range(14),
)
def test_what_is_no_batch_is_refused_in_one_sentence(values: object) -> None:
    with pytest.raises(BatchError) as told:
        read_batch(values)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["NUL", "surrogate"])
def test_a_text_that_no_database_holds_is_refused(counter: Record, text: str) -> None:
    row = asdict(next(counter.read()))
    for column in ("stream", "heard", "detail", "chain"):
        with pytest.raises(BatchError, match="was changed"):
            read_batch({"record": "x", "end": [1, "0" * 64], "rows": [{**row, column: text}]})
