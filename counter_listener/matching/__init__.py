"""Finds the templates of a phrase set in utterances, by sound.
In: a stream of utterances, gaps and ticks, and a phrase set.
Out: the same stream, each utterance with its findings: phrases, offences, courtesy words, triggers, rules.
"""

from counter_listener.matching.confusion import FITTED, fitted, syllable_distance, word_class
from counter_listener.matching.contexts import context_window, contexts_for, frame_of, overlaps_window
from counter_listener.matching.matcher import Matcher, matcher_of, prepare_matcher, with_cache
from counter_listener.matching.matching import continues, find_in_utterance, match, search_candidates
from counter_listener.matching.scoring import Candidate, shares, threshold
from counter_listener.matching.syllables import UNALIGNED, Alignment, Step, Syllables, to_syllables
