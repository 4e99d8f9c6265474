"""What one visit's record says of each phrase, offence and rule, and the score that follows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from counter_listener.domain import Event, Hit, Phrase, PhraseSet, RuleHit, Severity, Stage, Utterance, Verdict

SHARED = "customers say this as well, and the voice is unknown"
LOST = "audio was lost"
BESIDE_GAP = "audio was lost right beside it"
NO_SPEECH = "no speech was recognised"


@dataclass(frozen=True, slots=True)
class Visit:
    """An open visit: what has been heard in it so far."""

    number: int
    opened: float
    """Seconds into the stream."""
    speech_end: float
    """Seconds into the stream: the end of the last speech, or of the last gap."""
    gap: bool = False
    """Whether it lost audio, or may have."""
    speech: bool = False
    """Whether anything was recognised."""
    farewell: Literal["clear", "shared"] | None = None
    """The last farewell: one that only clerks say, or one that customers say too."""
    since_farewell: int = 0
    """Units of speech since the last farewell."""
    heard: Mapping[str, float] = field(default_factory=dict)
    """Seconds after it was owed, by id, of each phrase and courtesy word heard."""
    doubtful: Mapping[str, Hit] = field(default_factory=dict)
    """The first hit of each phrase and courtesy word that so far a customer may have said."""
    scenarios: Mapping[str, float] = field(default_factory=dict)
    """Seconds into the stream at which each scenario began."""
    tally: Mapping[str, int] = field(default_factory=dict)
    """How many recommended phrases, offences, rules kept and broken, and accusations in doubt."""
    penalty: float = 0.0
    """Points lost so far."""


VisitUpdate = tuple[Visit, Event | None]


def owed_phrases(phrases: PhraseSet, visit: Visit) -> Iterator[tuple[Phrase, Stage, float]]:
    """Every phrase owed in this visit, with its stage and the time from which it is owed, in seconds."""
    for stage, scenario in phrases.stages():
        since = visit.opened if scenario is None else visit.scenarios.get(scenario.id)
        if since is not None:
            yield from ((phrase, stage, since) for phrase in stage.phrase if phrase.required)


def on_hit(visit: Visit, hit: Hit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """A phrase of a stage was heard: an event the first time, or none if a customer may have said it."""
    if hit.owner in visit.heard:
        return visit, None
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
    since = next((begun for p, _, begun in owed_phrases(phrases, visit) if p.id == phrase.id), visit.opened)
    over = hit.start - since - phrase.within if phrase.within is not None else 0.0
    detail = {"title": phrase.name, "required": phrase.required, **_evidence(hit, utterance)}
    if over > 0:
        detail["late"] = round(over, 2)
    visit = replace(visit, heard={**visit.heard, hit.owner: max(0.0, over)})
    if not phrase.required:
        visit = replace(visit, tally=_plus(visit.tally, "recommended"))
    return visit, _told(visit, "phrase", hit, "heard", detail, stage=stage.id, step=phrase.step)


def on_word(visit: Visit, hit: Hit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """A courtesy word was heard, alone or inside a phrase."""
    word = next(word for word in phrases.word if word.id == hit.owner)
    if hit.owner in visit.heard:
        return visit, None
    if may_be_customer(hit, utterance):
        return _with_doubt(visit, hit), None
    detail = {"title": word.name, "courtesy_word": True, **_evidence(hit, utterance)}
    visit = replace(visit, heard={**visit.heard, hit.owner: 0.0})
    return visit, _told(visit, "phrase", hit, "heard", detail)


def on_offence(visit: Visit, hit: Hit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """Something forbidden was heard, from a clerk, or from a voice that may be a customer's."""
    offence = next(one for one in phrases.forbidden if one.id == hit.owner)
    detail = {
        "title": offence.name,
        "class": offence.class_,
        "severity": offence.severity,
        **_evidence(hit, utterance),
    }
    doubt = SHARED if may_be_customer(hit, utterance) else BESIDE_GAP if utterance.near_gap and offence.unless else None
    return _accuse(visit, hit, "forbidden", "forbidden", offence.severity, detail, doubt, phrases)


def on_rule(visit: Visit, found: RuleHit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """A rule applied: it was kept, or it was broken."""
    rule = next(rule for rule in phrases.rule if rule.id == found.hit.owner)
    detail = {"title": rule.title, "severity": rule.severity, **_evidence(found.hit, utterance)}
    if found.kept:
        return replace(visit, tally=_plus(visit.tally, "kept")), _told(visit, "rule", found.hit, "heard", detail)
    doubt = SHARED if may_be_customer(found.hit, utterance) else BESIDE_GAP if utterance.near_gap else None
    return _accuse(visit, found.hit, "rule", "broken", rule.severity, detail, doubt, phrases)


def on_trigger(visit: Visit, hit: Hit, phrases: PhraseSet, utterance: Utterance) -> VisitUpdate:
    """A scenario began: from now on its stages are owed."""
    if hit.owner in visit.scenarios:
        return visit, None
    scenario = next(one for one in phrases.scenario if one.id == hit.owner)
    visit = replace(visit, scenarios={**visit.scenarios, hit.owner: hit.start})
    detail = {"title": scenario.title, "scenario": True, **_evidence(hit, utterance)}
    return visit, _told(visit, "phrase", hit, "heard", detail)


def _accuse(  # noqa: PLR0913 - offences and broken rules meet here so that doubt is weighed in one place
    visit: Visit,
    hit: Hit,
    kind: Literal["forbidden", "rule"],
    verdict: Literal["forbidden", "broken"],
    severity: Severity,
    detail: dict[str, object],
    doubt: str | None,
    phrases: PhraseSet,
) -> VisitUpdate:
    if doubt:
        visit = replace(visit, tally=_plus(visit.tally, "doubtful"))
        return visit, _told(visit, kind, hit, "unknown", {**detail, "reason": doubt})
    points = visit.penalty + phrases.score.penalty.get(severity, 0.0)
    visit = replace(visit, tally=_plus(visit.tally, verdict), penalty=points)
    return visit, _told(visit, kind, hit, verdict, detail)


def settle(visit: Visit, phrases: PhraseSet, at: float, reason: str) -> tuple[Event, ...]:
    """The verdicts that only the close of a visit can give, and the close itself, all at the time `at` (seconds)."""
    owed = list(owed_phrases(phrases, visit))
    verdicts = {phrase.id: _verdict_on(visit, phrase) for phrase, _, _ in owed}
    events = [open_verdict(visit, phrase, stage, at) for phrase, stage, _ in owed if phrase.id not in visit.heard]
    events += doubts(visit, phrases, set(verdicts), at)
    score = score_of(visit, phrases, [(phrase, verdicts[phrase.id]) for phrase, _, _ in owed])
    detail = {
        "reason": reason,
        "opened": round(visit.opened, 2),
        "seconds": round(max(0.0, visit.speech_end - visit.opened), 2),
        "lost_audio": visit.gap,
        "grade": grade_of(score, phrases),
        "passed": None if score is None else score >= phrases.score.pass_mark,
        "counts": counts(visit, list(verdicts.values())),
        "scenarios": sorted(visit.scenarios),
    }
    return (*events, Event("visit_closed", at, visit=visit.number, score=score, detail=detail))


def counts(visit: Visit, verdicts: list[Verdict]) -> dict[str, int]:
    """How many phrases were owed and what became of them; recommended ones heard; offences and rules by verdict."""
    of_owed = {name: verdicts.count(name) for name in ("heard", "not_heard", "unknown")}
    others = {name: visit.tally.get(name, 0) for name in ("recommended", "forbidden", "broken", "kept", "doubtful")}
    return {"owed": len(verdicts), **of_owed, **others}


def open_verdict(visit: Visit, phrase: Phrase, stage: Stage, at: float) -> Event:
    """What is said at the close of an owed phrase that was not heard for certain."""
    hit = visit.doubtful.get(phrase.id)
    reason = _why_unknown(visit, phrase)
    detail: dict[str, object] = {"title": phrase.name, "required": True}
    if hit:
        detail |= _said(hit)
    if reason:
        detail["reason"] = reason
    return Event(
        "phrase",
        at,
        visit=visit.number,
        stage=stage.id,
        step=phrase.step,
        phrase=phrase.id,
        verdict="unknown" if reason else "not_heard",
        score=hit.score if hit else None,
        heard=hit.heard if hit else None,
        detail=detail,
    )


def _verdict_on(visit: Visit, phrase: Phrase) -> Verdict:
    if phrase.id in visit.heard:
        return "heard"
    return "unknown" if _why_unknown(visit, phrase) else "not_heard"


def _why_unknown(visit: Visit, phrase: Phrase) -> str | None:
    """Of an owed phrase not heard for certain: why nobody can say that it was not said; None where one can."""
    if phrase.id in visit.doubtful:
        return SHARED
    return LOST if visit.gap else None if visit.speech else NO_SPEECH


def doubts(visit: Visit, phrases: PhraseSet, settled: set[str], at: float) -> Iterator[Event]:
    """Recommended phrases and courtesy words that were only heard from a voice that may be a customer's."""
    named: dict[str, tuple[str, str | None, str | None]] = {word.id: (word.name, None, None) for word in phrases.word}
    named |= {phrase.id: (phrase.name, stage.id, phrase.step) for phrase, stage in phrases.phrases()}
    for owner, hit in visit.doubtful.items():
        if owner in visit.heard or owner in settled:
            continue
        title, stage, step = named[owner]
        detail: dict[str, object] = {"title": title, "required": False, **_said(hit), "reason": SHARED}
        if stage is None:
            detail["courtesy_word"] = True
        yield _told(visit, "phrase", hit, "unknown", detail, stage=stage, step=step, at=at)


def score_of(visit: Visit, phrases: PhraseSet, owed: list[tuple[Phrase, Verdict]]) -> float | None:
    """0-100: the share of the owed weight that was heard, less the points lost; None where nothing could be judged."""
    known = [(phrase, verdict) for phrase, verdict in owed if verdict != "unknown"]
    weight = sum(phrase.weight for phrase, _ in known)
    if not weight:
        return None
    earned = sum(
        phrase.weight * (phrases.score.late if visit.heard[phrase.id] > 0 else 1.0)
        for phrase, verdict in known
        if verdict == "heard"
    )
    return round(min(100.0, max(0.0, 100 * earned / weight - visit.penalty)), 1)


def grade_of(score: float | None, phrases: PhraseSet) -> str | None:
    """The title of the best grade that the score reaches."""
    reached = [grade for grade in phrases.score.grade if score is not None and score >= grade.least]
    return max(reached, key=lambda grade: grade.least).title if reached else None


def may_be_customer(hit: Hit, utterance: Utterance) -> bool:
    """Whether a customer may have said it: a wording both sides use, from a voice that nobody told apart."""
    return hit.shared and utterance.speaker == "unknown"


def _with_doubt(visit: Visit, hit: Hit) -> Visit:
    return visit if hit.owner in visit.doubtful else replace(visit, doubtful={**visit.doubtful, hit.owner: hit})


def _evidence(hit: Hit, utterance: Utterance) -> dict[str, object]:
    return {"wording": hit.wording, "end": round(hit.end, 2), "speaker": utterance.speaker}


def _said(hit: Hit) -> dict[str, object]:
    """Where the words of an event are that only the close of the visit tells."""
    return {"said_at": round(hit.start, 2), "end": round(hit.end, 2), "wording": hit.wording}


def _plus(tally: Mapping[str, int], name: str) -> dict[str, int]:
    return {**tally, name: tally.get(name, 0) + 1}


def _told(  # noqa: PLR0913 - an event has this many sides
    visit: Visit,
    kind: Literal["phrase", "forbidden", "rule"],
    hit: Hit,
    verdict: Verdict,
    detail: Mapping[str, object],
    *,
    stage: str | None = None,
    step: str | None = None,
    at: float | None = None,
) -> Event:
    return Event(
        kind,
        hit.start if at is None else at,
        visit=visit.number,
        stage=stage,
        step=step,
        phrase=hit.owner,
        verdict=verdict,
        score=hit.score,
        heard=hit.heard,
        detail=detail,
    )
