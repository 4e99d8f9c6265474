"""A closed visit, and the day at a counter, in a few words: for the screen, and for who quits."""

from collections.abc import Iterable, Iterator
from typing import Final

from counter_listener.domain import _, ngettext, printable, visit_word
from counter_listener.live import ClosedVisit, Day

UNJUDGED: Final = frozenset({"not_understood", "no_service"})
"""Outcomes of visits of which nothing else is told."""
MOST_MISSED: Final = 3


def closed_parts(visit: ClosedVisit) -> Iterator[tuple[str, str]]:
    """A closed visit as parts of a line with their styles, without any words of the customer."""
    word = visit_word(visit.grade, visit.outcome, _)
    if visit.score is None:
        yield word or _("no score"), "yellow"
    else:
        score = _("{score:g} {grade}").format(score=visit.score, grade=word)
        yield score.strip(), "green" if visit.passed else "red"
    if visit.outcome in UNJUDGED:
        return
    if visit.missed:
        yield "  " + _("not heard: {titles}").format(titles=_joined(visit.missed)), "red"
    if visit.unknown:
        yield "  " + _("cannot be told: {titles}").format(titles=_joined(visit.unknown)), "yellow"
    if visit.lost:
        yield _(" (audio was lost)"), "yellow"


def day_line(day: Day) -> str:
    """The figures of the day in one line."""
    visits = ngettext("Today: {count} visit, {passed} passed", "Today: {count} visits, {passed} passed", day.visits)
    mean = _(", mean {mean:.1f}").format(mean=day.points / day.scored) if day.scored else ""
    offences = _(", {count} forbidden").format(count=day.offences)
    return visits.format(count=day.visits, passed=day.passed) + mean + offences


def day_summary(day: Day) -> Iterator[str]:
    """What the day was, for who quits; nothing for a day without visits."""
    if not day.visits:
        return
    yield day_line(day)
    if day.scored:
        text = _("Passed: {share:.0%} of the {count} visits with a score")
        yield text.format(share=day.passed / day.scored, count=day.scored)
    worst = sorted(day.missed.items(), key=lambda each: -each[1])[:MOST_MISSED]
    if worst:
        each = _("{title} ({count}×)")
        titles = (each.format(title=printable(title), count=count) for title, count in worst)
        yield _("Most often not heard: {titles}").format(titles=_(", ").join(titles))


def _joined(titles: Iterable[str]) -> str:
    return "、".join(map(printable, titles))
