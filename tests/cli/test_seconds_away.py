"""How long nobody listened before a stream begins, by the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from support.record_cases import NOW, live, visit_events

from counter_listener.cli.listener_process import LEAST_AWAY, SHIFT, seconds_away
from counter_listener.record import open_record


def test_a_stream_within_a_shift_of_the_last_row_is_a_restart(tmp_path: Path) -> None:
    assert seconds_away(None, "1", NOW) == 0
    with open_record(tmp_path / "events.db") as record:
        assert seconds_away(record, "1", NOW) == 0
        record.append(visit_events(1), replace(live(), counter="1"), NOW)
        assert seconds_away(record, "1", NOW) == LEAST_AWAY
        assert seconds_away(record, "1", NOW + timedelta(minutes=5)) == 300
        assert seconds_away(record, "2", NOW + timedelta(minutes=5)) == 0
        assert seconds_away(record, "1", NOW + timedelta(seconds=SHIFT)) == 0
