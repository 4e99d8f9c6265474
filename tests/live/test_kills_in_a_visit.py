"""Whatever kills the listener, and however often, no `not_heard` comes of it: days that are written, not spoken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.small_counter import IDLE, QUIET, Item, end_of, said, small

from counter_listener.domain import Event, Gap, StreamItem, Tick, Utterance
from counter_listener.judging import CounterState, advance, finish_stream, initial_state
from counter_listener.live import close_open_visit, rebuild_state
from counter_listener.matching import match

TALK = "今天天气真不错我们家楼下的面馆开门了"
"""Words in which nothing of the small counter is found."""
PARTS = ("您好", "请问您办理什么业务", "谢谢", "请慢走", "再见", "我要投诉", "我理解您的心情", "请签字", *[TALK] * 4)
PAUSES = (0.6, 3.0, 15.0, QUIET + 2, 90.0, IDLE + 5)
PACE = 5.0
"""Seconds between the ticks of a day."""

Kill = tuple[float, float, float, bool]
"""When, in seconds into the day; how much the listener had heard but not decided; how long nobody listened; whether the
whole program died, so that a new stream begins.
"""
Accusation = tuple[float, float, str]
"""When the visit opened and closed, in seconds into the day, and the phrase."""


Day = list[tuple[str, float]]
"""What is said at the counter: the words, and the pause before them in seconds."""
DAYS = st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from(PAUSES)), min_size=2, max_size=20)
KILLS = st.lists(
    st.tuples(st.floats(0.0, 1500.0), st.floats(0.0, 4.0), st.sampled_from([0.0, 0.7, 30.0, 400.0]), st.booleans()),
    min_size=1,
    max_size=4,
)


def stream(day: Sequence[Item], since: float, until: float) -> list[StreamItem]:
    """What a listener hears between two moments of the day, with ticks as time passes."""
    items = [one for one in day if isinstance(one, Utterance) and one.start >= since and one.end <= until]
    heard: list[StreamItem] = []
    now = since
    for item in [*items, None]:
        end = item.start if item else until
        while now + PACE < end:
            now += PACE
            heard.append(Tick(now, now))
        heard += [Tick(end, end), *([item] if item else [])]
        now = item.end if item else end
    return heard


class Counter:
    """The record of a counter whose listener is killed, and the one that listens."""

    def __init__(self) -> None:
        self.streams: list[tuple[float, list[Event]]] = [(0.0, [])]
        """Of each stream: the moment of the day at which it began, and what was recorded."""

    @property
    def recorded(self) -> list[Event]:
        return self.streams[-1][1]

    def hear(self, items: Iterable[StreamItem], state: CounterState) -> CounterState:
        for item in match(items, small()):
            state, events = advance(state, item)
            self.recorded.extend(events)
        return state

    def accusations(self) -> set[Accusation]:
        found = set()
        for began, events in self.streams:
            opened = {one.visit: one.at + began for one in events if one.kind == "visit_opened"}
            found |= {
                (round(opened[one.visit], 2), round(one.at + began, 2), str(one.phrase))
                for one in events
                if one.verdict == "not_heard"
            }
        return found


def last_visit(events: Sequence[Event]) -> list[Event]:
    """What the record returns of a stream: its last visit, and its newest row."""
    number = max((event.visit for event in events if event.visit), default=None)
    rows = [event for event in events if event.visit is not None and event.visit == number]
    return rows if not events or (rows and rows[-1] is events[-1]) else [*rows, events[-1]]


def heard_all(day: Sequence[Item], end: float) -> Counter:
    counter = Counter()
    state = counter.hear(stream(day, 0.0, end), initial_state(small().phrases))
    counter.recorded.extend(finish_stream(state)[1])
    return counter


def heard_between(day: Sequence[Item], end: float, kills: Sequence[Kill]) -> Counter:
    """What is recorded of a day on which the listener is killed again and again."""
    counter, state, began, now = Counter(), initial_state(small().phrases), 0.0, 0.0
    for moment, undecided, away, whole_program in sorted(kills):
        until = max(now, moment)
        state = counter.hear(moved(stream(day, now, until), -began), state)
        back = until + away
        if whole_program:
            closing = close_open_visit(last_visit(counter.recorded), small().phrases)
            counter.recorded.extend(closing)
            counter.streams.append((back, []))
            began, state = back, initial_state(small().phrases)
            lost = max(away, 0.001)  # what was recorded last was recorded before
            state = counter.hear([Gap(-lost, lost, "listening began")], state)
        else:
            at = max(0.0, until - began - undecided)
            state = rebuild_state(last_visit(counter.recorded), small().phrases, at)
            state = counter.hear([Gap(state.now, max(0.0, back - began - state.now), "died")], state)
        now = back
    state = counter.hear(moved(stream(day, now, max(now, end)), -began), state)
    counter.recorded.extend(finish_stream(state)[1])
    return counter


def moved(items: Iterable[StreamItem], by: float) -> list[StreamItem]:
    return [_moved(item, by) for item in items]


def _moved(item: StreamItem, by: float) -> StreamItem:
    if isinstance(item, Tick):
        return Tick(item.at + by, item.settled + by)
    assert isinstance(item, Utterance)
    words = tuple(type(word)(word.text, word.start + by, word.end + by) for word in item.words)
    return Utterance(item.start + by, item.end + by, words)


def utterances(day: Day) -> list[Item]:
    items: list[Item] = []
    for text, pause in day:
        items.append(said(text, (end_of(items[-1]) if items else 0.0) + pause))
    return items


TALKED_ON: Day = [("您好", 1.0), *[(TALK, 25.0)] * 6, ("请慢走", 25.0)]
AFTER_FAREWELL: Day = [("您好", 1.0), ("请慢走", 5.0), *[(TALK, 5.0)] * 4, ("请问您办理什么业务", 5.0)]


@settings(max_examples=100)
@given(DAYS, KILLS)
@example(TALKED_ON, [(170.0, 1.0, 0.7, False)])
@example(AFTER_FAREWELL, [(48.0, 1.0, 0.7, False)])
@example(AFTER_FAREWELL, [(48.0, 1.0, 0.7, False), (48.0, 0.0, 0.0, False), (49.0, 0.0, 0.0, True)])
def test_invariant_2_no_kill_adds_a_not_heard(day: Day, kills: list[Kill]) -> None:
    items = utterances(day)
    end = end_of(items[-1]) + 2 * IDLE
    assert heard_between(items, end, kills).accusations() <= heard_all(items, end).accusations()
