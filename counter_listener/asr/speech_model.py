"""The speech model of a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from counter_listener.asr.recognizer import VoskRecognizer, load_model


@dataclass
class SpeechModel:
    """A Vosk model that is loaded when the first recording needs it."""

    folder: Path

    @cached_property
    def model(self) -> Any:  # noqa: ANN401 - vosk has no types
        """The loaded model. Raises ModelError."""
        return load_model(self.folder)

    @property
    def name(self) -> str:
        """The name of the model's folder."""
        return self.folder.resolve().name

    def recognizer(self) -> VoskRecognizer:
        """A new recogniser; each stream of audio needs its own. Raises ModelError."""
        return VoskRecognizer(self.model)
