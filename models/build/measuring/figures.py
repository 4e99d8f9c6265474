"""The figures of one set: how well phrases were found, what was missed and misheard, text and word times. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from counter_listener.domain.statistics import wilson_interval
from counter_listener.evaluation.evaluation import as_found
from counter_listener.evaluation.scoring import Counts, count, f1_interval, total
from models.build.measuring.heard import Recording
from models.build.measuring.sets import Labelled
from models.build.measuring.texts import added, errors_by_kind, percentile, time_errors

Pairs = Sequence[tuple[Labelled, Recording]]
AROUND = 0.2
"""Seconds around what was missed from which the words heard are told."""


def scores(files: Sequence[Mapping[str, Counts]], hours: float) -> dict[str, Any]:
    """Recall, precision and F1 with 95 % intervals, and false alarms an hour; only these where nothing was owed."""
    sums = [total(file.values()) for file in files]
    whole = total(sums)
    told: dict[str, Any] = {
        "owed": whole.owed,
        "hits": whole.hits,
        "false_alarms": whole.false_alarms,
        "false_alarms_an_hour": whole.false_alarms / hours if hours else 0.0,
    }
    if whole.owed:
        told |= {
            "recall": whole.recall,
            "recall_95": wilson_interval(whole.hits, whole.owed),
            "precision": whole.precision,
            "precision_95": wilson_interval(whole.hits, whole.hits + whole.false_alarms),
            "f1": whole.f1,
            "f1_95": f1_interval(sums),
        }
    return told


def texts(pairs: Pairs) -> dict[str, Any]:
    """Error rates by kind of sentence, in characters and in toneless syllables."""
    return {
        key: {
            kind: errors.rate
            for kind, errors in added(
                errors_by_kind(one.lines, told.words, by_sound=by_sound) for one, told in pairs
            ).items()
        }
        for key, by_sound in (("character_errors", False), ("syllable_errors", True))
    }


def word_times(pairs: Pairs) -> dict[str, Any]:
    """How far word times are from the truth, in seconds: mean and 95th percentile without sign, and the bias."""
    errors = [error for one, told in pairs for error in time_errors(one.lines, told.words)]
    figures: dict[str, Any] = {"words": len(errors)}
    for side, name in enumerate(("start", "end")):
        signed = [error[side] for error in errors]
        plain = [abs(error) for error in signed]
        figures |= {
            f"{name}_mean": sum(plain) / max(1, len(plain)),
            f"{name}_95": percentile(plain, 0.95),
            f"{name}_bias": sum(signed) / max(1, len(signed)),
        }
    return {"word_times": figures}


def misses(one: Labelled, told: Recording) -> list[dict[str, Any]]:
    """What was owed and not found, with the words heard about then."""
    return [
        {
            "file": one.label.path.name,
            "id": said.id,
            "at": said.start,
            "said": one.text(said.start, said.end),
            "heard": " ".join(
                word.text for word in told.words if word.end > said.start - AROUND and word.start < said.end + AROUND
            ),
        }
        for said in one.label.said
        if count([said], told.found)[said.id].misses
    ]


def alarms(one: Labelled, told: Recording) -> list[dict[str, Any]]:
    """What was found and not said, with what was said instead."""
    return [
        {
            "file": one.label.path.name,
            "id": hit.owner,
            "at": hit.start,
            "said": one.text(hit.start, hit.end),
            "heard": hit.heard,
            "wording": hit.wording,
            "score": hit.score,
        }
        for hit in told.hits
        if count(one.label.said, [as_found(hit)])[hit.owner].false_alarms
    ]
