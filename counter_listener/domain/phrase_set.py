"""What a phrase set holds, as frozen dataclasses. This module imports no outside library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

STRICT: dict[str, object] = {"extra": "forbid"}

Severity = Literal["minor", "serious", "grave"]
Scope = Literal["clause", "utterance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One thing to be said, with all its wordings."""

    __pydantic_config__: ClassVar = STRICT

    id: str
    say: tuple[str, ...]
    """Wordings; `{slot}` stands for a short run of syllables."""
    title: str = ""
    """What people call it; the first wording where empty."""
    step: str | None = None
    shared: tuple[str, ...] = ()
    """Further wordings, which customers say as well: from an unknown voice they prove nothing."""
    not_in: tuple[str, ...] = ()
    """Longer words of which it is only a part."""
    required: bool = False
    within: float | None = None
    """Seconds from the start of the visit (or of the scenario) in which it is owed; None is by the end."""
    weight: float = 1.0
    threshold: float | None = None
    """Least closeness in sound, 0-100, instead of the matcher's own."""

    @property
    def name(self) -> str:
        return self.title or (self.say or self.shared)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of a visit, or of a scenario, with what is owed in it."""

    __pydantic_config__: ClassVar = STRICT

    id: str
    title: str
    phrase: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One of the steps inside a stage."""

    __pydantic_config__: ClassVar = STRICT

    id: str
    title: str
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtesyWord:
    """A courtesy word that counts wherever it is said, inside other phrases too."""

    __pydantic_config__: ClassVar = STRICT

    id: str
    say: tuple[str, ...]
    title: str = ""
    shared: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    """Words of which it is only a part."""

    @property
    def name(self) -> str:
        return self.title or (self.say or self.shared)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """A thing not to be said."""

    __pydantic_config__: ClassVar = STRICT

    id: str
    class_: str
    """`class` in the file."""
    say: tuple[str, ...]
    title: str = ""
    severity: Severity = "serious"
    shared: tuple[str, ...] = ()
    """Further wordings, which customers say as well: from an unknown voice they accuse nobody."""
    unless: tuple[str, ...] = ()
    """Contexts, in the same utterance or shortly before, in which it is no offence."""
    not_in: tuple[str, ...] = ()
    """Words of which it is only a part."""
    threshold: float | None = None

    @property
    def name(self) -> str:
        return self.title or (self.say or self.shared)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Where `when` is said, `need` must be said in the same scope."""

    __pydantic_config__: ClassVar = STRICT

    id: str
    title: str
    when: tuple[str, ...]
    need: tuple[str, ...]
    scope: Scope | float = "clause"
    """`clause`, `utterance`, or the seconds before it in which the need still counts (beside the utterance)."""
    severity: Severity = "minor"
    shared: tuple[str, ...] = ()
    """Further wordings of `when`, which customers say as well: from an unknown voice they accuse nobody."""
    unless: tuple[str, ...] = ()
    """Contexts in the same clause in which the rule does not apply: a question, say."""
    not_in: tuple[str, ...] = ()
    """Longer words that hold a `when` or a `need` only as a part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Stages that are owed only once something has happened."""

    __pydantic_config__: ClassVar = STRICT

    id: str
    title: str
    when: tuple[str, ...]
    unless: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    stage: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What cannot be heard: for the supervisor's eye, never judged by the machine."""

    __pydantic_config__: ClassVar = STRICT

    id: str
    title: str
    stage: str
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A short run of syllables that may be anything: a name, a number, an amount."""

    __pydantic_config__: ClassVar = STRICT

    min: int = 1
    max: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """How visits are told apart, from speech alone."""

    __pydantic_config__: ClassVar = STRICT

    opens: tuple[str, ...]
    """Ids of stages or phrases: hearing one opens a visit, and begins a new one after a farewell."""
    closes: tuple[str, ...]
    """Ids of stages or phrases that are a farewell."""
    quiet: float = 20.0
    """Seconds without speech after a farewell that close the visit."""
    idle: float = 120.0
    """Seconds without speech that close the visit in any case."""
    opening_syllables: int = 6
    """Syllables of speech that open a visit where no phrase has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How speech is cut for rules and contexts."""

    __pydantic_config__: ClassVar = STRICT

    clause_pause: float = 0.4
    """Seconds of pause between words that end a clause."""
    context: float = 4.0
    """Seconds between an offence and an `unless` context that still excuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A name for scores from `least` up."""

    __pydantic_config__: ClassVar = STRICT

    title: str
    least: float
    """Least score, 0-100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreScheme:
    """How verdicts make a score of 0-100."""

    __pydantic_config__: ClassVar = STRICT

    pass_mark: float = 80.0
    """Least score with which a visit passes."""
    late: float = 0.5
    """Share of its weight that a phrase earns when it is heard after its `within`."""
    penalty: dict[Severity, float] = field(default_factory=lambda: {"minor": 3, "serious": 10, "grave": 25})
    """Points off for each offence or broken rule, by severity."""
    grade: tuple[Grade, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What must be found in a sentence, and nothing else."""

    __pydantic_config__: ClassVar = STRICT

    heard: str
    expect: tuple[str, ...]
    """Ids of phrases heard, offences, rules broken and scenarios begun; courtesy words are left out."""
    speaker: Literal["clerk", "customer"] = "clerk"
    fails: bool = False
    """A known failure: it must keep failing until it is mended, and then lose this line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseSet:
    """The words a service standard owes and forbids."""

    __pydantic_config__: ClassVar = STRICT

    name: str
    version: str
    visit: Boundaries
    stage: tuple[Stage, ...]
    language: str = "zh"
    step: tuple[Step, ...] = ()
    word: tuple[CourtesyWord, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    rule: tuple[Rule, ...] = ()
    scenario: tuple[Scenario, ...] = ()
    observe: tuple[Observation, ...] = ()
    slots: dict[str, Slot] = field(default_factory=dict)
    hearing: Hearing = Hearing()
    score: ScoreScheme = ScoreScheme()
    example: tuple[Example, ...] = ()

    def stages(self) -> Iterator[tuple[Stage, Scenario | None]]:
        """Every stage in order, each with the scenario that it belongs to, if any."""
        yield from ((stage, None) for stage in self.stage)
        yield from ((stage, scenario) for scenario in self.scenario for stage in scenario.stage)

    def titles(self) -> dict[str, str]:
        """What people call each phrase and forbidden phrase, by id."""
        return {phrase.id: phrase.name for phrase, _ in self.phrases()} | {one.id: one.name for one in self.forbidden}

    def phrases(self) -> Iterator[tuple[Phrase, Stage]]:
        """Every phrase with its stage, scenarios included."""
        yield from ((phrase, stage) for stage, _ in self.stages() for phrase in stage.phrase)
