"""The bundled phrase set and model, ready once for all tests of a process."""

from __future__ import annotations

from functools import cache

from counter_listener.asr.model_files import find_model
from counter_listener.asr.speech_model import SpeechModel
from counter_listener.judging.loading import load_matcher
from counter_listener.matching.matcher import Matcher
from counter_listener.matching.matching import find_in_utterance
from support.small_counter import said


@cache
def matcher() -> Matcher:
    return load_matcher("bank-counter")[0]


def found(text: str) -> list[str]:
    """Ids of the phrases and offences that the bundled set has in a sentence."""
    findings = find_in_utterance(matcher(), said(text, 0))
    return [hit.owner for hit in (*findings.phrases, *findings.offences)]


@cache
def ears() -> SpeechModel:
    return SpeechModel(find_model("counter-cn"))
