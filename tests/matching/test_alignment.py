"""Aligning a wording: giving up early loses nothing that counts."""

from __future__ import annotations

from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_counter import said, small

from counter_listener.matching.alignment import OTHER_CHARACTER, CostCache, align
from counter_listener.matching.confusion import similar_syllables
from counter_listener.matching.syllables import to_syllables

TEXTS = st.text(alphabet="您好你号请问清文办理里半什么业务欢迎光临慢走再见建一下嗯啊的行银", min_size=1, max_size=25)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(0, 24), st.floats(0, 4))
def test_giving_up_early_loses_no_place_within_the_most_and_changes_none(text: str, begin: int, most: float) -> None:
    spoken = to_syllables(said(text, 0), 0.4)
    begin = min(begin, len(spoken) - 1)
    for pattern in small().patterns:
        whole = align(pattern, spoken, begin, len(spoken), {})
        pruned = align(pattern, spoken, begin, len(spoken), {}, most)
        reached = whole is not None and whole.cost + OTHER_CHARACTER * len(pattern.sounds) <= most
        assert pruned == whole or (pruned is None and not reached)


@settings(max_examples=50, deadline=None)
@given(TEXTS, TEXTS)
def test_a_memory_of_costs_shared_by_wordings_and_stretches_changes_nothing(text: str, more: str) -> None:
    spoken = to_syllables(said(text + more, 0), 0.4)
    shared: CostCache = {}
    for begin, end in ((0, len(spoken)), (len(text) // 2, len(spoken)), (0, max(1, len(text) // 2))):
        for pattern in small().patterns:
            assert align(pattern, spoken, begin, end, shared) == align(pattern, spoken, begin, end, {})


def test_a_memory_of_costs_holds_what_each_unit_costs_as_a_partner() -> None:
    spoken = to_syllables(said("您号行", 0), 0.4)
    shared: CostCache = {}
    for pattern in small().patterns:
        align(pattern, spoken, 0, len(spoken), shared)
    for (wanted, unit, most), costs in shared.items():
        for sound, written, cost in zip(spoken.sounds, spoken.units, costs, strict=True):
            other = min(most, similar_syllables(wanted).get(sound, inf) + OTHER_CHARACTER)
            assert cost == (0.0 if not wanted or written == unit else other)
