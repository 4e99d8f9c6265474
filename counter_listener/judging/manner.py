"""How a clerk speaks in a visit: volume, speech rate, interruptions, and customers left without a word. Pure.

Each is a figure of a visit, and None where it cannot be told. They are shown; an entry of `[[manner]]` that is `scored`
makes a rule of one.

- Volume: the mean level while words were said, in decibels below full scale. It is the active speech level of ITU-T
  P.56 (Objective measurement of active speech level), but recognised words tell what is active, not an envelope.
- Speech rate: Chinese syllables, or words in letters, a second of articulated speech, without pauses of 0.25 s or more:
  an articulation rate, with the usual threshold for pauses (N. H. de Jong and H. R. Bosker, Choosing a threshold for
  silent pauses to measure second language fluency, DiSS 2013). Read Mandarin has 5.2 syllables a second (F. Pellegrino,
  C. Coupe, E. Marsico, A cross-language perspective on speech information rate, Language 87, 2011).
- Interruptions: times that the clerk, silent for a second, began while the customer had been speaking for half a
  second, and both spoke on for a second. Shorter overlaps are how people say that they listen, or change turns.
- Silence: the longest stretch between two words of anybody. Lost audio ends it: somebody may have spoken.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from math import fsum, log10
from typing import Any, Final

from counter_listener.domain import (
    N_,
    Event,
    Manner,
    MannerFigure,
    MatchedUtterance,
    PhraseSet,
    Speaker,
    Timing,
    Verdict,
    Word,
)
from counter_listener.judging.understanding import is_understood

BOTH_VOICES: Final = N_("the voices of clerk and customer are in one channel")
PAUSE: Final = 0.25
"""Seconds without a word that are no articulated speech."""
LEAST_SPEECH: Final = 5.0
"""Seconds of speech from which its level and its rate are told: two or three sentences."""
LEAST_UNITS: Final = 20
"""Syllables, likewise."""
OVERLAP: Final = 1.0
"""Seconds that both voices must go on together."""
BEFORE_OVERLAP: Final = 0.5
"""Seconds that the customer must have been speaking."""
NEW_TURN: Final = 1.0
"""Seconds that the clerk must have been silent."""
SAME_WORDS: Final = 0.5
"""The share of the words of an overlap that both channels have, from which on one channel only hears the other."""
QUIET: Final = -45.0
"""Decibels below full scale under which speech is too quiet, unless the phrase set says otherwise."""
WAIT: Final = 60.0
"""Seconds without a word that are a wait, likewise."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of words without a pause."""

    start: float
    end: float
    words: tuple[Word, ...] = ()
    """Only where each voice has a channel: of what is heard live no word is kept."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One utterance, as far as its manner goes."""

    speaker: Speaker
    apart: bool
    """Whether its channel has no other voice."""
    timing: Timing
    runs: tuple[Run, ...]
    units: int
    """Chinese syllables, or words in letters."""
    level: float | None
    """In decibels below full scale; None where it was not measured."""
    understood: bool

    @property
    def seconds(self) -> float:
        """Of articulated speech."""
        return fsum(run.end - run.start for run in self.runs)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one visit. None is what cannot be told."""

    voice: Speaker | None = None
    """Whose speech volume and rate are of: the clerk's; or, in one channel, everybody's (`unknown`)."""
    speech: float = 0.0
    """Seconds of it."""
    level: float | None = None
    """Its mean level, in decibels below full scale."""
    quiet: float | None = None
    """The share of it that is too quiet, 0-1."""
    rate: float | None = None
    """Syllables, or words in letters, a second."""
    interruptions: int | None = None
    silence: float | None = None
    """Seconds, the longest."""
    waits: int | None = None
    """Silences that are too long."""

    def value(self, name: MannerFigure) -> float | None:
        """The figure that an entry of `[[manner]]` is about."""
        figures = {"volume": self.level, "rate": self.rate, "silence": self.silence}
        return self.interruptions if name == "interruptions" else figures[name]

    def stored(self) -> dict[str, object]:
        """As the detail of an event has it."""
        return asdict(self)


NUMBERS: Final = tuple(field.name for field in fields(Figures) if field.name != "voice")


def figures_from(detail: object) -> Figures:
    """The figures as an event stores them; all None where it has none, as those of earlier versions."""
    if not isinstance(detail, Mapping):
        return Figures()
    voice = detail.get("voice")
    known: dict[str, Any] = {
        name: value
        for name in NUMBERS
        if isinstance(value := detail.get(name), int | float) and not isinstance(value, bool)
    }
    return Figures(voice=voice if voice in ("clerk", "unknown") else None, **known)


def speech_of(matched: MatchedUtterance) -> Speech:
    """What an utterance tells of the manner."""
    utterance = matched.utterance
    apart = utterance.channel is not None
    whole = (Run(utterance.start, utterance.end),) if utterance.words else ()
    runs = tuple(_runs(utterance.words, keep=apart)) if utterance.timing == "words" else whole
    level = utterance.sound.speech if utterance.sound else None
    understood = is_understood(utterance)
    return Speech(utterance.speaker, apart, utterance.timing, runs, matched.units, level, understood)


def _runs(words: Iterable[Word], *, keep: bool) -> Iterator[Run]:
    run: list[Word] = []
    for word in words:
        if run and word.start - run[-1].end >= PAUSE:
            yield Run(run[0].start, run[-1].end, tuple(run) if keep else ())
            run = []
        run.append(word)
    if run:
        yield Run(run[0].start, run[-1].end, tuple(run) if keep else ())


def measure(said: Iterable[Speech], lost: Iterable[tuple[float, float]], limits: Sequence[Manner]) -> Figures:
    """The figures of a visit: what was said in it, and from when to when audio was lost."""
    said = list(said)
    too_quiet, wait = (_limit(limits, name, usual) for name, usual in (("volume", QUIET), ("silence", WAIT)))
    speakers = {speech.speaker for speech in said}
    voice: Speaker | None = "clerk" if "clerk" in speakers else "unknown" if "unknown" in speakers else None
    own = [speech for speech in said if speech.speaker == voice]
    level, quiet = _level(own, too_quiet)
    silences = _silences(said, lost)
    return Figures(
        voice=voice,
        speech=round(fsum(speech.seconds for speech in own), 1),
        level=level,
        quiet=quiet,
        rate=_rate(own),
        interruptions=_interruptions(said),
        silence=None if silences is None else round(max(silences, default=0.0), 1),
        waits=None if silences is None else sum(silence > wait for silence in silences),
    )


def beyond(figures: Figures, entry: Manner) -> bool | None:
    """Whether a figure is beyond the limit of an entry; None if it cannot be told."""
    value = figures.value(entry.figure)
    if value is None:
        return None
    return value < entry.limit if entry.figure == "volume" else value > entry.limit


def limits_over(figures: Figures, phrases: PhraseSet) -> list[str]:
    """The ids of the limits that a visit is beyond."""
    return [entry.id for entry in phrases.manner if beyond(figures, entry)]


def manner_events(figures: Figures, phrases: PhraseSet, visit: int | None, at: float) -> Iterator[Event]:
    """A rule that was kept or broken for each limit that is scored; none where the figure cannot be told.

    Volume and rate of both voices together accuse nobody.
    """
    for entry in phrases.manner:
        found = beyond(figures, entry)
        if not entry.scored or found is None:
            continue
        doubt = found and entry.figure in ("volume", "rate") and figures.voice != "clerk"
        verdict: Verdict = "unknown" if doubt else "broken" if found else "heard"
        detail: dict[str, object] = {"title": entry.title, "severity": entry.severity, "figure": entry.figure}
        detail |= {"value": figures.value(entry.figure), "limit": entry.limit}
        detail |= {"reason": BOTH_VOICES} if doubt else {}
        yield Event("rule", at, visit=visit, phrase=entry.id, verdict=verdict, detail=detail)


def manner_points(events: Iterable[Event], phrases: PhraseSet) -> list[float]:
    """What the broken ones of these rules cost."""
    severities = {entry.id: entry.severity for entry in phrases.manner}
    broken = [severities[event.phrase or ""] for event in events if event.verdict == "broken"]
    return [phrases.score.penalty.get(severity, 0.0) for severity in broken]


def _limit(limits: Iterable[Manner], name: str, usual: float) -> float:
    """The first limit of a figure."""
    return next((entry.limit for entry in limits if entry.figure == name), usual)


def _level(own: Iterable[Speech], too_quiet: float) -> tuple[float | None, float | None]:
    """The mean level of speech, and the share of it that is too quiet; None for too little speech."""
    measured = [(speech.seconds, speech.level) for speech in own if speech.level is not None]
    seconds = fsum(each for each, _ in measured)
    if seconds < LEAST_SPEECH:
        return None, None
    power = fsum(each * 10 ** (level / 10) for each, level in measured) / seconds
    quiet = fsum(each for each, level in measured if level < too_quiet) / seconds
    return round(10 * log10(power), 1), round(quiet, 2)


def _rate(own: Iterable[Speech]) -> float | None:
    timed = [speech for speech in own if speech.timing == "words" and speech.understood]
    seconds, units = fsum(speech.seconds for speech in timed), sum(speech.units for speech in timed)
    return round(units / seconds, 2) if seconds >= LEAST_SPEECH and units >= LEAST_UNITS else None


def _silences(said: Iterable[Speech], lost: Iterable[tuple[float, float]]) -> list[float] | None:
    """The stretches without a word; None without speech, and where times are estimated."""
    spoken = [(run.start, run.end) for speech in said for run in speech.runs]
    if not spoken or any(speech.timing == "none" for speech in said):
        return None
    first, last = min(start for start, _ in spoken), max(end for _, end in spoken)
    taken = sorted((*spoken, *((start, end) for start, end in lost if start < last and end > first)))
    silences, until = [], first
    for start, end in taken:
        silences.append(max(0.0, start - until))
        until = max(until, end)
    return silences


def _interruptions(said: Iterable[Speech]) -> int | None:
    """How often the clerk spoke over the customer; None unless each has a channel, and both were heard."""
    said = [speech for speech in said if speech.apart and speech.timing == "words"]
    if not {"clerk", "customer"} <= {speech.speaker for speech in said}:
        return None
    clerk, customer = (
        sorted((run for speech in said if speech.speaker == who for run in speech.runs), key=lambda run: run.start)
        for who in ("clerk", "customer")
    )
    begun = [run for before, run in pairwise((None, *clerk)) if run and _is_new_turn(before, run)]
    return sum(any(_is_over(turn, run) for run in customer) for turn in begun)


def _is_new_turn(before: Run | None, run: Run) -> bool:
    return before is None or run.start - before.end >= NEW_TURN


def _is_over(turn: Run, other: Run) -> bool:
    """Whether a turn begins while another person speaks, and both go on."""
    together = min(turn.end, other.end) - turn.start
    return other.start + BEFORE_OVERLAP <= turn.start and together >= OVERLAP and not _is_same(turn, other)


def _is_same(turn: Run, other: Run) -> bool:
    """Whether both channels have the same words at the same time: one hears the other."""
    until = min(turn.end, other.end)
    own, others = (
        [word.text for word in run.words if word.end > turn.start and word.start < until] for run in (turn, other)
    )
    return sum(text in others for text in own) >= SAME_WORDS * len(own)
