"""The entries of a phrase-set file as frozen dataclasses, named as the tables and keys of the file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from counter_listener.domain.set_tables import Table, Wordings

Severity = Literal["minor", "serious", "grave"]
Scope = Literal["clause", "utterance"]
MannerFigure = Literal["volume", "rate", "interruptions", "silence"]
FramedRole = Literal["phrase", "forbidden", "rule", "trigger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HintTiming(Table):
    """When the clerk's screen hints at a phrase. What is not given follows from the place of its stage."""

    show: bool = True
    after: tuple[str, ...] | None = None
    """Ids of phrases, steps, stages or scenarios, or `opened`: the last that was heard is its moment."""
    wait: float | None = None
    """Seconds from that moment to the hint."""
    quiet: float | None = None
    """Seconds without speech after which it is due too; 0 is never."""
    until: tuple[str, ...] | None = None
    """Ids of phrases, steps or stages: one of them after the moment overtakes it."""
    say: str = ""
    """The sentence that the screen suggests; where it is empty, the shortest plain one of the phrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase(Wordings):
    """A phrase to be said."""

    step: str | None = None
    required: bool = False
    within: float | None = None
    """Seconds from the start of the visit (or of the scenario) within which it is owed; None is by the end."""
    weight: float = 1.0
    threshold: float | None = None
    """Minimum closeness in sound, 0-100, instead of the matcher's default."""
    hint: HintTiming = HintTiming()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Table):
    """A part of a visit or of a scenario, with its phrases."""

    id: str
    title: str
    phrase: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Table):
    """A step inside a stage."""

    id: str
    title: str
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtesyWord(Wordings):
    """A courtesy word. It counts wherever it is said, also inside phrases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden(Wordings):
    """A phrase that must not be said."""

    class_: str
    """`class` in the file."""
    severity: Severity = "serious"
    unless: tuple[str, ...] = ()
    """Contexts, in the same utterance or shortly before, in which it is no offence."""
    threshold: float | None = None
    """Minimum closeness in sound, 0-100, instead of the matcher's default."""
    better: str = ""
    """What to say instead; that of its class where it is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Table):
    """Where `when` is said, `need` must be said in the same scope."""

    id: str
    title: str
    when: tuple[str, ...]
    need: tuple[str, ...]
    scope: Scope | float = "clause"
    """`clause`, `utterance`, or seconds: `need` then also counts that long before `when`, in earlier utterances."""
    severity: Severity = "minor"
    shared: tuple[str, ...] = ()
    """More wordings of `when`, which customers say too: from an unknown speaker they accuse nobody."""
    unless: tuple[str, ...] = ()
    """Contexts in the same clause in which the rule does not apply, such as a question."""
    not_in: tuple[str, ...] = ()
    """Longer words that contain a `when` or a `need`, which does not count inside them."""
    better: str = ""
    """What to say instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(Table):
    """Stages that are owed only after one of the triggers in `when` was said."""

    id: str
    title: str
    when: tuple[str, ...]
    unless: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    stage: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Table):
    """Something that cannot be heard: the supervisor observes it, the program never judges it."""

    id: str
    title: str
    stage: str
    step: str | None = None
    weight: float = 0.0
    """Its share of the score of a visit for which a person has entered it; 0 leaves the score as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner(Table):
    """A limit of how a clerk speaks: too quiet, too fast, over the customer; or a customer left without a word."""

    id: str
    title: str
    figure: MannerFigure
    limit: float
    """Decibels below full scale for `volume`, which must not be under it; the other figures must not be over it:
    syllables a second for `rate`, times for `interruptions`, seconds for `silence`."""
    scored: bool = False
    """Whether it is a rule, which costs points where it is broken; otherwise the figure is only shown."""
    severity: Severity = "minor"
    """Of the broken rule."""
    better: str = ""
    """What to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot(Table):
    """A short run of any syllables: a name, a number, an amount. `min` and `max` are syllables."""

    min: int = 1
    max: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside(Wordings):
    """What shows that somebody talks beside the service: on the telephone, or with a colleague. It gets no verdict."""

    recalls: bool = False
    """Whether it calls the last customer back: what follows still belongs to that visit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand(Wordings):
    """What customers come for. It tells the clerk's screen that somebody is there; it gets no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProof(Table):
    """What shows that somebody was served, in points; a visit with fewer than `least` is no service."""

    least: float = 3.0
    required: float = 3.0
    """For each required phrase, and for each scenario that began."""
    judged: float = 3.0
    """For each offence, and each time a rule was kept or broken."""
    recommended: float = 1.0
    """For each recommended phrase."""
    word: float = 1.0
    """For each courtesy word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries(Table):
    """How visits are separated, from speech alone."""

    opens: tuple[str, ...]
    """Ids of stages or phrases: one of them opens a visit, and after a farewell begins the next visit."""
    closes: tuple[str, ...]
    """Ids of stages or phrases that are a farewell."""
    quiet: float = 20.0
    """Seconds without speech after a farewell that close the visit."""
    idle: float = 120.0
    """Seconds without speech that always close the visit."""
    opening_syllables: int = 6
    """Syllables of speech that open a visit when no phrase did."""
    service: ServiceProof = ServiceProof()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing(Table):
    """How speech is divided for rules and contexts."""

    clause_pause: float = 0.4
    """Seconds: a pause of this length between words ends a clause."""
    context: float = 4.0
    """Seconds: an `unless` context at most this far from an offence excuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade(Table):
    """A name for scores from `least` on."""

    title: str
    least: float
    """Lowest score of the grade, 0-100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreScheme(Table):
    """How a score of 0-100 follows from the verdicts."""

    pass_mark: float = 80.0
    """Lowest score with which a visit passes."""
    late: float = 0.5
    """Share of its weight, 0-1, that a phrase earns when it is heard after its `within`."""
    penalty: dict[Severity, float] = field(default_factory=lambda: {"minor": 3, "serious": 10, "grave": 25})
    """Points subtracted for each offence or broken rule, by severity."""
    grade: tuple[Grade, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Table):
    """Sentences with exactly what must be found in each of them."""

    heard: str | tuple[str, ...]
    """One sentence, or several."""
    expect: tuple[str, ...]
    """Ids of phrases heard, offences, rules broken and scenarios begun, without courtesy words."""
    speaker: Literal["clerk", "customer"] = "clerk"
    fails: bool = False
    """A known failure: it must fail until it is fixed, and then this line is removed."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """All sentences."""
        return (self.heard,) if isinstance(self.heard, str) else self.heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame(Table):
    """A way of a language to say whose words others are: reported, quoted, denied, asked back, about somebody else.

    What stands in a frame accuses nobody.
    """

    id: str
    title: str
    of: tuple[FramedRole, ...] = ("forbidden", "rule")
    """What it frames: owed phrases, offences, rules, the triggers of scenarios."""
    makes: Literal["nothing", "unknown", "shared"] = "nothing"
    """What it makes of it: no offence at all, one of which nobody can tell, or one that a customer may have said."""
    reach: Literal["next", "clause", "utterance"] = "clause"
    """How far it reaches: to what stands right beside it, within the clause, or within the utterance."""
    before: tuple[str, ...] = ()
    """Templates that stand before what they frame."""
    after: tuple[str, ...] = ()
    """Templates that stand after it."""
    around: tuple[str, ...] = ()
    """Templates that stand before it, after it, or around it."""
    lead: int | None = None
    """Syllables before it in its clause, fillers left out, from which it is framed whatever they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames(Table):
    """The frames of a language."""

    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    frame: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseSet(Table):
    """The phrases that a service standard requires and forbids."""

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
    aside: tuple[Aside, ...] = ()
    errand: tuple[Errand, ...] = ()
    """Where there are none, any speech tells the screen that somebody is there."""
    observe: tuple[Observation, ...] = ()
    manner: tuple[Manner, ...] = ()
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Words and templates by name: `{name}` in a template is one of them."""
    rules: dict[str, str] = field(default_factory=dict)
    """Templates by name: `<name>` in a template stands for one."""
    slots: dict[str, Slot] = field(default_factory=dict)
    frames: Frames = Frames()
    """Those of the language, unless the file has its own."""
    hearing: Hearing = Hearing()
    score: ScoreScheme = ScoreScheme()
    better: dict[str, str] = field(default_factory=dict)
    """What to say instead of an offence, by its class."""
    example: tuple[Example, ...] = ()

    def stages(self) -> Iterator[tuple[Stage, Scenario | None]]:
        """All stages in order, each with its scenario, if any."""
        yield from ((stage, None) for stage in self.stage)
        yield from ((stage, scenario) for scenario in self.scenario for stage in scenario.stage)

    def titles(self) -> dict[str, str]:
        """The name of each phrase, forbidden phrase and rule, by id."""
        named = {entry.id: entry.name for entry in (*(phrase for phrase, _ in self.phrases()), *self.forbidden)}
        return named | {rule.id: rule.title for rule in self.rule}

    def phrases(self) -> Iterator[tuple[Phrase, Stage]]:
        """All phrases with their stages, scenarios included."""
        yield from ((phrase, stage) for stage, _ in self.stages() for phrase in stage.phrase)
