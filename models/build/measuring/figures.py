"""The figures of one set: detection scores, misses, false alarms, text errors and word times. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from counter_listener.domain import wilson_interval
from counter_listener.evaluation import Counts, as_detection, count, f1_interval, total
from models.build.measuring.labelled_sets import LabelledRecording
from models.build.measuring.recognition import RecognisedRecording
from models.build.measuring.text_errors import add_errors, errors_by_kind, percentile, time_errors

Pairs = Sequence[tuple[LabelledRecording, RecognisedRecording]]
MARGIN = 0.2
"""Seconds around a missed phrase from which the recognised words are listed."""


def scores(files: Sequence[Mapping[str, Counts]], hours: float) -> dict[str, Any]:
    """Recall, precision and F1 with 95 % intervals, and false alarms per hour; only the latter if nothing was owed."""
    sums = [total(file.values()) for file in files]
    counts = total(sums)
    figures: dict[str, Any] = {
        "owed": counts.owed,
        "hits": counts.hits,
        "false_alarms": counts.false_alarms,
        "false_alarms_an_hour": counts.false_alarms / hours if hours else 0.0,
    }
    if counts.owed:
        figures |= {
            "recall": counts.recall,
            "recall_95": wilson_interval(counts.hits, counts.owed),
            "precision": counts.precision,
            "precision_95": wilson_interval(counts.hits, counts.hits + counts.false_alarms),
            "f1": counts.f1,
            "f1_95": f1_interval(sums),
        }
    return figures


def by_voice(pairs: Pairs, files: Sequence[Mapping[str, Counts]]) -> dict[str, Any]:
    """The scores of the recordings in which each voice speaks the phrases, by voice."""
    groups: dict[str, list[tuple[float, Mapping[str, Counts]]]] = {}
    for (labelled, _), counts in zip(pairs, files, strict=True):
        voice = next(line.voice for line in labelled.lines if line.kind == "phrase")
        groups.setdefault(voice, []).append((labelled.label.seconds, counts))
    return {
        voice: scores([counts for _, counts in group], sum(seconds for seconds, _ in group) / 3600)
        for voice, group in sorted(groups.items())
    }


def text_error_rates(pairs: Pairs) -> dict[str, Any]:
    """Error rates by kind of sentence, in characters and in toneless syllables."""
    return {
        key: {
            kind: errors.rate
            for kind, errors in add_errors(
                errors_by_kind(labelled.lines, recognised.words, by_sound=by_sound) for labelled, recognised in pairs
            ).items()
        }
        for key, by_sound in (("character_errors", False), ("syllable_errors", True))
    }


def word_time_errors(pairs: Pairs) -> dict[str, Any]:
    """Errors of word times in seconds: mean and 95th percentile of the absolute errors, and the bias."""
    errors = [error for labelled, recognised in pairs for error in time_errors(labelled.lines, recognised.words)]
    figures: dict[str, Any] = {"words": len(errors)}
    for side, name in enumerate(("start", "end")):
        signed = [error[side] for error in errors]
        absolute = [abs(error) for error in signed]
        figures |= {
            f"{name}_mean": sum(absolute) / max(1, len(absolute)),
            f"{name}_95": percentile(absolute, 0.95),
            f"{name}_bias": sum(signed) / max(1, len(signed)),
        }
    return {"word_times": figures}


def misses(labelled: LabelledRecording, recognised: RecognisedRecording) -> list[dict[str, Any]]:
    """The owed phrases that were not found, with the words recognised at that time."""
    return [
        {
            "file": labelled.label.path.name,
            "id": phrase.id,
            "at": phrase.start,
            "said": labelled.text(phrase.start, phrase.end),
            "heard": " ".join(
                word.text
                for word in recognised.words
                if word.end > phrase.start - MARGIN and word.start < phrase.end + MARGIN
            ),
        }
        for phrase in labelled.label.phrases
        if count([phrase], recognised.found)[phrase.id].misses
    ]


def false_alarms(labelled: LabelledRecording, recognised: RecognisedRecording) -> list[dict[str, Any]]:
    """The phrases that were found but not said, with what was said instead."""
    return [
        {
            "file": labelled.label.path.name,
            "id": hit.owner,
            "at": hit.start,
            "said": labelled.text(hit.start, hit.end),
            "heard": hit.heard,
            "wording": hit.wording,
            "score": hit.score,
        }
        for hit in recognised.hits
        if count(labelled.label.phrases, [as_detection(hit)])[hit.owner].false_alarms
    ]
