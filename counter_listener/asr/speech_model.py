"""The speech model of a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from counter_listener.asr.recognizer import Recognizer, VoskRecognizer, load_model
from counter_listener.asr.silence import Sparing


@dataclass
class Ears:
    """The speech model, loaded when the first recording needs it."""

    folder: Path
    sparing: bool = True
    """Whether sound that goes on unchanged is left out where the recogniser has just heard nothing in it."""

    @cached_property
    def model(self) -> Any:  # noqa: ANN401 - vosk has no types
        return load_model(self.folder)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.folder.resolve().name

    def recognizer(self) -> Recognizer:
        """One for each stream of sound. Raises ModelError."""
        engine = VoskRecognizer(self.model)
        return Sparing(engine) if self.sparing else engine
