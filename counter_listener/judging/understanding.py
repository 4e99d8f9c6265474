"""How much of the sound of a visit was understood, and whether that is enough to judge it. Pure.

The figures were measured with the bundled model: bench/understood.py, bench/RESULTS.md.
"""

from dataclasses import dataclass
from typing import Final

from counter_listener.domain import N_, MatchedUtterance, Utterance

LEAST_UNDERSTOOD: Final = 0.6
"""The share of its sound, 0-1, that must be understood in a visit that is judged."""
LOST_SHARE: Final = 0.35
"""An utterance of which a smaller share was understood is lost, if it has LOST_SECONDS of sound."""
LOST_SECONDS: Final = 4.0
LEAST_LEVEL: Final = -62.0
"""Decibels below full scale. In a visit whose loudest sound is softer, whole sentences leave no trace."""
QUIET_LEVEL: Final = -50.0
"""Likewise; if little is understood in a visit whose loudest sound is softer, that is named as the cause."""
LEAST_CONTRAST: Final = 6.0
"""Decibels from the background to the loudest sound. With less, noise is as loud as speech and hides sentences."""
POSSIBLE_RATES: Final = (0.02, 15.0)
"""Syllables a second that a transcript may have. People speak 3 to 8; a subtitle may stand for half a minute; times in
milliseconds give 0.004."""
AROUND: Final = 3.6
"""Seconds by which the sound of an utterance may exceed it: asr.sound measures that much before and after it."""

NOT_UNDERSTOOD: Final = N_("hardly anything was understood: noise, another language, or a wrong sample rate")
PARTLY: Final = N_("part of it was not understood")
TOO_QUIET: Final = N_("hardly anything was understood: the sound is too quiet")
TOO_NOISY: Final = N_("hardly anything was understood: the noise is as loud as the speech")
ODD_TIMES: Final = N_("the times of the words are not those of speech: are they milliseconds?")


@dataclass(frozen=True, slots=True)
class Understanding:
    """What there was to be understood in the utterances of a visit, and how much of it was."""

    sound: float = 0.0
    """Seconds of sound, or of words where no sound was measured."""
    understood: float = 0.0
    """Seconds of words, each times its confidence."""
    spoken: float = 0.0
    """Seconds of words."""
    units: int = 0
    """Chinese syllables, or words in letters."""
    level: float | None = None
    """Of the loudest sound, in decibels below full scale; None if none was measured."""
    contrast: float | None = None
    """The largest, in decibels; None if none was measured."""

    @property
    def share(self) -> float | None:
        """The share of the sound that was understood, 0-1; None if there was none."""
        return self.understood / self.sound if self.sound else None

    def plus(self, matched: MatchedUtterance) -> "Understanding":
        """The same with one more utterance."""
        utterance = matched.utterance
        if not utterance.words:
            return self
        sound, understood, spoken = _seconds(utterance)
        measured = utterance.sound
        return Understanding(
            self.sound + sound,
            self.understood + understood,
            self.spoken + spoken,
            self.units + matched.units,
            _larger(self.level, measured.level if measured else None),
            _larger(self.contrast, measured.contrast if measured else None),
        )

    def doubt(self) -> str | None:
        """Why too little was understood; None if it was enough."""
        slowest, fastest = POSSIBLE_RATES
        if not slowest * self.spoken <= self.units <= fastest * self.spoken:
            return ODD_TIMES
        level = 0.0 if self.level is None else self.level
        if level < LEAST_LEVEL:
            return TOO_QUIET
        if self.contrast is not None and self.contrast < LEAST_CONTRAST:
            return TOO_NOISY
        if self.share is None or self.share >= LEAST_UNDERSTOOD:
            return None
        return TOO_QUIET if level < QUIET_LEVEL else NOT_UNDERSTOOD


def is_understood(utterance: Utterance) -> bool:
    """Whether enough of a single utterance was understood to accuse somebody by it."""
    sound, understood, _spoken = _seconds(utterance)
    return understood >= LEAST_UNDERSTOOD * sound


def is_lost(utterance: Utterance) -> bool:
    """Whether it is a longer utterance of which hardly anything was understood."""
    sound, understood, _spoken = _seconds(utterance)
    return sound >= LOST_SECONDS and understood < LOST_SHARE * sound


def _seconds(utterance: Utterance) -> tuple[float, float, float]:
    """The seconds of sound of an utterance, of words times their confidence, and of words."""
    spoken = sum(word.end - word.start for word in utterance.words)
    understood = sum((word.end - word.start) * word.confidence for word in utterance.words)
    measured = utterance.sound.seconds if utterance.sound else 0.0
    sound = min(measured, utterance.end - utterance.start + AROUND)  # a long one is matched in parts
    return max(sound, spoken), understood, spoken


def _larger(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)
