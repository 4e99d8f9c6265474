"""The verdicts on the phrases, offences and rules of one visit, and its score. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import fsum
from typing import Final, Literal

from counter_listener.domain import (
    N_,
    CourtesyWord,
    Event,
    Hit,
    Kind,
    Outcome,
    Phrase,
    PhraseSet,
    Stage,
    Utterance,
    Verdict,
)
from counter_listener.judging.manner import Figures, Speech, limits_over, manner_events, manner_points, measure
from counter_listener.judging.understanding import NOT_UNDERSTOOD, PARTLY, Understanding, is_understood

SHARED: Final = N_("customers say this as well, and the voice is unknown")
FRAMED: Final = N_("it may be a question, a quotation or about somebody else")
LOST: Final = N_("audio was lost")
NEAR_GAP: Final = N_("audio was lost right beside it")
NO_SPEECH: Final = N_("no speech was recognised")
NO_SERVICE: Final = N_("hardly anything of the phrase set was heard, so it may have been no service")
RULED: Final[Mapping[Verdict, str]] = {"heard": "kept", "broken": "broken", "unknown": "doubtful"}
"""The tally of each verdict on a rule."""
ASIDE: Final = "aside"
"""The tally of what was said beside the service."""


@dataclass(frozen=True, slots=True)
class Visit:
    """An open visit and what has been heard in it so far. Times are seconds into the stream."""

    number: int
    opened: float
    speech_end: float
    """End of the last speech or of the last gap."""
    gap: bool = False
    """Whether it lost audio, or may have lost some."""
    speech: bool = False
    """Whether any speech was recognised."""
    not_understood: bool = False
    """Whether a stretch of speech in it, or shortly before it, was not understood."""
    stated: bool = False
    """Whether a person says that it is a visit."""
    customer: bool = False
    """Whether a customer spoke, by the speaker of an utterance."""
    understanding: Understanding = field(default_factory=Understanding)
    farewell: Literal["clear", "shared"] | None = None
    """The last farewell: one that only clerks say, or one that customers say too."""
    since_farewell: int = 0
    """Syllables of speech since the last farewell."""
    heard: Mapping[str, float] = field(default_factory=dict)
    """By id of the phrases and courtesy words heard: the seconds by which each was late."""
    doubtful: Mapping[str, Hit] = field(default_factory=dict)
    """By id: the first hit of each phrase and courtesy word that a customer may have said."""
    scenarios: Mapping[str, float] = field(default_factory=dict)
    """By id: the time at which each scenario began."""
    tally: Mapping[str, int] = field(default_factory=dict)
    """Numbers of recommended phrases, offences, rules followed (`kept`) and broken, doubtful offences, and asides."""
    penalty: float = 0.0
    """Points subtracted so far."""
    said: tuple[Speech, ...] = ()
    """When and how something was said; no word of what is heard live is kept in it."""
    lost: tuple[tuple[float, float], ...] = ()
    """From when to when audio was lost."""


VisitUpdate = tuple[Visit, Event | None]


@dataclass(frozen=True, slots=True)
class VisitScore:
    """What a visit earned. All of it is None where it cannot be told: a part of what was owed is unknown."""

    score: float | None = None
    """0-100."""
    grade: str | None = None
    """Title of the best grade that the score reaches."""
    passed: bool | None = None


def owed_phrases(phrases: PhraseSet, visit: Visit) -> list[tuple[Phrase, Stage]]:
    """The phrases that are owed in this visit, with their stages."""
    begun = [stage for stage, scenario in phrases.stages() if scenario is None or scenario.id in visit.scenarios]
    return [(phrase, stage) for stage in begun for phrase in stage.phrase if phrase.required]


def on_phrase(visit: Visit, hit: Hit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """A phrase of a stage was heard. No event if it was heard before or if a customer may have said it."""
    if hit.owner in visit.heard:
        return visit, None
    if any(aside.id == hit.owner for aside in phrases.aside):
        return _counted(visit, ASIDE), None
    phrase, stage, scenario = next(
        (phrase, stage, scenario)
        for stage, scenario in phrases.stages()
        for phrase in stage.phrase
        if phrase.id == hit.owner
    )
    if scenario is not None and scenario.id not in visit.scenarios:
        return visit, None
    if may_be_customer(hit, utterance):
        return _with_doubt(visit, hit), None
    since = visit.scenarios[scenario.id] if scenario is not None and phrase.required else visit.opened
    late = hit.start - since - phrase.within if phrase.within is not None else 0.0
    detail = {"title": phrase.name, "required": phrase.required, **_evidence(hit, utterance)}
    if late > 0:
        detail["late"] = round(late, 2)
    visit = replace(visit, heard={**visit.heard, hit.owner: max(0.0, late)})
    if not phrase.required:
        visit = _counted(visit, "recommended")
    return visit, replace(_event(visit, "phrase", hit, "heard", detail), stage=stage.id, step=phrase.step)


def on_word(visit: Visit, hit: Hit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """A courtesy word was heard, alone or inside a phrase."""
    word = next(word for word in phrases.word if word.id == hit.owner)
    if hit.owner in visit.heard:
        return visit, None
    if may_be_customer(hit, utterance):
        return _with_doubt(visit, hit), None
    detail = {"title": word.name, "courtesy_word": True, **_evidence(hit, utterance)}
    visit = replace(visit, heard={**visit.heard, hit.owner: 0.0})
    return visit, _event(visit, "phrase", hit, "heard", detail)


def on_offence(visit: Visit, hit: Hit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """A forbidden phrase was heard."""
    offence = next(offence for offence in phrases.forbidden if offence.id == hit.owner)
    evidence = _evidence(hit, utterance)
    detail = {"title": offence.name, "class": offence.class_, "severity": offence.severity, **evidence}
    doubt = _doubt(hit, utterance)
    event = _event(visit, "forbidden", hit, "forbidden", detail)
    return _accuse(visit, event, phrases.score.penalty.get(offence.severity, 0.0), doubt)


def on_rule(visit: Visit, hit: Hit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """A rule applied, and was followed or broken."""
    rule = next(rule for rule in phrases.rule if rule.id == hit.owner)
    detail = {"title": rule.title, "severity": rule.severity, **_evidence(hit, utterance)}
    if hit.followed:
        return _counted(visit, "kept"), _event(visit, "rule", hit, "heard", detail)
    doubt = _doubt(hit, utterance)
    event = _event(visit, "rule", hit, "broken", detail)
    return _accuse(visit, event, phrases.score.penalty.get(rule.severity, 0.0), doubt)


def _doubt(hit: Hit, utterance: Utterance) -> str | None:
    """Why nobody can tell whether a clerk said it, or said it of the customer; None if it is certain."""
    if may_be_customer(hit, utterance):
        return SHARED
    if hit.frame is not None:
        return FRAMED
    if not is_understood(utterance):
        return NOT_UNDERSTOOD
    return NEAR_GAP if utterance.near_gap else None


def on_trigger(visit: Visit, hit: Hit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """A scenario began: from now on its phrases are owed."""
    if hit.owner in visit.scenarios:
        return visit, None
    scenario = next(scenario for scenario in phrases.scenario if scenario.id == hit.owner)
    visit = replace(visit, scenarios={**visit.scenarios, hit.owner: hit.start})
    detail = {"title": scenario.title, "scenario": True, **_evidence(hit, utterance)}
    return visit, _event(visit, "phrase", hit, "heard", detail)


def _accuse(visit: Visit, event: Event, points: float, doubt: str | None) -> VisitUpdate:
    """Subtracts the points of an offence or a broken rule; in doubt the verdict is unknown and costs nothing."""
    if doubt:
        event = replace(event, verdict="unknown", detail={**event.detail, "reason": doubt})
        return _counted(visit, "doubtful"), event
    return replace(_counted(visit, str(event.verdict)), penalty=visit.penalty + points), event


def settle(visit: Visit, phrases: PhraseSet, at: float, reason: str) -> tuple[Event, ...]:
    """The verdicts that are known only at the close of a visit, and the close; all at the time `at` (seconds).

    If too little was understood, the visit is one that lost its sound: a gap says so.
    """
    owed = owed_phrases(phrases, visit)
    why = why_unknown(visit, phrases)
    verdicts = {phrase.id: _verdict(visit, phrase, why) for phrase, _ in owed}
    outcome = _outcome(visit, why, list(verdicts.values()))
    doubt = visit.understanding.doubt()
    events = [gap_event(visit, at, visit.understanding, doubt)] if doubt else []
    events += [_closing_event(visit, phrase, stage, at, why) for phrase, stage in owed if phrase.id not in visit.heard]
    entries: dict[str, tuple[Phrase | CourtesyWord, Stage | None]] = {word.id: (word, None) for word in phrases.word}
    entries |= {phrase.id: (phrase, stage) for phrase, stage in phrases.phrases()}
    doubtful = [owner for owner in visit.doubtful if owner not in visit.heard and owner not in verdicts]
    events += [_closing_event(visit, *entries[owner], at, why) for owner in doubtful]
    judged = outcome in ("complete", "incomplete")
    parts = [(phrase.weight, verdicts[phrase.id], visit.heard.get(phrase.id, 0.0) > 0) for phrase, _ in owed]
    figures = Figures() if doubt else measure(visit.said, visit.lost, phrases.manner)
    ruled = list(manner_events(figures, phrases, visit.number, at)) if judged else []
    events += ruled
    penalty = visit.penalty + fsum(manner_points(ruled, phrases))
    earned = score_visit(parts, penalty, phrases) if judged else VisitScore()
    given, share = list(verdicts.values()), visit.understanding.share
    of_owed = {name: given.count(name) for name in ("heard", "not_heard", "unknown")}
    counted = Counter(visit.tally) + Counter(RULED[event.verdict] for event in ruled if event.verdict)
    others = {name: counted[name] for name in ("recommended", "forbidden", "broken", "kept", "doubtful")}
    detail = {
        "reason": reason,
        "outcome": outcome,
        "opened": round(visit.opened, 2),
        "seconds": round(max(0.0, visit.speech_end - visit.opened), 2),
        "lost_audio": visit.gap or visit.not_understood or outcome == "not_understood",
        "understood": None if share is None else round(share, 2),
        "grade": earned.grade,
        "passed": earned.passed,
        "counts": {"owed": len(given), **of_owed, **others},
        "scenarios": sorted(visit.scenarios),
        "manner": {**figures.stored(), "over": limits_over(figures, phrases)},
    }
    return (*events, Event("visit_closed", at, visit=visit.number, score=earned.score, detail=detail))


def _outcome(visit: Visit, why: str | None, verdicts: list[Verdict]) -> Outcome:
    """What became of a visit with these verdicts on what was owed; `why` as by why_unknown()."""
    if visit.understanding.doubt():
        return "not_understood"
    if why == NO_SERVICE:
        return "no_service"
    return "incomplete" if "unknown" in verdicts else "complete"


def gap_event(visit: Visit, at: float, heard: Understanding, reason: str) -> Event:
    """The event of sound that arrived, but was not understood."""
    lost, share = round(heard.sound - heard.understood, 3), round(heard.share or 0.0, 2)
    return Event("gap", at, visit=visit.number, detail={"seconds": lost, "reason": reason, "understood": share})


def _closing_event(
    visit: Visit, entry: Phrase | CourtesyWord, stage: Stage | None, at: float, why: str | None
) -> Event:
    """The verdict at the close of a visit on a phrase or courtesy word that was not heard for certain."""
    hit = visit.doubtful.get(entry.id)
    reason = SHARED if hit else why
    detail: dict[str, object] = {"title": entry.name, "required": isinstance(entry, Phrase) and entry.required}
    if hit:
        detail |= {"said_at": round(hit.start, 2), "end": round(hit.end, 2), "wording": hit.wording}
    if reason:
        detail["reason"] = reason
    if stage is None:
        detail["courtesy_word"] = True
    event = Event("phrase", at, visit=visit.number, phrase=entry.id, verdict=_verdict(visit, entry, why), detail=detail)
    if hit:
        event = replace(event, score=hit.score, heard=hit.heard)
    if stage and isinstance(entry, Phrase):
        event = replace(event, stage=stage.id, step=entry.step)
    return event


def _verdict(visit: Visit, entry: Phrase | CourtesyWord, why: str | None) -> Verdict:
    if entry.id in visit.heard:
        return "heard"
    return "unknown" if why or entry.id in visit.doubtful else "not_heard"


def why_unknown(visit: Visit, phrases: PhraseSet) -> str | None:
    """Why nobody can tell what was not said in a visit; None if one can."""
    if doubt := visit.understanding.doubt():
        return doubt
    if visit.gap:
        return LOST
    if visit.not_understood:
        return PARTLY
    if not visit.speech:
        return NO_SPEECH
    return None if is_service(visit, phrases) else NO_SERVICE


def is_service(visit: Visit, phrases: PhraseSet) -> bool:
    """Whether somebody was served, and it was no talk beside the counter: a person says so, a customer spoke, or enough
    of the phrase set was heard. After an aside, such as a telephone call, a greeting proves nothing.
    """
    if visit.stated or visit.customer:
        return True
    proof, tally = phrases.visit.service, visit.tally
    greetings = phrases.visit.opens if tally.get(ASIDE) else ()
    required = {
        phrase.id
        for phrase, stage in phrases.phrases()
        if phrase.required and phrase.id not in greetings and stage.id not in greetings
    }
    words = {word.id for word in phrases.word}
    judged = sum(tally.get(name, 0) for name in ("forbidden", "broken", "kept"))
    points = (
        proof.required * (len(required & visit.heard.keys()) + len(visit.scenarios))
        + proof.judged * judged
        + proof.recommended * tally.get("recommended", 0)
        + proof.word * len(words & visit.heard.keys())
    )
    return points >= proof.least


Part = tuple[float, Verdict, bool]
"""Of what was owed: its weight, its verdict, and whether it was late."""


def score_visit(parts: Iterable[Part], penalty: float, phrases: PhraseSet) -> VisitScore:
    """The score, grade and pass of a visit, in any order of its parts; the only place that decides them.

    With a part unknown there is none of them: full marks for half of what was owed would say what nobody heard, and to
    count such visits only where they fail would make the share of those that pass too small.
    """
    parts = list(parts)
    weight = fsum(part[0] for part in parts)
    if not weight or any(verdict == "unknown" for _, verdict, _ in parts):
        return VisitScore()
    scheme = phrases.score
    earned = fsum(share * (scheme.late if late else 1.0) for share, verdict, late in parts if verdict == "heard")
    score = round(min(100.0, max(0.0, 100 * earned / weight - penalty)), 1)
    reached = [grade for grade in scheme.grade if score >= grade.least]
    best = max(reached, key=lambda grade: grade.least).title if reached else None
    return VisitScore(score, best, score >= scheme.pass_mark)


def may_be_customer(hit: Hit, utterance: Utterance) -> bool:
    """Whether a customer may have said it: both sides use the wording, and the speaker is unknown."""
    return hit.shared and utterance.speaker == "unknown"


def _with_doubt(visit: Visit, hit: Hit) -> Visit:
    return visit if hit.owner in visit.doubtful else replace(visit, doubtful={**visit.doubtful, hit.owner: hit})


def _evidence(hit: Hit, utterance: Utterance) -> dict[str, object]:
    return {"wording": hit.wording, "end": round(hit.end, 2), "speaker": utterance.speaker}


def _counted(visit: Visit, name: str) -> Visit:
    return replace(visit, tally={**visit.tally, name: visit.tally.get(name, 0) + 1})


def _event(visit: Visit, kind: Kind, hit: Hit, verdict: Verdict, detail: Mapping[str, object]) -> Event:
    event = Event(kind, hit.start, visit=visit.number, phrase=hit.owner, verdict=verdict, detail=detail)
    return replace(event, score=hit.score, heard=hit.heard)
