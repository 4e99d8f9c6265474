"""The phrase sets and the model that ship with the program, loaded once for all tests of a process."""

from __future__ import annotations

from functools import cache

from counter_listener.asr import SpeechModel, find_model
from counter_listener.judging import load_matcher
from counter_listener.matching import Matcher, find_in_utterance
from support.small_counter import said


@cache
def matcher(name: str = "bank-counter") -> Matcher:
    """The matcher of a bundled phrase set; `test_phrase_sets` tests its examples."""
    return load_matcher(name, proven=False)[0]


def found(text: str) -> list[str]:
    """Ids of the phrases and offences that the set bank-counter has in a sentence."""
    findings = find_in_utterance(matcher(), said(text))
    return [hit.owner for hit in (*findings.phrases, *findings.offences)]


@cache
def model() -> SpeechModel:
    """The model counter-cn."""
    return SpeechModel(find_model("counter-cn"))
