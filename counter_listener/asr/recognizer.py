"""Speech to words with Vosk. The only module that imports vosk; nothing here can make it download a model."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

from counter_listener.asr.model_check import verify_model
from counter_listener.asr.model_files import model_fault
from counter_listener.asr.sound import SoundMeter
from counter_listener.asr.speaker_model import load_speaker_model
from counter_listener.domain import (
    SAMPLE_BYTES,
    SAMPLE_RATE,
    Gap,
    ModelError,
    StreamItem,
    Tick,
    Utterance,
    VisitToggle,
    Voice,
    Word,
    printable,
    sentence,
)

NEAR_GAP_SECONDS: Final = 4.0
"""An utterance that begins less than this after a gap counts as near the gap."""
DECODER_LAG: Final = 1.0
"""Seconds of audio that libvosk may have received but not decoded when an utterance ends."""
UNKNOWN_WORD: Final = "[unk]"
"""What a model writes for speech that is no word of its vocabulary."""


class Recognizer(Protocol):
    """Turns blocks of speech into words; times are in seconds of audio received so far."""

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        """The words of the utterance that this block ended (none if it was silence), or None while it continues."""

    def finish(self) -> tuple[Word, ...]:
        """The words that have not been returned yet. The recogniser can be used again afterwards."""


class VoskRecognizer:
    """The recogniser of one stream. Each recording needs a new one: it adapts to what it hears.

    With a speaker model it also gives the voice of each utterance.
    """

    def __init__(self, model: Any, speaker_model: Any = None) -> None:  # noqa: ANN401 - vosk has no types
        from vosk import KaldiRecognizer

        try:
            self.engine = KaldiRecognizer(model, SAMPLE_RATE)
        except Exception as error:  # noqa: BLE001 - libvosk raises the bare class
            raise ModelError("The speech model cannot be used ({error}); install it again.", error=str(error)) from None
        self.engine.SetWords(True)  # noqa: FBT003 - the signature of the engine
        self.last_voice: Voice | None = None
        if speaker_model is not None:
            self.engine.SetSpkModel(speaker_model)

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        return self._words(self.engine.Result()) if self.engine.AcceptWaveform(block) else None

    def finish(self) -> tuple[Word, ...]:
        return self._words(self.engine.FinalResult())

    def voice(self) -> Voice | None:
        """The voice of the utterance whose words were returned last; None without a speaker model or if too short."""
        return self.last_voice

    def _words(self, result: str) -> tuple[Word, ...]:
        self.last_voice = parse_voice(result)
        return parse_words(result)

    def partial(self) -> str:
        """The current hypothesis for the utterance. The call does not change what will be recognised."""
        return printable(json.loads(self.engine.PartialResult()).get("partial", "")).replace(UNKNOWN_WORD, "").strip()


@dataclass
class SpeechModel:
    """A Vosk model that is loaded when the first recording needs it."""

    folder: Path
    speakers: Path | None = None
    """The folder of a speaker model, if it is to be told who spoke."""

    @cached_property
    def model(self) -> Any:  # noqa: ANN401 - vosk has no types
        """The loaded model. Raises ModelError."""
        return load_model(self.folder)

    @property
    def name(self) -> str:
        """The name of the model's folder, and of the speaker model's, for both decide what is judged."""
        names = [self.folder.resolve().name, *([self.speakers.resolve().name] if self.speakers else [])]
        return "+".join(names)

    def recognizer(self) -> VoskRecognizer:
        """A new recogniser; each stream of audio needs its own. Raises ModelError."""
        return VoskRecognizer(self.model, None if self.speakers is None else load_speaker_model(self.speakers))


_SHARED: Final[dict[Path, Any]] = {}
"""Models loaded before this process was forked, by folder."""


def load_engine() -> None:
    """Loads libvosk, which needs a quarter of a second. A failure is reported when a model is loaded."""
    with suppress(Exception):
        import vosk  # noqa: F401


def share_model(folder: Path) -> None:
    """Loads a model into memory that all forks of this process share.

    A failure is reported by the forks, which try to load the model themselves.
    """
    with suppress(ModelError):
        _SHARED[folder.resolve()] = load_model(folder)


def load_model(folder: Path) -> Any:  # noqa: ANN401 - vosk has no types
    """The model in a folder. It is checked first: libvosk aborts the whole process on some damaged files.

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
        raise model_fault(
            folder, sentence("libvosk cannot load this model ({error}); install it again.", error=str(error))
        ) from None


def parse_words(result: str) -> tuple[Word, ...]:
    """The words of a Vosk result in JSON, without unknown words and control characters."""
    entries = json.loads(result).get("result", [])
    return tuple(
        Word(printable(entry["word"]), entry["start"], entry["end"], entry.get("conf", 1.0))
        for entry in entries
        if entry["word"] != UNKNOWN_WORD
    )


def parse_voice(result: str) -> Voice | None:
    """The voice in a Vosk result in JSON, if there is one."""
    table = json.loads(result)
    return Voice(tuple(table["spk"]), table["spk_frames"]) if "spk" in table else None


VoiceSource = Callable[[], Voice | None]
"""The voice of the utterance whose words a recogniser returned last."""


def no_voice() -> Voice | None:
    """None: of a recogniser without a speaker model."""
    return None


def transcribe(
    blocks: Iterable[bytes | Gap | VisitToggle],
    recognizer: Recognizer,
    since: float = 0.0,
    voice: VoiceSource = no_voice,
) -> Iterator[StreamItem]:
    """Each utterance when it ends, gaps and visit toggles unchanged, and a tick for every block.

    `since` is the time in the stream at which the first block begins, in seconds.
    """
    received, lost, settled, gap_end = 0, since, since, -NEAR_GAP_SECONDS
    meter = SoundMeter()
    for block in blocks:
        if isinstance(block, VisitToggle):  # what was said before the toggle belongs before it
            yield from make_utterance(recognizer.finish(), meter, lost, gap_end, settled, voice)
            yield block
            settled = max(settled, block.at)
            continue
        if isinstance(block, Gap):
            yield from make_utterance(recognizer.finish(), meter, lost, block.start, settled, voice)
            yield block
            gap_end = max(gap_end, block.start + block.seconds)
            before = max(0.0, since - block.start)  # nobody listened then, and no time of this stream passed
            lost += 0.0 if block.beside else block.seconds - before
            settled = max(settled, block.start if block.beside else gap_end)
            continue
        received += len(block) // SAMPLE_BYTES
        meter.add(block)
        now = received / SAMPLE_RATE + lost
        words = recognizer.accept(block)
        if words is not None:
            yield from make_utterance(words, meter, lost, gap_end, settled, voice)
            settled = max(settled, now - DECODER_LAG)
        yield Tick(now, settled)
    yield from make_utterance(recognizer.finish(), meter, lost, gap_end, settled, voice)
    yield Tick(received / SAMPLE_RATE + lost, received / SAMPLE_RATE + lost)


def make_utterance(  # noqa: PLR0913 - what is known of the stream so far
    words: tuple[Word, ...], meter: SoundMeter, lost: float, gap: float, settled: float, voice: VoiceSource = no_voice
) -> Iterator[Utterance]:
    """The words as one utterance in the time of the stream, to which lost audio counts; nothing if there are none.

    `gap` is the time of the last gap, in seconds; -NEAR_GAP_SECONDS or less if there was none. None of the words
    begins before `settled`: where a stream was cut within speech, libvosk may say that it did.
    """
    if words:
        sound = meter.sound(words)
        if lost or words[0].start < settled:
            words = tuple(_moved(word, lost, settled) for word in words)
        near_gap = words[0].start - gap < NEAR_GAP_SECONDS
        yield Utterance(words[0].start, words[-1].end, words, near_gap=near_gap, sound=sound, voice=voice())


def _moved(word: Word, lost: float, settled: float) -> Word:
    start = max(word.start + lost, settled)
    return replace(word, start=start, end=max(word.end + lost, start))
