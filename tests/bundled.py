"""The bundled phrase set and model, ready once for all tests of a process."""

from __future__ import annotations

from functools import cache

from counter_listener.batch import Ears
from counter_listener.matcher import Matcher, prepare
from counter_listener.models import find_model
from counter_listener.phrases import find_phrase_set, read_phrase_set


@cache
def matcher() -> Matcher:
    return prepare(read_phrase_set(find_phrase_set("bank-counter"))[0])


@cache
def ears() -> Ears:
    return Ears(find_model("counter-cn"))
