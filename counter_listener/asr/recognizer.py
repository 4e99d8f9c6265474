"""Speech to words with Vosk. The only module that knows vosk; nothing here can make it download a model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from counter_listener.asr.model_files import verify_model
from counter_listener.domain import (
    SAMPLE_BYTES,
    SAMPLE_RATE,
    Gap,
    ModelError,
    StreamItem,
    Tick,
    Utterance,
    VisitToggle,
    Word,
    printable,
    sentence,
)

NEAR_GAP_SECONDS: Final = 4.0
"""Seconds after a gap in which speech is beside it."""
DECODER_LAG: Final = 1.0
"""Seconds that libvosk may hold back: what it has been fed but not decoded when an utterance ends."""
UNKNOWN_WORD: Final = "[unk]"
"""What a model writes where it heard speech but no word it knows."""


class Recognizer(Protocol):
    """Turns blocks of speech into words; times are seconds of audio fed so far."""

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        """The words of the utterance that this block ended (none if it was silence), or None while it goes on."""
        ...

    def finish(self) -> tuple[Word, ...]:
        """The words of what has not been given out yet; the recogniser can be fed again afterwards."""
        ...


class VoskRecognizer:
    """One stream's recogniser. Make a new one for each recording: it adapts to what it hears."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - vosk has no types
        from vosk import KaldiRecognizer

        try:
            self.engine = KaldiRecognizer(model, SAMPLE_RATE)
        except Exception as error:  # noqa: BLE001 - libvosk raises the bare class
            raise ModelError("The speech model cannot be used ({error}); install it again.", error=str(error)) from None
        self.engine.SetWords(True)  # noqa: FBT003 - as the engine has it

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        return parse_words(self.engine.Result()) if self.engine.AcceptWaveform(block) else None

    def finish(self) -> tuple[Word, ...]:
        return parse_words(self.engine.FinalResult())

    def partial(self) -> str:
        """What the utterance holds so far, by the engine's guess; asking changes nothing in what it will hear."""
        return printable(json.loads(self.engine.PartialResult()).get("partial", "")).replace(UNKNOWN_WORD, "").strip()


_SHARED: Final[dict[Path, Any]] = {}
"""Models loaded before this process was copied from another, by folder."""


def load_engine() -> None:
    """Loads libvosk, which takes a quarter of a second; what is wrong with it is told when a model is loaded."""
    with suppress(Exception):
        import vosk  # noqa: F401


def share_model(folder: Path) -> None:
    """Loads a model for all copies of this process, which then have it in common.

    What is wrong with it is told by them: they try to load it themselves.
    """
    with suppress(ModelError):
        _SHARED[folder.resolve()] = load_model(folder)


def load_model(folder: Path) -> Any:  # noqa: ANN401 - vosk has no types
    """The model in a folder, checked first: libvosk aborts the whole program on some damaged files.

    Raises ModelError.
    """
    if (shared := _SHARED.get(folder.resolve())) is not None:
        return shared
    verify_model(folder)
    from vosk import Model, SetLogLevel

    SetLogLevel(-1)
    try:
        return Model(model_path=str(folder.resolve()))
    except Exception as error:  # noqa: BLE001 - libvosk raises the bare class
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("libvosk cannot load this model ({error}); install it again.", error=str(error)),
        ) from None


def parse_words(result: str) -> tuple[Word, ...]:
    """The words of a Vosk result, which is JSON; garbage and control characters are left out."""
    entries = json.loads(result).get("result", [])
    return tuple(
        Word(printable(entry["word"]), entry["start"], entry["end"], entry.get("conf", 1.0))
        for entry in entries
        if entry["word"] != UNKNOWN_WORD
    )


def transcribe(
    blocks: Iterable[bytes | Gap | VisitToggle], recognizer: Recognizer, since: float = 0.0
) -> Iterator[StreamItem]:
    """Utterances as they end, gaps and keys as they come, and a tick for every block.

    `since` is where in the stream the first block begins, in seconds.
    """
    fed, lost, settled, gap_end = 0, since, since, -NEAR_GAP_SECONDS
    for block in blocks:
        if isinstance(block, VisitToggle):  # what was said before the key belongs before it
            yield from as_utterance(recognizer.finish(), lost, gap_end)
            yield block
            settled = max(settled, block.at)
            continue
        if isinstance(block, Gap):
            yield from as_utterance(recognizer.finish(), lost, block.start)
            yield block
            lost += block.seconds
            settled = gap_end = block.start + block.seconds
            continue
        fed += len(block) // SAMPLE_BYTES
        now = fed / SAMPLE_RATE + lost
        heard = recognizer.accept(block)
        if heard is not None:
            yield from as_utterance(heard, lost, gap_end)
            settled = max(settled, now - DECODER_LAG)
        yield Tick(now, settled)
    yield from as_utterance(recognizer.finish(), lost, gap_end)
    yield Tick(fed / SAMPLE_RATE + lost, fed / SAMPLE_RATE + lost)


def as_utterance(heard: tuple[Word, ...], lost: float, gap: float) -> Iterator[Utterance]:
    """The words as one utterance in the stream's time, which counts lost audio too; nothing if there are none.

    `gap` is where audio was lost last, in seconds; -BESIDE or less where none was.
    """
    if heard:
        moved = tuple(replace(word, start=word.start + lost, end=word.end + lost) for word in heard) if lost else heard
        beside = moved[0].start - gap < NEAR_GAP_SECONDS
        yield Utterance(moved[0].start, moved[-1].end, moved, near_gap=beside)
