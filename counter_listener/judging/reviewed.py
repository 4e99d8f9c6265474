"""What reviews make of the verdicts and the score of a visit. Pure: no review changes an event."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from counter_listener.domain import Event, PhraseSet, Review, Severity, Verdict
from counter_listener.judging.verdicts import Part, VisitScore, score_visit

VERDICTS_OF: Final[Mapping[str, tuple[Verdict, ...]]] = {
    "phrase": ("heard", "not_heard", "unknown"),
    "forbidden": ("forbidden", "not_heard", "unknown"),
    "rule": ("broken", "heard", "not_heard", "unknown"),
}
"""The verdicts that an event of each kind can have. An offence or a request that was `not_heard` was none."""
AGAINST: Final[frozenset[Verdict | None]] = frozenset({"not_heard", "forbidden", "broken"})
"""The verdicts that cost points."""
Subject = tuple[str | None, str | None, float]
"""What a review is about: the uid of an event; or the id of what was observed, and its time."""
WHOLE_VISIT: Final[Subject] = (None, None, 0.0)
"""The subject of a review of a visit as a whole."""


def subject(review: Review) -> Subject:
    """What a review is about. Two reviews with equal subjects contradict or confirm each other."""
    if review.event is not None:
        return review.event, None, 0.0
    return None, review.phrase, review.at


def standing_reviews(reviews: Iterable[Review], *, scored_only: bool = False) -> dict[Subject, Review]:
    """The last review of each subject that decides a verdict, the later the stronger; notes decide nothing.

    With `scored_only`, those that only teach are left out, so that the one before them stands.
    """
    deciding = (each for each in reviews if each.stands and (each.scored or not scored_only))
    return {subject(review): review for review in sorted(deciding, key=lambda each: each.seq)}


def effective_verdicts(
    events: Mapping[str, Event], reviews: Iterable[Review], *, scored_only: bool = False
) -> dict[str, Verdict]:
    """By uid of the events that have one: the verdict after the reviews. `uphold` restores that of the machine."""
    standing = standing_reviews(reviews, scored_only=scored_only)
    verdicts: dict[str, Verdict] = {}
    for uid, event in events.items():
        if event.verdict is None:
            continue
        review = standing.get((uid, None, 0.0))
        overturned = review is not None and review.action == "overturn" and review.verdict is not None
        verdicts[uid] = review.verdict if overturned and review and review.verdict else event.verdict
    return verdicts


def observed(reviews: Iterable[Review], *, scored_only: bool = False) -> list[Review]:
    """What persons saw or heard that the machine has no event of, each subject once."""
    standing = standing_reviews(reviews, scored_only=scored_only)
    return [review for (event, _, _), review in standing.items() if event is None and review.action == "observe"]


def score_after(events: Mapping[str, Event], reviews: Sequence[Review], phrases: PhraseSet) -> VisitScore:
    """The score of a closed visit after its reviews; without any, the one that was recorded.

    `events` are those of the visit, by uid, in order. A visit that was not judged has a score only once a person has
    given a verdict on something that is owed.
    """
    verdicts = effective_verdicts(events, reviews, scored_only=True)
    seen = observed(reviews, scored_only=True)
    not_begun = _stages_not_begun(events, verdicts, phrases)
    owed = [
        (uid, event)
        for uid, event in events.items()
        if uid in verdicts and event.detail.get("required") is True and event.stage not in not_begun
    ]
    weights = {phrase.id: phrase.weight for phrase, _ in phrases.phrases()}
    parts: list[Part] = [
        (weights.get(event.phrase or "", 1.0), verdicts[uid], _is_late(event, verdicts[uid])) for uid, event in owed
    ]
    parts += _observed_parts(seen, phrases)
    penalty = sum(_penalties(events, verdicts, phrases)) + sum(_observed_penalties(seen, phrases))
    judged = _was_judged(events) or any(verdicts[uid] != event.verdict for uid, event in owed)
    return score_visit(parts, penalty, phrases) if judged else VisitScore()


def _was_judged(events: Mapping[str, Event]) -> bool:
    """Whether the machine judged the visit. Earlier versions recorded no outcome: there the score tells."""
    close = next((event for event in reversed(list(events.values())) if event.kind == "visit_closed"), None)
    if close is None:
        return False
    outcome = close.detail.get("outcome")
    return close.score is not None if outcome is None else outcome in ("complete", "incomplete")


def _is_late(event: Event, verdict: Verdict) -> bool:
    """Whether it counts as late. What a person heard and the machine did not has no time of its own."""
    return verdict == event.verdict and "late" in event.detail


def _stages_not_begun(
    events: Mapping[str, Event], verdicts: Mapping[str, Verdict], phrases: PhraseSet
) -> Collection[str]:
    """The stages of scenarios that did not begin, according to the reviews."""
    denied = {
        event.phrase
        for uid, event in events.items()
        if event.detail.get("scenario") and verdicts.get(uid, "heard") != "heard"
    }
    return {stage.id for stage, scenario in phrases.stages() if scenario is not None and scenario.id in denied}


def _penalties(events: Mapping[str, Event], verdicts: Mapping[str, Verdict], phrases: PhraseSet) -> Iterator[float]:
    for uid, event in events.items():
        if verdicts.get(uid) in ("forbidden", "broken") and event.kind in ("forbidden", "rule"):
            yield _points(event.detail.get("severity"), phrases)


def _points(severity: object, phrases: PhraseSet) -> float:
    return {str(name): points for name, points in phrases.score.penalty.items()}.get(str(severity), 0.0)


def _observed_parts(seen: Iterable[Review], phrases: PhraseSet) -> Iterator[Part]:
    weights = {entry.id: entry.weight for entry in phrases.observe}
    for review in seen:  # what a person could not tell changes nothing
        if review.verdict and review.verdict != "unknown" and (weight := weights.get(review.phrase or "")):
            yield weight, review.verdict, False


def _observed_penalties(seen: Iterable[Review], phrases: PhraseSet) -> Iterator[float]:
    severities: dict[str, Severity] = {offence.id: offence.severity for offence in phrases.forbidden}
    severities |= {rule.id: rule.severity for rule in phrases.rule}
    for review in seen:
        if review.verdict in ("forbidden", "broken") and review.phrase in severities:
            yield _points(severities[review.phrase], phrases)


def observable(phrases: PhraseSet) -> dict[str, tuple[Literal["phrase", "forbidden", "rule"], tuple[Verdict, ...]]]:
    """What a person can enter that the machine has no event of: by id, its kind and the verdicts that it can have."""
    found: dict[str, tuple[Literal["phrase", "forbidden", "rule"], tuple[Verdict, ...]]] = {
        entry.id: ("phrase", ("heard", "not_heard", "unknown")) for entry in phrases.observe
    }
    found |= {entry.id: ("forbidden", ("forbidden", "not_heard")) for entry in phrases.forbidden}
    return found | {rule.id: ("rule", ("broken", "not_heard")) for rule in phrases.rule}


def worsens(before: Verdict | None, after: Verdict | None) -> bool:
    """Whether a verdict costs points that the one before did not."""
    return after in AGAINST and before not in AGAINST
