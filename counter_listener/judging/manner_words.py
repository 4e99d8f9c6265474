"""The manner of one visit in words, for every screen and page. Pure."""

from typing import NamedTuple

from counter_listener.domain import VERDICTS, MannerFigure, PhraseSet, Translate, format_duration
from counter_listener.judging.manner import Figures, beyond


class MannerLine(NamedTuple):
    """One figure, as it is shown."""

    figure: MannerFigure
    title: str
    text: str
    """The figure with its unit, or that it cannot be told."""
    is_told: bool
    over: str
    """What is beyond its limit; empty if nothing is."""
    better: str
    """What to do instead."""


def manner_lines(figures: Figures, phrases: PhraseSet | None, _: Translate) -> list[MannerLine]:
    """The four figures of a visit; without a phrase set, without its limits."""
    titles: dict[MannerFigure, tuple[str, str]] = {
        "volume": (_("Volume"), _volume(figures, _)),
        "rate": (_("Speech rate"), _rate(figures, _)),
        "interruptions": (_("Interruptions"), f"{figures.interruptions}×"),
        "silence": (_("Longest silence"), _silence(figures, _)),
    }
    lines = []
    for name, (title, text) in titles.items():
        is_told = figures.value(name) is not None
        over = [one for one in (phrases.manner if phrases else ()) if one.figure == name and beyond(figures, one)]
        shown = text if is_told else _(VERDICTS["unknown"])
        better = next((one.better for one in over if one.better), "")
        lines.append(MannerLine(name, title, shown, is_told, _(", ").join(one.title for one in over), better))
    return lines


def voice_words(figures: Figures, _: Translate) -> str:
    """Whose voice volume and rate are of, where it is not the clerk's alone; else empty."""
    is_told = figures.level is not None or figures.rate is not None
    return _("one channel: volume and rate of both voices") if figures.voice == "unknown" and is_told else ""


def _volume(figures: Figures, _: Translate) -> str:
    text = _("{level:.0f} dBFS").format(level=figures.level or 0.0)
    if not figures.quiet:
        return text
    return text + _(", {share:.0%} of it too quiet").format(share=figures.quiet)


def _rate(figures: Figures, _: Translate) -> str:
    return _("{rate:.1f} syllables a second").format(rate=figures.rate or 0.0)


def _silence(figures: Figures, _: Translate) -> str:
    text = format_duration(figures.silence or 0.0)
    return text if not figures.waits else text + _(", {count} waits without a word").format(count=figures.waits)
