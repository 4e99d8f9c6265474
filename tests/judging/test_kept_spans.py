"""Which seconds of a visit are kept: around the words, or when they were due, joined where they overlap."""

from __future__ import annotations

from collections.abc import Sequence

from support.small_counter import events, small, talk

from counter_listener.domain import ClipKeep, Event
from counter_listener.judging import ClipSpan, clip_spans
from counter_listener.judging.kept_spans import LONGEST_WINDOW

RUDE = ["您好", "请问您办理什么业务", "这事不归我管", "请慢走"]


def spans(found: Sequence[Event], keep: ClipKeep, before: float = 3.0, after: float = 2.0) -> list[ClipSpan]:
    by_uid = {f"u:{number}": event for number, event in enumerate(found, 1)}
    return clip_spans(by_uid, small().phrases, keep, before, after)


def of(found: Sequence[Event], span: ClipSpan) -> set[str | None]:
    return {found[int(uid.partition(":")[2]) - 1].phrase for uid in span.verdicts}


def test_an_offence_is_kept_with_the_seconds_around_it() -> None:
    found = events(talk(RUDE))
    offence = next(event for event in found if event.kind == "forbidden")
    for keep in ("offences", "questioned"):
        kept = [span for span in spans(found, keep) if "not-mine" in of(found, span)]
        assert [(span.start, span.end) for span in kept] == [
            (max(0.0, offence.at - 3.0), offence.detail["end"] + 2.0)  # type: ignore[operator]
        ]
    assert len(spans(found, "offences")) == 1


def test_nothing_is_kept_where_nothing_is_in_question_or_asked_for() -> None:
    found = events(talk(["您好", "请问您办理什么业务", "请慢走"]))
    assert {event.verdict for event in found if event.verdict} == {"heard"}
    assert spans(found, "questioned") == []
    assert spans(found, "none") == []
    assert spans(found[:-1], "all") == [], "an open visit is not settled"
    [one] = spans(found, "all", before=60.0)
    assert (one.start, len(one.verdicts)) == (0.0, 4), "what overlaps is one clip"


def test_what_was_not_heard_is_kept_when_it_was_due() -> None:
    said = talk(["请问您办理什么业务", "我想取两万块钱"])
    found = events(said, until=300)
    missed = {event.phrase for event in found if event.verdict == "not_heard"}
    kept = spans(found, "questioned", 0.0, 0.0)
    assert set[str | None]().union(*(of(found, span) for span in kept)) == missed
    assert missed
    assert all(span.end - span.start <= LONGEST_WINDOW for span in kept)
    close = found[-1]
    assert max(span.end for span in kept) <= float(str(close.detail["opened"])) + float(str(close.detail["seconds"]))


def test_talk_that_was_no_service_is_never_kept() -> None:
    found = events(talk(["今天天气真不错我们中午吃什么呢", "我也不知道随便吃点吧好不好呀"] * 2), until=300)
    closing = [event for event in found if event.kind == "visit_closed"]
    assert all(event.detail["outcome"] == "no_service" for event in closing)
    assert spans(found, "all") == []
