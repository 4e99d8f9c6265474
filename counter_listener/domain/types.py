"""The words of the counter as frozen dataclasses. Times are seconds into the stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

SAMPLE_RATE: Final = 16_000
"""Hertz; the rate of all audio that a recogniser receives."""
BLOCK_SAMPLES: Final = 3_200
"""Samples per block (0.2 s). libvosk looks for the end of an utterance once per block, so every block has one size."""
SAMPLE_BYTES: Final = 2
"""Bytes per sample: signed 16-bit little-endian, mono."""

Kind = Literal["visit_opened", "phrase", "forbidden", "rule", "visit_closed", "gap", "error", "left_out", "note"]
Verdict = Literal["heard", "not_heard", "unknown", "forbidden", "broken"]
Outcome = Literal["complete", "incomplete", "not_understood", "no_service"]
"""What became of a visit: all that was owed was judged, or only some; so little of it was understood that nothing was
judged; nothing of the phrase set was heard, so that it may have been no service."""
ReviewAction = Literal["uphold", "overturn", "note", "observe"]
"""What a person says of a visit: the machine's verdict holds, another verdict holds, a remark without a verdict, or
something that the machine has no event of."""
ClipKeep = Literal["none", "questioned", "offences", "all"]
"""Of which verdicts a clip of the sound is kept. `questioned`: those that cost something or are unknown, which are also
all that can be disputed; `offences`: those on forbidden phrases and broken rules."""
Speaker = Literal["clerk", "customer", "unknown"]
Role = Literal["phrase", "forbidden", "word", "trigger", "when", "need", "unless", "not_in", "frame", "errand"]
"""What a template is for: a phrase, an offence, a courtesy word, the trigger of a scenario, a part of a rule, a
context of these, or what a customer comes for."""
Timing = Literal["words", "turn", "none"]
"""What of an utterance has times of its own: each word; only the whole, so that those of its words are estimated; or
nothing, so that all are."""
Prior = Literal["nothing", "phrases", "scenario"]
"""What is likely to be said: nothing that is owed, owed phrases, or owed phrases and those of a scenario."""


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word."""

    text: str
    start: float
    end: float
    confidence: float = 1.0
    """Of the recogniser, 0-1; 1 where it reports none."""


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound in and around an utterance."""

    seconds: float
    """Of sound that stands out from the background."""
    level: float
    """Of its loudest part, in decibels below full scale (0)."""
    contrast: float | None
    """Decibels from the background to the loudest sound; None where too little was heard to tell."""
    speech: float | None = None
    """Mean level while its words were said, in decibels below full scale; None where it was not measured."""


@dataclass(frozen=True, slots=True)
class Voice:
    """The voice of an utterance, in memory alone: it is never written."""

    vector: tuple[float, ...]
    """Near to others of the same voice, by the angle between them."""
    frames: int
    """Frames of 10 ms of speech that it was computed from."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One stretch of recognised speech."""

    start: float
    end: float
    words: tuple[Word, ...]
    speaker: Speaker = "unknown"
    near_gap: bool = False
    """Whether audio was lost right before it or at its end."""
    sound: Sound | None = None
    """The sound in and around it; None where none was measured, as in a transcript."""
    voice: Voice | None = None
    """None without a speaker model, and where there was too little speech for one."""
    timing: Timing = "words"
    channel: int | None = None
    """Number of the channel that holds this speaker alone, from 0; None where voices share one, as at a microphone."""

    @property
    def text(self) -> str:
        """The words, separated by spaces."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio that never arrived."""

    start: float
    """Seconds into the stream; before 0 if listening began again."""
    seconds: float
    """Length of the lost audio; 0 where it is not known."""
    reason: str
    """One sentence for people."""
    beside: bool = False
    """Whether other sound of the same time was heard: one of several tracks was lost, or was not read."""


@dataclass(frozen=True, slots=True)
class VisitToggle:
    """A person opened a visit, or closed the open one."""

    at: float


@dataclass(frozen=True, slots=True)
class Tick:
    """Time that has passed, counted in samples."""

    at: float
    """End of the audio that has been read."""
    settled: float
    """No later utterance starts before this time."""


StreamItem = Utterance | Gap | VisitToggle | Tick
"""An item of the stream that the matcher receives."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A wording found in an utterance."""

    owner: str
    """Id of the phrase, courtesy word, forbidden phrase, rule or scenario that the wording belongs to."""
    wording: str
    """The sentence of a template that comes closest."""
    heard: str
    """As the recogniser wrote it; an ellipsis stands for what fills a slot."""
    start: float
    end: float
    score: float
    """Closeness in sound, 0-100."""
    shared: bool = False
    """Whether customers say this wording too."""
    followed: bool | None = None
    """Of a rule: whether the courtesy that it needs was said as well; None for everything else."""
    frame: str | None = None
    """Id of the frame in which it stands and which leaves open whose words these are."""
    certain: bool = True
    """Whether it is a hit whatever was said before."""


@dataclass(frozen=True, slots=True)
class RecentContext:
    """A context or a courtesy that was just said and can still excuse an offence or satisfy a rule."""

    role: Role
    owners: frozenset[str]
    """Ids of the forbidden phrases, rules and scenarios that list it."""
    end: float


@dataclass(frozen=True, slots=True)
class Findings:
    """All that one utterance holds of a phrase set, each field in order of time."""

    phrases: tuple[Hit, ...] = ()
    words: tuple[Hit, ...] = ()
    offences: tuple[Hit, ...] = ()
    triggers: tuple[Hit, ...] = ()
    rules: tuple[Hit, ...] = ()
    errands: tuple[Hit, ...] = ()
    contexts: tuple[RecentContext, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchedUtterance:
    """An utterance with its findings."""

    utterance: Utterance
    findings: Findings
    units: int
    """Length of the utterance: Chinese syllables, or words in letters."""
    prior: Prior = "nothing"
    """What was likely to be said in it."""


MatchedItem = MatchedUtterance | Gap | VisitToggle | Tick
"""An item of the stream that the judge receives."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only record."""

    kind: Kind
    at: float
    visit: int | None = None
    """Number of the visit within its stream, from 1; None for what belongs to no visit."""
    stage: str | None = None
    step: str | None = None
    phrase: str | None = None
    """Id of the phrase, courtesy word, forbidden phrase, rule or scenario."""
    verdict: Verdict | None = None
    score: float | None = None
    """Of a hit: closeness in sound, 0-100. Of a closed visit: its score, 0-100, None if something that was owed
    is unknown."""
    heard: str | None = None
    """The words of the hit, masked; nothing else that was said."""
    detail: Mapping[str, object] = field(default_factory=dict)
    """Fields of this kind of event only: see docs/events.md."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a person said of a visit, or of one verdict in it."""

    seq: int
    """Number of its row: later ones stand."""
    uid: str
    event: str | None
    """Uid of the event that it is about; None if it is about the whole visit, or about something without an event."""
    action: ReviewAction
    verdict: Verdict | None
    """After it; None for a note, and for the whole visit."""
    by: str
    """Account."""
    phrase: str | None = None
    """Id of what is observed: of the list `observe`, an offence or a rule; of an event, its phrase."""
    at: float = 0.0
    """Seconds into the stream; of something observed that has no time, 0."""
    scored: bool = True
    """Whether it counts in the score: what is found on the way of an appeal teaches only."""
    blind: bool = False
    """Whether it is a second opinion by someone who did not see the first; it changes nothing."""
    was: Verdict | None = None
    reason: str | None = None
    """An id of display.REASONS."""
    note: str = ""
    recorded: str = ""
    """ISO 8601 in UTC."""

    @property
    def stands(self) -> bool:
        """Whether it can decide a verdict."""
        return self.action != "note" and not self.blind
