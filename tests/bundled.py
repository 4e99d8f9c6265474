"""The bundled phrase set and model, ready once for all tests of a process."""

from __future__ import annotations

from functools import cache

from small_counter import said

from counter_listener.asr.model_files import find_model
from counter_listener.asr.speech_model import Ears
from counter_listener.judging.loading import load_phrases
from counter_listener.matching.matcher import Matcher
from counter_listener.matching.matching import find


@cache
def matcher() -> Matcher:
    return load_phrases("bank-counter")[0]


def found(text: str) -> list[str]:
    """Ids of the phrases and offences that the bundled set has in a sentence."""
    findings = find(matcher(), said(text, 0))
    return [hit.owner for hit in (*findings.phrases, *findings.offences)]


@cache
def ears() -> Ears:
    return Ears(find_model("counter-cn"))
