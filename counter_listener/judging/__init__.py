"""ROOM"""

from counter_listener.judging.comparison import Flip, flips
from counter_listener.judging.examples import failures, sentence, unheard_wordings
from counter_listener.judging.explain import Asked, Column, Explanation, explain
from counter_listener.judging.loading import load_phrases
from counter_listener.judging.verdicts import Visit
from counter_listener.judging.visit import Counter, advance, begin, end, judge, telling

__all__ = [
    "Asked",
    "Column",
    "Counter",
    "Explanation",
    "Flip",
    "Visit",
    "advance",
    "begin",
    "end",
    "explain",
    "failures",
    "flips",
    "judge",
    "load_phrases",
    "sentence",
    "telling",
    "unheard_wordings",
]
