"""Reviews as labels: only of recordings that were looked at to their end, and with what reviewers changed."""

from __future__ import annotations

from pathlib import Path

from support.record_cases import NOW
from support.review_cases import CURT, RUDE, add_visit, history_of, row_with, sets

from counter_listener.domain import Verdict
from counter_listener.evaluation import Detection, LabelledPhrase, count
from counter_listener.record import ReviewRequest, labelled_recordings, review
from counter_listener.record.store import Record, open_record


def overturn(record: Record, visit: str, said: str, to: Verdict, reason: str) -> str:
    row = row_with(record, visit, said)
    last = history_of(record, visit).last
    review(record, ReviewRequest(visit, "overturn", "anna", last, row.uid, to, reason=reason), NOW, sets())
    return row.phrase or ""


def finish(record: Record, visit: str) -> None:
    review(record, ReviewRequest(visit, "uphold", "anna", history_of(record, visit).last), NOW, sets())


def test_a_recording_is_labelled_once_its_visit_was_looked_at_to_its_end(tmp_path: Path) -> None:
    with open_record(tmp_path / "record.db") as record:
        first, second = add_visit(record, 1, RUDE), add_visit(record, 2, CURT)
        missed = overturn(record, second, "not_heard", "heard", "said_otherwise")
        assert record.query(labelled_recordings) == []
        finish(record, second)
        (found,) = record.query(labelled_recordings)
        assert (found.path, found.seconds) == ("/recordings/2.wav", 90.0)
        owed = {said.id: said for said in found.said if not said.optional}
        heard = {row.phrase: row for row in record.read(visit=second) if row.verdict == "heard" and row.stage}
        assert set(owed) == {*heard, missed}
        assert owed[missed].end - owed[missed].start > 3, "nobody said when: anywhere in the visit"
        finish(record, first)
        assert len(record.query(labelled_recordings)) == 2


def test_what_was_misheard_is_a_false_alarm_and_what_a_customer_said_is_none(tmp_path: Path) -> None:
    with open_record(tmp_path / "record.db") as record:
        visits = [add_visit(record, number, RUDE) for number in range(2)]
        offence = overturn(record, visits[0], "forbidden", "not_heard", "misheard")
        overturn(record, visits[1], "forbidden", "not_heard", "other_speaker")
        for visit in visits:
            finish(record, visit)
        row = row_with(record, visits[0], "forbidden")
        detection = Detection(offence, row.at, row.at + 1)
        alarms = []
        for found in record.query(labelled_recordings):
            labels = [LabelledPhrase(said.id, said.start, said.end, said.optional) for said in found.said]
            alarms.append(count(labels, [detection])[offence].false_alarms)
        assert alarms == [1, 0]
