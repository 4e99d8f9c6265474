"""Everything that can go wrong, as one tree.

CounterListenerError            one sentence for the user; never a traceback
├── AudioError                  a recording that cannot be read
├── TranscriptError             a transcript that cannot be read
├── LabelsError                 labels that cannot be read
├── ModelError                  a speech model that is missing, damaged or unusable
├── PhraseSetError              a phrase set that is not right
├── StoreError                  a record that cannot be opened, written or trusted
├── ConfigError                 settings that are not right
├── MicrophoneError             a microphone that cannot be found, opened or heard
├── ReportError                a report that cannot be written
├── BusyError                   a counter that is listened to already
└── UsageError                  options that do not go together
"""

from __future__ import annotations

from typing import Final

from counter_listener.domain.messages import N_, Sentence, Translate

CAUSES: Final = (
    N_("Permission denied"),
    N_("Operation not permitted"),
    N_("No such file or directory"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File exists"),
    N_("File name too long"),
    N_("No space left on device"),
    N_("Read-only file system"),
    N_("Input/output error"),
    N_("Too many open files"),
    N_("Device or resource busy"),
    N_("Invalid argument"),
)
"""What systems say of files, where we have words for it."""


class CounterListenerError(Exception):
    "Something the user can mend; the message is one sentence naming what and how."

    def __init__(self, text: str | Sentence, **values: object) -> None:
        self.sentence = text if isinstance(text, Sentence) else Sentence(text, values)
        super().__init__(self.translated(str))

    def translated(self, translate: Translate) -> str:
        """The sentence in the language of `say`, with its full stop."""
        said = self.sentence.translated(translate)
        return said if said.endswith((".", "?", "。", "？")) else said + translate(N_("."))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.sentence,)


class AudioError(CounterListenerError):
    "A recording cannot be read."


class TranscriptError(CounterListenerError):
    "A transcript cannot be read."


class LabelsError(CounterListenerError):
    "Labels cannot be read."


class ModelError(CounterListenerError):
    "A speech model is missing, damaged or unusable."


class PhraseSetError(CounterListenerError):
    "A phrase set is not right."


class RecordError(CounterListenerError):
    "The record cannot be opened, written or trusted."


class ConfigError(CounterListenerError):
    "The settings are not right."


class MicrophoneError(CounterListenerError):
    "A microphone cannot be found, opened or heard."


class ReportError(CounterListenerError):
    "A report cannot be written."


class BusyError(CounterListenerError):
    "The counter is listened to already."


class UsageError(CounterListenerError):
    "Options that do not go together."


def system_reason(error: BaseException) -> Sentence:
    """Why a file cannot be used, as the system says it: a value for a sentence of ours."""
    said = getattr(error, "strerror", None) or str(error)
    return Sentence(said) if said in CAUSES else Sentence("{said}", {"said": said})
