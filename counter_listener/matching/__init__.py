"""Finds the wordings of a phrase set in utterances, by sound.
In: a stream of utterances, gaps and ticks, and a phrase set.
Out: the same stream, each utterance with its findings: phrases, offences, courtesy words, triggers, rules.
"""

from counter_listener.matching.alignment import UNALIGNED, align
from counter_listener.matching.matcher import Matcher, prepare_matcher, with_cache
from counter_listener.matching.matching import (
    context_window,
    contexts_for,
    continues,
    find_in_utterance,
    match,
    overlaps_window,
)
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.scoring import Candidate, score_alignment
from counter_listener.matching.search import is_admissible, search_candidates
from counter_listener.matching.syllables import Syllables, to_syllables
from counter_listener.matching.vetoes import missing_courtesies, with_optional_spans
