"""Where visits begin and end, and what is settled when."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_counter import FULL, IDLE, QUIET, Item, closed, end_of, events, said, talk, verdicts

from counter_listener.domain.types import Event, Gap, Tick, Utterance

LINES = (
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


def reasons(told: list[Event]) -> list[object]:
    return [event.detail["reason"] for event in closed(told)]


def test_a_full_visit_scores_full_marks_and_ends_with_the_recording() -> None:
    told = events(talk(FULL))
    assert told[0].kind == "visit_opened"
    assert closed(told)[0].score == 100
    assert closed(told)[0].detail["counts"] == {
        "owed": 3, "heard": 3, "not_heard": 0, "unknown": 0,
        "recommended": 0, "forbidden": 0, "broken": 0, "kept": 1, "doubtful": 0,
    }  # fmt: skip
    assert reasons(told) == ["end"]


def test_a_farewell_followed_by_quiet_closes_the_visit() -> None:
    told = events(talk(FULL), until=60)
    last_word = max(end_of(item) for item in talk(FULL))
    assert reasons(told) == ["farewell"]
    assert closed(told)[0].at == round(last_word + QUIET, 3)


def test_quiet_without_a_farewell_does_not_close_the_visit_but_idleness_does() -> None:
    assert reasons(events(talk(FULL[:3]), until=60)) == ["end"]
    told = events(talk(FULL[:3]), until=300)
    assert reasons(told) == ["idle"]
    assert verdicts(told)["goodbye"] == "not_heard"


def test_a_greeting_after_a_farewell_begins_the_next_visit() -> None:
    told = events(talk([*FULL, *FULL]))
    assert reasons(told) == ["new_greeting", "end"]
    assert [event.score for event in closed(told)] == [100, 100]


def test_a_farewell_and_the_next_greeting_in_one_breath_are_two_visits() -> None:
    told = events([*talk(FULL[:4]), said("请慢走您好欢迎光临", 40)])
    assert reasons(told) == ["new_greeting", "end"]
    assert verdicts(told, 1)["goodbye"] == "heard"
    assert verdicts(told, 2)["hello"] == "heard"


def test_the_next_customers_greeting_begins_the_next_visit_and_is_not_the_clerks() -> None:
    told = events([*talk(FULL), said("您好我想取钱", 20, "customer"), said("请问您办理什么业务", 24, "clerk")])
    assert reasons(told) == ["new_greeting", "end"]
    assert verdicts(told, 2)["hello"] == "not_heard"


def test_a_greeting_before_any_farewell_belongs_to_the_same_visit() -> None:
    assert len(closed(events(talk(["您好", "请问您办理什么业务", "您好", "请慢走"])))) == 1


def test_after_a_vague_farewell_somebody_who_stays_keeps_the_visit_open() -> None:
    staying = [*talk(["您好", "再见", "我还想再取一点钱可以吗"]), said("您好", 40)]
    assert len(closed(events(staying, until=50))) == 1


def test_three_visits_one_without_farewell_one_without_greeting() -> None:
    first = talk(FULL)
    second = talk(FULL[:4], at=end_of(first[-1]) + 5)
    third = talk(FULL[1:], at=end_of(second[-1]) + IDLE + 5)
    told = events([*first, *second, *third])
    assert reasons(told) == ["new_greeting", "idle", "end"]
    assert [verdicts(told, number)["goodbye"] for number in (1, 2, 3)] == ["heard", "not_heard", "heard"]
    assert [verdicts(told, number)["hello"] for number in (1, 2, 3)] == ["heard", "heard", "not_heard"]


def test_a_word_a_thanks_or_a_goodbye_from_the_door_is_no_visit() -> None:
    door = [said("好的", 5), said("再见", 200), said("谢谢", 400), said("没有了", 600)]
    assert events(door, until=900) == []
    assert events([said("谢谢", 5, "clerk")], until=300)[0].kind == "visit_opened"


def test_a_goodbye_before_a_greeting_is_no_visit_and_makes_nobody_late() -> None:
    told = events([said("再见", 0), said("嗯好的", 5), *talk(FULL, at=60)])
    assert (len(closed(told)), told[0].at, closed(told)[0].score) == (1, 60, 100)
    assert events([said("谢谢谢谢再见再见谢谢", 0)], until=300) == []


def test_a_gap_early_in_a_recording_that_is_one_visit_may_have_held_the_greeting() -> None:
    told = events([Gap(0, 10, "lost"), *talk(FULL[1:], at=200)], one_visit=True)
    assert verdicts(told)["hello"] == "unknown"


def test_what_was_said_before_a_complaint_does_not_answer_it() -> None:
    told = events(talk([FULL[0], "我理解您的心情", "我要投诉"]))
    assert verdicts(told)["sympathise"] == "not_heard"


def test_speech_without_any_phrase_opens_a_visit_where_it_began() -> None:
    told = events([said("好的", 5), said("今天人不多", 8)], until=500)
    assert (told[0].kind, told[0].at) == ("visit_opened", 5)
    assert verdicts(told) == dict.fromkeys(("hello", "ask-need", "goodbye"), "not_heard")


def test_what_waits_longer_than_idle_is_forgotten() -> None:
    assert events([said("好的好的", 5), said("嗯好的", 300)], until=700) == []


def test_one_visit_takes_the_whole_recording_whatever_is_said() -> None:
    told = events([*talk([*FULL, *FULL]), said("您好", 600)], one_visit=True)
    assert reasons(told) == ["end"]


def test_one_visit_without_any_speech_accuses_nobody() -> None:
    told = events([], until=30, one_visit=True)
    assert set(verdicts(told).values()) == {"unknown"}
    assert closed(told)[0].score is None


def test_a_greeting_after_its_time_is_heard_and_late_and_earns_half() -> None:
    told = events([*talk(FULL[1:4]), *talk([FULL[0], FULL[4]], at=20)])
    hello = next(event for event in told if event.phrase == "hello")
    assert hello.verdict == "heard"
    assert hello.detail["late"] == 5.0
    assert closed(told)[0].score == 75  # weights 2, 1, 1: half of the first is lost


def test_a_long_loss_of_audio_closes_the_visit_as_unknown() -> None:
    told = events([*talk(FULL[:2]), Gap(30, IDLE, "cable pulled"), *talk(FULL[2:], at=160)])
    assert reasons(told) == ["gap", "end"]
    assert "not_heard" not in {*verdicts(told, 1).values(), *verdicts(told, 2).values()}


def test_lost_audio_is_no_quiet() -> None:
    broken = [*talk(FULL[:2]), Gap(70, 5, "cable pulled"), *talk(FULL[2:], at=150)]
    assert reasons(events(broken)) == ["end"]
    assert reasons(events([*talk(FULL[:2]), *talk(FULL[2:], at=150)])) == ["idle", "end"]


def test_what_a_customer_may_have_said_is_neither_praised_nor_blamed() -> None:
    told = events(talk([*FULL[:4], "没有了谢谢再见"]))
    assert verdicts(told)["goodbye"] == "unknown"
    assert verdicts(told)["thanks"] == "unknown"
    assert verdicts(told)["none-left"] == "unknown"
    assert closed(told)[0].score == 100


def test_a_known_voice_is_judged_for_what_it_says() -> None:
    clerk = events([said("您好", 0, "clerk"), said("没有了", 5, "clerk"), said("再见", 9, "clerk")])
    assert verdicts(clerk)["goodbye"] == "heard"
    assert verdicts(clerk)["none-left"] == "forbidden"
    customer = events([said("您好请问您办理什么业务", 0, "clerk"), said("没有了这事不归我管再见", 9, "customer")])
    assert verdicts(customer)["goodbye"] == "not_heard"
    assert not {"none-left", "not-mine"} & set(verdicts(customer))


def test_a_complaint_owes_more_once_it_is_made() -> None:
    assert "sympathise" not in verdicts(events(talk(FULL)))
    told = events(talk([*FULL[:3], "我要投诉", FULL[4]]))
    assert verdicts(told)["complaint"] == "heard"
    assert verdicts(told)["sympathise"] == "not_heard"
    assert verdicts(events([said("我要投诉你办不了", 3, "clerk")])).get("complaint") is None


def test_offences_cost_points_and_never_go_below_nothing() -> None:
    told = events(talk([FULL[0], *["这事不归我管"] * 6]))
    assert closed(told)[0].score == 0
    assert closed(told)[0].detail["counts"]["forbidden"] == 6  # type: ignore[index]


def test_an_accusation_right_beside_lost_audio_is_unknown() -> None:
    torn = said("在这里签字", 8)
    told = events([said("您好", 1), Utterance(torn.start, torn.end, torn.words, near_gap=True)])
    assert verdicts(told)["request-please"] == "unknown"


spoken = st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from([0.5, 3.0, 8.0, 25.0, 130.0])), max_size=12)


def placed(lines: list[tuple[str, float]]) -> list[Item]:
    items: list[Item] = []
    for text, pause in lines:
        items.append(said(text, (end_of(items[-1]) if items else 0.0) + pause))
    return items


@settings(max_examples=150, deadline=None)
@given(spoken)
def test_invariant_3_one_verdict_for_each_owed_phrase_and_time_never_goes_back(lines: list[tuple[str, float]]) -> None:
    told = events(placed(lines), until=1000)
    times = [event.at for event in told]
    assert times == sorted(times)
    for number, close in enumerate(closed(told), start=1):
        owed = ["hello", "ask-need", "goodbye", *["sympathise"] * len(close.detail["scenarios"])]  # type: ignore[arg-type]
        settled = [event.phrase for event in told if event.visit == number and event.kind == "phrase"]
        assert all(settled.count(phrase) == 1 for phrase in owed)
        assert len(settled) == len(set(settled))
        assert close.score is None or 0 <= close.score <= 100


@settings(max_examples=250, deadline=None)
@given(spoken, st.floats(0, 300), st.floats(0.1, 200))
def test_invariant_2_lost_audio_never_adds_a_not_heard(
    lines: list[tuple[str, float]], start: float, seconds: float
) -> None:
    whole = placed(lines)
    end = max([0.0, *map(end_of, whole)])
    start = min(start, end)
    gap = Gap(start, seconds, "lost")
    before = [item for item in whole if end_of(item) <= start]
    after = [item for item in whole if not isinstance(item, Tick) and item.start >= start + seconds]
    lossy = events([*before, gap, *after], until=1000)
    assert count(lossy) <= count(events(whole, until=1000))


def count(told: list[Event]) -> int:
    return sum(event.verdict == "not_heard" for event in told)


@settings(max_examples=60, deadline=None)
@given(spoken, st.integers(1, 40))
def test_events_do_not_depend_on_how_often_time_is_told(lines: list[tuple[str, float]], every: int) -> None:
    whole = placed(lines)
    assert events(denser(whole, every / 10), until=1000) == events(whole, until=1000)


def denser(items: list[Item], step: float) -> list[Item]:
    """The same items with a tick every `step` seconds between them."""
    out: list[Item] = []
    at = 0.0
    for item in items:
        start = item.at if isinstance(item, Tick) else item.start
        while at < start:
            out.append(Tick(at, at))
            at += step
        out.append(item)
        at = max(at, end_of(item))
    return out
