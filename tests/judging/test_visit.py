"""Where visits begin and end, and which verdicts they get."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_counter import (
    FULL,
    IDLE,
    QUIET,
    SMALL,
    Item,
    closed,
    end_of,
    events,
    matcher_of,
    said,
    small,
    talk,
    verdicts,
)

from counter_listener.domain import Event, Gap, StreamItem, Tick, VisitToggle
from counter_listener.pipeline import judge_events, with_ticks

SENTENCES = (
    *FULL,
    "您好",
    "再见",
    "谢谢",
    "好的",
    "没有了",
    "这事不归我管",
    "在这里签字",
    "我要投诉",
    "今天天气不错我们走吧",
)


def reasons(recorded: list[Event]) -> list[object]:
    """Why each visit closed."""
    return [event.detail["reason"] for event in closed(recorded)]


ASIDES = (
    SMALL
    + """
[[aside]]
id = "telephone"
say = ["您哪位", "我在上班呢"]
[[aside]]
id = "call-back"
recalls = true
say = ["您的卡忘拿了"]
"""
)


def beside(items: Iterable[Item], until: float = 0.0, toml: str = ASIDES) -> list[Event]:
    """The events at a counter whose phrase set knows what is said beside a service."""
    return list(judge_events(with_ticks(items, until), matcher_of(toml)))


def outcomes(recorded: Iterable[Event]) -> list[object]:
    return [event.detail["outcome"] for event in closed(recorded)]


def test_a_telephone_call_with_a_greeting_is_no_service_and_one_in_a_visit_changes_nothing() -> None:
    call = ["您好", "您哪位", "今天天气不错我们走吧"]
    assert outcomes(events(talk(call), until=300)) == ["complete"]
    assert outcomes(beside(talk(call), 300)) == ["no_service"]
    found = beside(talk([*FULL[:3], "我在上班呢", *FULL[3:]]), 300)
    assert (outcomes(found), closed(found)[0].score) == (["complete"], 100)
    assert not [event for event in found if event.phrase == "telephone"]


def test_an_aside_opens_no_visit() -> None:
    assert beside([said("您哪位", 5)], 300) == []


def test_a_customer_who_is_called_back_is_one_visit() -> None:
    at_once = [*talk(FULL), said("您好您的卡忘拿了", 20), said("请慢走", 24)]
    assert len(closed(events(at_once, until=300))) == 2
    assert len(closed(beside(at_once, 300))) == 1
    later = [*talk(FULL), said("您好您的卡忘拿了", 60), said("请慢走", 64)]
    assert len(closed(events(later, until=300))) == 2
    assert len(closed(beside(later, 300))) == 1
    next_one = [*talk(FULL), *talk(FULL, at=60)]
    assert outcomes(beside(next_one, 300)) == ["complete", "complete"]


def test_a_phrase_set_says_what_proves_a_service() -> None:
    chat = talk(["请你帮我看一下这张单子", "今天天气不错我们走吧"])
    assert outcomes(events(chat, until=300)) == ["no_service"]
    easy = SMALL.replace("[slots]", "[visit.service]\nleast = 1\n[slots]", 1)
    assert outcomes(beside(chat, 300, easy)) == ["complete"]


def test_a_full_visit_scores_full_marks_and_ends_with_the_recording() -> None:
    found = events(talk(FULL))
    assert found[0].kind == "visit_opened"
    assert closed(found)[0].score == 100
    assert closed(found)[0].detail["counts"] == {
        "owed": 3, "heard": 3, "not_heard": 0, "unknown": 0,
        "recommended": 0, "forbidden": 0, "broken": 0, "kept": 1, "doubtful": 0,
    }  # fmt: skip
    assert reasons(found) == ["end"]


def test_a_farewell_followed_by_quiet_closes_the_visit() -> None:
    found = events(talk(FULL), until=60)
    last_word = max(end_of(item) for item in talk(FULL))
    assert reasons(found) == ["farewell"]
    assert closed(found)[0].at == round(last_word + QUIET, 3)


def test_quiet_without_a_farewell_does_not_close_the_visit_but_idleness_does() -> None:
    assert reasons(events(talk(FULL[:3]), until=60)) == ["end"]
    found = events(talk(FULL[:3]), until=300)
    assert reasons(found) == ["idle"]
    assert verdicts(found)["goodbye"] == "not_heard"


def test_a_greeting_after_a_farewell_begins_the_next_visit() -> None:
    found = events(talk([*FULL, *FULL]))
    assert reasons(found) == ["new_greeting", "end"]
    assert [event.score for event in closed(found)] == [100, 100]


def test_a_farewell_and_the_next_greeting_in_one_utterance_are_two_visits() -> None:
    found = events([*talk(FULL[:4]), said("请慢走您好欢迎光临", 40)])
    assert reasons(found) == ["new_greeting", "end"]
    assert verdicts(found, 1)["goodbye"] == "heard"
    assert verdicts(found, 2)["hello"] == "heard"


def test_the_next_customers_greeting_begins_the_next_visit_but_does_not_count_for_the_clerk() -> None:
    found = events([*talk(FULL), said("您好我想取钱", 20, "customer"), said("请问您办理什么业务", 24, "clerk")])
    assert reasons(found) == ["new_greeting", "end"]
    assert verdicts(found, 2)["hello"] == "not_heard"


def test_a_greeting_before_any_farewell_belongs_to_the_same_visit() -> None:
    assert len(closed(events(talk(["您好", "请问您办理什么业务", "您好", "请慢走"])))) == 1


def test_after_a_shared_farewell_a_customer_who_stays_keeps_the_visit_open() -> None:
    staying = [*talk(["您好", "再见", "我还想再取一点钱可以吗"]), said("您好", 40)]
    assert len(closed(events(staying, until=50))) == 1


def test_three_visits_one_without_farewell_one_without_greeting() -> None:
    first = talk(FULL)
    second = talk(FULL[:4], at=end_of(first[-1]) + 5)
    third = talk(FULL[1:], at=end_of(second[-1]) + IDLE + 5)
    found = events([*first, *second, *third])
    assert reasons(found) == ["new_greeting", "idle", "end"]
    assert [verdicts(found, number)["goodbye"] for number in (1, 2, 3)] == ["heard", "not_heard", "heard"]
    assert [verdicts(found, number)["hello"] for number in (1, 2, 3)] == ["heard", "heard", "not_heard"]


def test_a_word_thanks_or_a_goodbye_alone_does_not_open_a_visit() -> None:
    door = [said("好的", 5), said("再见", 200), said("谢谢", 400), said("没有了", 600)]
    assert events(door, until=900) == []
    assert events([said("谢谢", 5, "clerk")], until=300)[0].kind == "visit_opened"


def test_a_goodbye_before_a_greeting_does_not_open_a_visit_and_makes_nothing_late() -> None:
    found = events([said("再见", 0), said("嗯好的", 5), *talk(FULL, at=60)])
    assert (len(closed(found)), found[0].at, closed(found)[0].score) == (1, 60, 100)
    assert events([said("谢谢谢谢再见再见谢谢", 0)], until=300) == []


def test_an_early_gap_in_a_recording_of_one_visit_makes_the_greeting_unknown() -> None:
    found = events([Gap(0, 10, "lost"), *talk(FULL[1:], at=200)], one_visit=True)
    assert verdicts(found)["hello"] == "unknown"


def test_the_start_of_listening_excuses_nothing_of_a_visit_that_was_heard_from_its_first_word() -> None:
    began = Gap(0.0, 0.0, "listening began")
    found = events([began, *talk(FULL[:4], at=10)], until=300)
    assert verdicts(found)["goodbye"] == "not_heard"
    assert closed(found)[0].detail["outcome"] == "complete"
    assert not closed(found)[0].detail["lost_audio"]


def test_a_visit_that_was_under_way_when_listening_began_is_excused_and_the_next_is_not() -> None:
    began = Gap(0.0, 0.0, "listening began")
    found = events([began, *talk(FULL[1:], at=2), *talk([*FULL[1:3], "请慢走"], at=50)], until=200)
    assert verdicts(found, 1)["hello"] == "unknown"
    assert verdicts(found, 2)["hello"] == "not_heard"


def test_lost_audio_excuses_a_visit_that_begins_with_a_greeting() -> None:
    found = events([Gap(0.0, 5.0, "lost"), *talk(FULL[:4], at=10)], until=300)
    assert verdicts(found)["goodbye"] == "unknown"
    again = events([Gap(0.0, 0.0, "listening began"), Gap(5.0, 0.0, "lost"), *talk(FULL[:4], at=10)], until=300)
    assert verdicts(again)["goodbye"] == "unknown"


def test_a_phrase_before_the_complaint_does_not_answer_it() -> None:
    found = events(talk([FULL[0], "我理解您的心情", "我要投诉"]))
    assert verdicts(found)["sympathise"] == "not_heard"


def test_speech_without_any_phrase_opens_a_visit_where_it_began() -> None:
    found = events([said("好的", 5), said("今天人不多", 8)], until=500)
    assert (found[0].kind, found[0].at) == ("visit_opened", 5)
    assert verdicts(found) == dict.fromkeys(("hello", "ask-need", "goodbye"), "unknown")


def test_speech_too_short_for_a_visit_is_forgotten_after_the_idle_time() -> None:
    assert events([said("好的好的", 5), said("嗯好的", 300)], until=700) == []


def test_with_one_visit_the_whole_recording_is_one_visit() -> None:
    found = events([*talk([*FULL, *FULL]), said("您好", 600)], one_visit=True)
    assert reasons(found) == ["end"]


def test_one_visit_without_speech_is_unknown() -> None:
    found = events([], until=30, one_visit=True)
    assert set(verdicts(found).values()) == {"unknown"}
    assert closed(found)[0].score is None


def test_a_late_greeting_is_heard_and_earns_half() -> None:
    found = events([*talk(FULL[1:4]), *talk([FULL[0], FULL[4]], at=20)])
    hello = next(event for event in found if event.phrase == "hello")
    assert hello.verdict == "heard"
    assert hello.detail["late"] == 5.0
    assert closed(found)[0].score == 75  # weights 2, 1, 1: half of the first is lost


def test_a_long_loss_of_audio_closes_the_visit_as_unknown() -> None:
    found = events([*talk(FULL[:2]), Gap(30, IDLE, "cable pulled"), *talk(FULL[2:], at=160)])
    assert reasons(found) == ["gap", "end"]
    assert "not_heard" not in {*verdicts(found, 1).values(), *verdicts(found, 2).values()}


def test_lost_audio_does_not_count_as_quiet() -> None:
    broken = [*talk(FULL[:2]), Gap(70, 5, "cable pulled"), *talk(FULL[2:], at=150)]
    assert reasons(events(broken)) == ["end"]
    assert reasons(events([*talk(FULL[:2]), *talk(FULL[2:], at=150)])) == ["idle", "end"]


def test_what_is_lost_beside_other_sound_accuses_nobody_and_ends_nothing() -> None:
    twice = [*talk(FULL[1:]), *talk(FULL[1:], at=400)]
    alone = events(twice, until=900)
    assert [verdicts(alone, visit)["hello"] for visit in (1, 2)] == ["not_heard"] * 2
    beside = events([Gap(0, 900, "lost", beside=True), *twice], until=900)
    assert beside[0].detail == {"seconds": 900, "reason": "lost", "beside": True}
    assert [verdicts(beside, visit)["hello"] for visit in (1, 2)] == ["unknown"] * 2
    assert reasons(beside) == reasons(alone)
    assert [event.at for event in beside if event.verdict == "heard"] == [
        event.at for event in alone if event.verdict == "heard"
    ]
    early = events([Gap(0, 30, "lost", beside=True), *twice], until=900)
    assert [verdicts(early, visit)["hello"] for visit in (1, 2)] == ["unknown", "not_heard"]


def test_what_a_customer_may_have_said_is_unknown() -> None:
    found = events(talk([*FULL[:4], "没有了，谢谢，再见"]))
    assert verdicts(found)["goodbye"] == "unknown"
    assert verdicts(found)["thanks"] == "unknown"
    assert verdicts(found)["none-left"] == "unknown"
    told = closed(found)[0]
    assert (told.score, told.detail["grade"], told.detail["passed"]) == (None, None, None)
    assert told.detail["outcome"] == "incomplete"


def test_a_known_speaker_is_judged_by_role() -> None:
    clerk = events([said("您好", 0, "clerk"), said("没有了", 5, "clerk"), said("再见", 9, "clerk")])
    assert verdicts(clerk)["goodbye"] == "heard"
    assert verdicts(clerk)["none-left"] == "forbidden"
    customer = events([said("您好请问您办理什么业务", 0, "clerk"), said("没有了这事不归我管再见", 9, "customer")])
    assert verdicts(customer)["goodbye"] == "not_heard"
    assert not {"none-left", "not-mine"} & set(verdicts(customer))


def test_a_complaint_adds_owed_phrases() -> None:
    assert "sympathise" not in verdicts(events(talk(FULL)))
    found = events(talk([*FULL[:3], "我要投诉", FULL[4]]))
    assert verdicts(found)["complaint"] == "heard"
    assert verdicts(found)["sympathise"] == "not_heard"
    assert verdicts(events([said("我要投诉你办不了", 3, "clerk")])).get("complaint") is None


def test_offences_cost_points_down_to_zero() -> None:
    found = events(talk([FULL[0], *["这事不归我管"] * 6]))
    assert closed(found)[0].score == 0
    assert closed(found)[0].detail["counts"]["forbidden"] == 6  # type: ignore[index]


def test_a_broken_rule_next_to_lost_audio_is_unknown() -> None:
    found = events([said("您好", 1), replace(said("在这里签字", 8), near_gap=True)])
    assert verdicts(found)["request-please"] == "unknown"


def test_a_person_closes_the_open_visit_and_opens_the_next() -> None:
    toggled: list[StreamItem] = [*talk(FULL[:2]), VisitToggle(30), VisitToggle(40), said("请慢走", 45)]
    found = list(judge_events(toggled, small()))
    assert reasons(found) == ["hand", "end"]
    opened = [(event.at, event.detail) for event in found if event.kind == "visit_opened"]
    assert opened == [(0, {}), (40, {"by_hand": True})]


sentences = st.lists(st.tuples(st.sampled_from(SENTENCES), st.sampled_from([0.5, 3.0, 8.0, 25.0, 130.0])), max_size=12)
"""Sentences, each with the pause before it in seconds."""


def spoken(lines: list[tuple[str, float]]) -> list[Item]:
    items: list[Item] = []
    for text, pause in lines:
        items.append(said(text, (end_of(items[-1]) if items else 0.0) + pause))
    return items


@settings(max_examples=150)
@given(sentences, st.lists(st.tuples(st.floats(0, 1000), st.floats(0.1, 200), st.booleans()), max_size=3))
def test_invariant_3_each_owed_phrase_has_one_verdict_and_event_times_never_go_back(
    lines: list[tuple[str, float]], losses: list[tuple[float, float, bool]]
) -> None:
    items: list[Item] = [*spoken(lines), *(Gap(start, seconds, "lost", beside) for start, seconds, beside in losses)]
    found = events(sorted(items, key=lambda item: item.start), until=1000)
    times = [event.at for event in found]
    assert times == sorted(times)
    for number, close in enumerate(closed(found), start=1):
        owed = ["hello", "ask-need", "goodbye", *["sympathise"] * len(close.detail["scenarios"])]  # type: ignore[arg-type]
        settled = [event.phrase for event in found if event.visit == number and event.kind == "phrase"]
        assert all(settled.count(phrase) == 1 for phrase in owed)
        assert len(settled) == len(set(settled))
        assert close.score is None or 0 <= close.score <= 100


@settings(max_examples=250)
@given(sentences, st.floats(0, 300), st.floats(0.1, 200), st.booleans())
def test_invariant_2_lost_audio_never_adds_a_not_heard(
    lines: list[tuple[str, float]],
    start: float,
    seconds: float,
    beside: bool,  # noqa: FBT001
) -> None:
    whole = spoken(lines)
    start = min(start, max([0.0, *map(end_of, whole)]))
    kept = [item for item in whole if beside or end_of(item) <= start or item.start >= start + seconds]
    lossy = events(sorted([Gap(start, seconds, "lost", beside), *kept], key=lambda item: item.start), until=1000)
    assert not_heard(lossy) <= not_heard(events(whole, until=1000))


def not_heard(found: list[Event]) -> int:
    return sum(event.verdict == "not_heard" for event in found)


@settings(max_examples=60)
@given(sentences, st.integers(1, 40))
def test_events_do_not_depend_on_the_number_of_ticks(lines: list[tuple[str, float]], every: int) -> None:
    whole = spoken(lines)
    dense = with_more_ticks(with_ticks(whole, 1000), every / 10)
    assert list(judge_events(dense, small())) == events(whole, until=1000)


def with_more_ticks(items: Iterable[StreamItem], step: float) -> Iterator[StreamItem]:
    """The same items, and a tick every `step` seconds before the first tick that is due later."""
    at = 0.0
    for item in items:
        if isinstance(item, Tick):
            while at < item.at:
                yield Tick(at, at)
                at += step
        yield item
        if not isinstance(item, Tick | VisitToggle):
            at = max(at, end_of(item))
