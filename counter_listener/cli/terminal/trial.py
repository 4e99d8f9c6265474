"""A visit for a try: some seconds of the microphone through the whole chain, and what was found; nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from counter_listener.cli.options import monotonic_clock
from counter_listener.domain import MatchedUtterance

if TYPE_CHECKING:
    from pathlib import Path

    from counter_listener.live import Config

QUIET_SECONDS: Final = 0.6
"""How long to listen on after something was said."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a visit for a try gave."""

    heard: str
    """What was recognised; empty if nothing was."""
    found: tuple[str, ...]
    """The titles of the phrases in it."""
    offences: tuple[str, ...]
    """The titles of the forbidden phrases in it."""


def try_visit(config: Config, record: Path | None, seconds: float, ready: Callable[[], None]) -> Trial:
    """Listens until something was said, at most some seconds; `ready` is called when the microphone is open.

    Raises MicrophoneError, PhraseSetError, ModelError.
    """
    from counter_listener.asr import SpeechModel, find_model
    from counter_listener.judging import load_matcher
    from counter_listener.live import PartialResults
    from counter_listener.pipeline import AudioSource, analyse

    matcher = load_matcher(config.phrases, beside=record)[0]
    hearing = _Hearing(seconds, ready)
    recognizer = PartialResults(SpeechModel(find_model(config.model)).recognizer(), hearing.partial, lambda: None)
    matched, events = analyse(AudioSource(hearing.chunks(config), recognizer), matcher, one_visit=True)
    titles = matcher.phrases.titles()

    def named(verdict: str) -> tuple[str, ...]:
        ids = (event.phrase for event in events if event.verdict == verdict and event.phrase)
        return tuple(dict.fromkeys(titles.get(each, each) for each in ids))

    heard = (item.utterance.text for item in matched if isinstance(item, MatchedUtterance))
    return Trial(" ".join(filter(None, heard)), named("heard"), named("forbidden"))


@dataclass(slots=True)
class _Hearing:
    """The microphone, until a moment that comes nearer when something was said."""

    seconds: float
    ready: Callable[[], None]
    until: float = field(default=float("inf"))

    def chunks(self, config: Config) -> Iterator[bytes]:
        """The sound, with what was lost left out."""
        from counter_listener.audio import find_device, list_devices, open_microphone

        device = find_device(config.device, list_devices())
        with open_microphone(device, config.channel, monotonic_clock, self.is_over) as opened:
            self.ready()
            self.until = monotonic_clock() + self.seconds
            yield from (item for item in opened.sound if isinstance(item, bytes))

    def is_over(self) -> bool:
        return monotonic_clock() >= self.until

    def partial(self, text: str) -> None:
        """What is being said; empty when it is over."""
        if not text:
            self.until = min(self.until, monotonic_clock() + QUIET_SECONDS)
