"""Who spoke: the clerk or a customer, learnt from the voices of a shift, without names and without templates. Pure.

The clerk is the voice that is heard in most visits and says what only a clerk says. Utterances are grouped by their
vectors as they come. A customer's group is forgotten one visit later, the clerk's at the end of the shift; nothing is
ever written. The numbers in voices.json are fitted by `python -m models.build.measure_speakers --fit`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import exp, log, sqrt
from operator import mul
from pathlib import Path
from typing import Final

from counter_listener.domain import MatchedUtterance, Speaker

FITTED: Final = Path(__file__).with_name("voices.json")
SHIFT_QUIET: Final = 4 * 3_600.0
"""Seconds without speech after which another shift begins, and every voice is forgotten."""
RECENT: Final = 12
"""Visits in which a voice is counted: another clerk takes over within a few of them."""
PHRASES: Final = 4
"""Phrases of a clerk that count for one voice; more prove nothing more."""
JOINS: Final = 0.7
"""Probability from which an utterance becomes part of a voice; with less it teaches nothing."""
MOST_FRAMES: Final = 1_500
"""Frames of speech from which a voice is learnt; older ones lose weight beyond them."""
LEVEL_LIMIT: Final = 2.0
"""Log-odds that the level of an utterance can add or take."""
FEW_LEVELS: Final = 4
"""Utterances of a voice from which its level is known."""
LARGEST: Final = 30.0
"""Log-odds beyond which a probability is 0 or 1."""


@dataclass(frozen=True, slots=True)
class VoiceScale:
    """The numbers of voices.json: all but `least` are natural logarithms of odds."""

    bias: float
    cosine: float
    short: float
    """Log-odds that two stretches are of one voice: bias + cosine x cosine + short / sqrt(seconds of speech)."""
    phrase: float
    """What a phrase that only a clerk says adds for the voice that says it."""
    visit: float
    """What each recent visit adds for a voice that is heard in it."""
    nobody: float
    """How likely it is, against a voice without any sign, that the clerk is none of the voices known so far."""
    level: float
    """Decibels by which the level of one voice varies (standard deviation)."""
    slope: float
    offset: float
    """Calibration: the log-odds that are true are slope x log-odds + offset."""
    least: float
    """Probability from which it is sure who spoke."""


@cache
def fitted_scale() -> VoiceScale:
    """The numbers that ship with the program."""
    table = json.loads(FITTED.read_text(encoding="utf-8"))
    calibration = table["calibration"]
    return VoiceScale(
        **table["same"], **table["role"], slope=calibration["slope"], offset=calibration["bias"], least=table["least"]
    )


@dataclass(frozen=True, slots=True)
class KnownVoice:
    """A voice of this shift: what its utterances have in common."""

    direction: tuple[float, ...]
    """Sum of the vectors of its utterances, each of length 1, times their seconds of speech."""
    frames: float
    """Frames of 10 ms in that sum."""
    visits: frozenset[int]
    """Numbers of the visits in which it was heard."""
    phrases: int = 0
    """How often it said what only a clerk says."""
    level: float = 0.0
    """Mean level of its utterances, in decibels below full scale."""
    levels: int = 0
    """Utterances in that mean."""


@dataclass(frozen=True, slots=True)
class ShiftVoices:
    """The voices of a shift, in memory alone."""

    known: tuple[KnownVoice, ...] = ()
    heard_at: float = 0.0
    """Seconds into the stream at which the last of them was heard."""
    probability: float = 0.5
    """That the last utterance was the clerk's."""
    scale: VoiceScale = field(default_factory=fitted_scale)


def attribute(voices: ShiftVoices, matched: MatchedUtterance, visit: int) -> tuple[ShiftVoices, MatchedUtterance]:
    """The voices after an utterance in a visit, and the utterance with its speaker, where that is sure.

    Who speaks stays as it is where a channel or a transcript says it, and unknown where there is no vector.
    """
    utterance = matched.utterance
    if utterance.voice is None or utterance.speaker != "unknown":
        return voices, matched
    voices = _forget(voices, utterance.start, visit)
    own = any(not hit.shared for hit in matched.findings.phrases)
    vector = _unit(utterance.voice.vector)
    level = utterance.sound.level if utterance.sound else None
    seconds = utterance.voice.frames / 100
    shares = _shares([_same(one, vector, seconds, level, voices.scale) for one in voices.known])
    clerks = _clerks(voices)
    *_, nobody = clerks
    by_clerk = sum(share * clerk for share, clerk in zip(shares, clerks, strict=True)) - shares[-1] * nobody / 2
    odds = _log_odds(by_clerk) + own * voices.scale.phrase
    probability = _probability(voices.scale.slope * odds + voices.scale.offset)
    known = _learn(
        voices.known,
        shares,
        KnownVoice(
            tuple(value * seconds for value in vector),
            utterance.voice.frames,
            frozenset({visit}),
            int(own),
            level or 0.0,
            int(level is not None),
        ),
    )
    voices = replace(voices, known=known, heard_at=utterance.end, probability=probability)
    speaker = sure_speaker(probability, voices.scale.least)
    if own and speaker == "customer":  # the words say otherwise
        speaker = "unknown"
    return voices, replace(matched, utterance=replace(utterance, speaker=speaker))


def sure_speaker(probability: float, least: float) -> Speaker:
    """Who spoke, by the probability that it was the clerk; unknown where neither is as likely as `least`."""
    if probability >= least:
        return "clerk"
    return "customer" if 1 - probability >= least else "unknown"


def _forget(voices: ShiftVoices, now: float, visit: int) -> ShiftVoices:
    """Without the voices of another shift, and those that were heard in one visit only, before the last one."""
    if now - voices.heard_at > SHIFT_QUIET:
        return replace(voices, known=())
    recent = [replace(one, visits=frozenset(v for v in one.visits if v > visit - RECENT)) for one in voices.known]
    kept = tuple(one for one in recent if len(one.visits) > 1 or max(one.visits, default=0) >= visit - 1)
    return replace(voices, known=kept)


def _same(one: KnownVoice, vector: Sequence[float], seconds: float, level: float | None, scale: VoiceScale) -> float:
    """The log-odds that an utterance is of a voice."""
    cosine: float = sum(map(mul, _unit(one.direction), vector))
    shorter = min(seconds, one.frames / 100)
    odds = scale.bias + scale.cosine * cosine + scale.short / sqrt(max(0.5, shorter))
    if level is not None and one.levels >= FEW_LEVELS:
        away = (level - one.level) / scale.level
        odds += max(-LEVEL_LIMIT, 0.5 - away * away / 2)
    return odds


def _shares(odds: Iterable[float]) -> list[float]:
    """The probability of each voice, and last of a new one."""
    weights = [exp(min(LARGEST, max(-LARGEST, one))) for one in odds]
    total = sum(weights) + 1
    return [*(weight / total for weight in weights), 1 / total]


def _clerks(voices: ShiftVoices) -> list[float]:
    """The probability that the clerk is each voice, and last that the clerk is none of them."""
    scale = voices.scale
    scores = [scale.visit * len(one.visits) + scale.phrase * min(one.phrases, PHRASES) for one in voices.known]
    scores.append(scale.nobody)
    weights = [exp(score - max(scores)) for score in scores]
    return [weight / sum(weights) for weight in weights]


def _learn(known: tuple[KnownVoice, ...], shares: Sequence[float], heard: KnownVoice) -> tuple[KnownVoice, ...]:
    """The voices with an utterance joined to one of them or as a new one; the same where that is not likely enough."""
    best = max(range(len(shares)), key=shares.__getitem__)
    if shares[best] < JOINS:
        return known
    if best == len(known):
        return (*known, heard)
    one = known[best]
    fade = min(1.0, MOST_FRAMES / (one.frames + heard.frames))
    levels = one.levels + heard.levels
    joined = KnownVoice(
        tuple(fade * (old + new) for old, new in zip(one.direction, heard.direction, strict=True)),
        fade * (one.frames + heard.frames),
        one.visits | heard.visits,
        one.phrases + heard.phrases,
        (one.level * one.levels + heard.level * heard.levels) / levels if levels else 0.0,
        min(levels, RECENT),
    )
    return (*known[:best], joined, *known[best + 1 :])


def _unit(vector: Sequence[float]) -> tuple[float, ...]:
    length = sum(value * value for value in vector) ** 0.5 or 1.0
    return tuple(value / length for value in vector)


def _log_odds(probability: float) -> float:
    least = exp(-LARGEST)
    return log(max(least, probability)) - log(max(least, 1 - probability))


def _probability(log_odds: float) -> float:
    return 1 / (1 + exp(-max(-LARGEST, min(LARGEST, log_odds))))
