"""The figures of a model as a Markdown table, each beside what it must reach. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Row = tuple[str, str, str]
SETS: Final = {
    "joined": ("a person never heard", ".92 / .99"),
    "joined-noisy": ("the same in 12 dB noise and 0.3 s reverberation", "recall .88"),
    "voices": ("test voices", ".99 / .99"),
    "voices-noisy": ("test voices in 12 dB noise", ""),
}
NAMES: Final = {"phrase": "phrases", "known": "talk in the language model", "new": "talk outside it", "news": "news"}


def table(figures: Mapping[str, Any]) -> str:
    """Markdown, ending in a line break."""
    lines = [f"| {figures['model']} | measured | must reach |", "|---|---|---|"]
    lines += [f"| {what} | {measured} | {goal} |" for what, measured, goal in rows(figures)]
    return "\n".join(lines) + "\n"


def rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    """What was measured, the figure, and what it must reach (empty if nothing is asked)."""
    for name, (what, goal) in SETS.items():
        if one := figures.get(name):
            yield f"{what}: recall / precision ({one['owed']} owed)", _recall(one), goal
            yield f"{what}: false alarms an hour", f"{one['false_alarms_an_hour']:.1f}", ""
    for name, what, goal in (("news", "read news", "at most 2"), ("tuning", "read news for tuning", "")):
        if one := figures.get(name):
            measured = f"{one['false_alarms_an_hour']:.1f} ({one['false_alarms']} in {60 * one['hours']:.0f} min)"
            yield f"{what}: false alarms an hour", measured, goal
    for way, one in figures.get("words", {}).items():
        spread = ", ".join(f"{student} {100 * share:.0f}" for student, share in one["students"].items())
        measured = f"{_percent(one['by_sound'])} by sound ({spread}), {_percent(one['in_characters'])} in characters"
        yield f"which of 12 words, {way}", measured, "95 %" if way == "grammar" else ""
    if one := figures.get("dial"):
        measured = f"{one['hits']} of {one['phrases']} found, false in {one['false_alarms']} of {one['others']}"
        yield "grammar of 10 phrases and [unk]", measured, ""
    yield from _texts(figures)
    yield from _costs(figures.get("costs"))


def _recall(one: Mapping[str, Any]) -> str:
    low, high = one["recall_95"]
    return f"{one['recall']:.3f} ({low:.2f}-{high:.2f}) / {one['precision']:.3f}"


def _texts(figures: Mapping[str, Any]) -> Iterator[Row]:
    for name, one in figures.items():
        if not isinstance(one, Mapping):
            continue
        for key, unit in (("character_errors", "characters"), ("syllable_errors", "syllables")):
            if errors := one.get(key):
                measured = ", ".join(f"{NAMES[kind]} {_percent(rate)}" for kind, rate in sorted(errors.items()))
                yield f"{name}: {unit} wrong", measured, ""
        if times := one.get("word_times"):
            measured = (
                f"start {1000 * times['start_mean']:.0f} ms (95 %: {1000 * times['start_95']:.0f}), "
                f"end {1000 * times['end_mean']:.0f} ms (95 %: {1000 * times['end_95']:.0f})"
            )
            yield f"{name}: word times off by, on average", measured, "30 ms"


def _costs(one: Mapping[str, Any] | None) -> Iterator[Row]:
    if not one:
        return
    goals = {"speech": "at most 0.03"}
    yield "size", f"{one['size_mb']:.1f} MB", "at most 12 MB"
    yield "load", f"{one['load_seconds']:.2f} s", "under 0.3 s"
    yield "peak memory", f"{one['peak_mb']:.0f} MB, {one['bare_mb']:.0f} MB before loading", "under 90 MB"
    for name, factor in one["real_time_factor"].items():
        yield f"real-time factor on one core, {name}", f"{factor:.3f}", goals.get(name, "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
