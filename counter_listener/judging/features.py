"""What people call the features of the score, wherever an explanation is shown."""

from typing import Final

from counter_listener.domain import N_

FEATURES: Final = {
    "bias": N_("chance"),
    "evidence": N_("evidence of the syllables"),
    "share": N_("share of the sentence"),
    "missing": N_("evidence that is missing"),
    "choices": N_("many ways to say it"),
    "alike": N_("written otherwise"),
    "alike_plain": N_("another word that sounds alike"),
    "unlike": N_("wrong syllables"),
    "unlike_plain": N_("another word"),
    "lost": N_("lost syllables"),
    "inserted": N_("syllables too many"),
    "edges": N_("beginning or end missing"),
    "open": N_("clause goes on"),
    "crossing": N_("part of a longer word"),
    "pauses": N_("pauses inside"),
    "confidence": N_("uncertain recognition"),
    "courtesy": N_("courtesy missing"),
    "slots": N_("has a slot"),
    "odd": N_("poorly recognised"),
    "expected": N_("after another phrase"),
}
"""The features of the score, by name."""
