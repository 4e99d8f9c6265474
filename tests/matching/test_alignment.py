"""Alignment of a wording: the shortcuts change no result."""

from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_counter import said, small

from counter_listener.matching.alignment import OTHER_CHARACTER_COST, CostCache, align
from counter_listener.matching.confusion import similar_syllables
from counter_listener.matching.syllables import to_syllables

TEXTS = st.text(alphabet="您好你号请问清文办理里半什么业务欢迎光临慢走再见建一下嗯啊的行银", min_size=1, max_size=25)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(0, 24), st.floats(0, 4))
def test_a_largest_cost_loses_no_alignment_within_it_and_changes_none(text: str, begin: int, max_cost: float) -> None:
    syllables = to_syllables(said(text), 0.4)
    begin = min(begin, len(syllables) - 1)
    for pattern in small().patterns:
        full = align(pattern, syllables, begin, len(syllables), {})
        pruned = align(pattern, syllables, begin, len(syllables), {}, max_cost)
        reached = full is not None and full.cost + OTHER_CHARACTER_COST * len(pattern.sounds) <= max_cost
        assert pruned == full or (pruned is None and not reached)


@settings(max_examples=50, deadline=None)
@given(TEXTS, TEXTS)
def test_a_shared_cache_changes_nothing(text: str, more: str) -> None:
    syllables = to_syllables(said(text + more), 0.4)
    cache: CostCache = {}
    for begin, end in ((0, len(syllables)), (len(text) // 2, len(syllables)), (0, max(1, len(text) // 2))):
        for pattern in small().patterns:
            assert align(pattern, syllables, begin, end, cache) == align(pattern, syllables, begin, end, {})


def test_a_cache_holds_the_substitution_cost_of_each_unit() -> None:
    syllables = to_syllables(said("您号行"), 0.4)
    cache: CostCache = {}
    for pattern in small().patterns:
        align(pattern, syllables, 0, len(syllables), cache)
    for (wanted, unit, mismatch), costs in cache.items():
        for sound, heard, cost in zip(syllables.sounds, syllables.units, costs, strict=True):
            other = min(mismatch, similar_syllables(wanted).get(sound, inf) + OTHER_CHARACTER_COST)
            assert cost == (0.0 if not wanted or heard == unit else other)
