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


class CounterListenerError(Exception):
    "Something the user can mend; the message is one sentence naming what and how."

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence if sentence.endswith((".", "?", "。")) else f"{sentence}.")


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


class StoreError(CounterListenerError):
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
