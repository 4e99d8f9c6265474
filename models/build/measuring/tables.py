"""The figures of a model as a Markdown table, each with its target. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Row = tuple[str, str, str]
SETS: Final = {
    "joined": ("unknown speaker", ".92 / .99"),
    "joined-noisy": ("unknown speaker in 12 dB noise and 0.3 s reverberation", "recall .88"),
    "voices": ("test voices", ".99 / .99"),
    "voices-noisy": ("test voices in 12 dB noise", ""),
    "natural": ("natural test voices", ".98 / .99"),
    "natural-noisy": ("natural test voices in 12 dB noise and 0.3 s reverberation", ".93 / .98"),
    "natural-far": ("natural test voices 3 m from the microphone", ".93 / .98"),
}
SEXES: Final = {"f": "woman", "m": "man"}
"""By the second letter of the name of a natural voice."""
OWN_WORDS: Final = {
    "owed": ("own words, owed", ".93", ".83"),
    "required": ("own words, required", "", ".86"),
    "rude": ("own words, rude remarks", "", ".68"),
}
"""What is said, the aim for the share of what is found as text, and the aim end to end."""
KINDS: Final = {
    "phrase": "phrases",
    "known": "other speech in the language model",
    "new": "other speech outside it",
    "news": "news",
}


def table(figures: Mapping[str, Any]) -> str:
    """Markdown, with a line break at the end."""
    lines = [f"| {figures['model']} | measured | target |", "|---|---|---|"]
    lines += [f"| {what} | {measured} | {target} |" for what, measured, target in rows(figures)]
    return "\n".join(lines) + "\n"


def rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    """What was measured, the figure, and its target (empty if there is none)."""
    for name, (what, target) in SETS.items():
        if scores := figures.get(name):
            yield f"{what}: recall / precision ({scores['owed']} owed)", _recall(scores), target
            yield f"{what}: false alarms per hour", f"{scores['false_alarms_an_hour']:.1f}", ""
            for voice, voice_scores in scores.get("by_voice", {}).items():
                yield f"{what}: {voice} ({SEXES[voice[1]]}, {voice_scores['owed']} owed)", _recall(voice_scores), ""
    yield from _own_words_rows(figures.get("own-words-spoken"))
    for name, what, target in (("news", "read news", "at most 2"), ("tuning", "read news for tuning", "")):
        if scores := figures.get(name):
            minutes = 60 * scores["hours"]
            measured = f"{scores['false_alarms_an_hour']:.1f} ({scores['false_alarms']} in {minutes:.0f} min)"
            yield f"{what}: false alarms per hour", measured, target
    for mode, scores in figures.get("words", {}).items():
        students = ", ".join(f"{student} {100 * share:.0f}" for student, share in scores["students"].items())
        by_sound, in_characters = _percent(scores["by_sound"]), _percent(scores["in_characters"])
        measured = f"{by_sound} by sound ({students}), {in_characters} in characters"
        yield f"which of 12 words, {mode}", measured, "95 %" if mode == "grammar" else ""
    if counts := figures.get("dial"):
        false_alarms = f"{counts['false_alarms']} of {counts['others']}"
        measured = f"{counts['hits']} of {counts['phrases']} found, false in {false_alarms}"
        yield "grammar of 10 phrases and [unk]", measured, ""
    yield from _text_rows(figures)
    yield from _confidence_rows(figures)
    yield from _cost_rows(figures.get("costs"))


def _own_words_rows(figures: Mapping[str, Any] | None) -> Iterator[Row]:
    if not figures:
        return
    for name, (what, aim_of_text, aim) in OWN_WORDS.items():
        part = figures[name]
        yield f"{what}: of what is found as text, found in sound", _share(part["of_text"]), aim_of_text
        yield f"{what}: end to end (as text {part['as_text']['share']:.3f})", _share(part["end_to_end"]), aim
        for voice, hits in part["voices"].items():
            yield f"{what}: end to end, {voice} ({SEXES[voice[1]]})", _share(hits), ""
    yield (
        "innocent sentences taken for anything; accused",
        "; ".join(
            f"{part['hits']} of {part['of']}" for part in (figures["innocent"]["taken"], figures["innocent"]["accused"])
        ),
        "",
    )


def _share(part: Mapping[str, Any]) -> str:
    low, high = part["share_95"]
    return f"{part['share']:.3f} ({low:.2f}-{high:.2f}), {part['hits']} of {part['of']}"


def _confidence_rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    for name, measured in figures.items():
        if isinstance(measured, Mapping) and (found := measured.get("confidence")):
            yield f"{name}: expected calibration error ({found['words']} words)", f"{found['error']:.3f}", ""
            for one in found["bins"]:
                what = f"{name}: words of confidence {one['from']:.2f} to {one['to']:.2f}, mean {one['confidence']:.2f}"
                yield f"{what} ({one['words']})", f"{_percent(one['right'])} right", ""


def _recall(scores: Mapping[str, Any]) -> str:
    low, high = scores["recall_95"]
    return f"{scores['recall']:.3f} ({low:.2f}-{high:.2f}) / {scores['precision']:.3f}"


def _text_rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    for name, measured in figures.items():
        if not isinstance(measured, Mapping):
            continue
        for key, unit in (("character_errors", "characters"), ("syllable_errors", "syllables")):
            if rates := measured.get(key):
                text = ", ".join(f"{KINDS[kind]} {_percent(rate)}" for kind, rate in sorted(rates.items()))
                yield f"{name}: {unit} wrong", text, ""
        if times := measured.get("word_times"):
            text = (
                f"start {1000 * times['start_mean']:.0f} ms (95 %: {1000 * times['start_95']:.0f}), "
                f"end {1000 * times['end_mean']:.0f} ms (95 %: {1000 * times['end_95']:.0f})"
            )
            yield f"{name}: mean error of word times", text, "30 ms"


def _cost_rows(costs: Mapping[str, Any] | None) -> Iterator[Row]:
    if not costs:
        return
    targets = {"speech": "at most 0.03"}
    yield "size", f"{costs['size_mb']:.1f} MB", "at most 12 MB"
    yield "loading time", f"{costs['load_seconds']:.2f} s", "under 0.3 s"
    yield "peak memory", f"{costs['peak_mb']:.0f} MB, {costs['bare_mb']:.0f} MB before loading", "under 90 MB"
    for name, factor in costs["real_time_factor"].items():
        yield f"real-time factor on one core, {name}", f"{factor:.3f}", targets.get(name, "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
