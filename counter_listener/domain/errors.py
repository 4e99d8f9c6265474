"""The errors of the program. All are direct subclasses of CounterListenerError, which the command line shows."""

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
    N_("Connection refused"),
    N_("timed out"),
    N_("Connection unexpectedly closed"),
    N_("No route to host"),
    N_("Name or service not known"),
)
"""Messages of the operating system that the catalogue translates."""


class CounterListenerError(Exception):
    "The user can correct the cause. The message is one sentence that names the cause and the remedy."

    def __init__(self, text: str | Sentence, **values: object) -> None:
        self.sentence = text if isinstance(text, Sentence) else Sentence(text, values)
        super().__init__(self.translated(str))

    def translated(self, translate: Translate) -> str:
        """The sentence in the language of `translate`, with a full stop."""
        text = self.sentence.translated(translate)
        return text if text.endswith((".", "?", "。", "？")) else text + translate(N_("."))

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
    "A phrase set is invalid."


class RecordError(CounterListenerError):
    "The record cannot be opened, written or trusted."


class ClipError(CounterListenerError):
    "A clip of sound cannot be kept or played."


class ReviewError(CounterListenerError):
    "A review, an appeal or a sample cannot be entered as it is."


class ReviewConflict(CounterListenerError):  # noqa: N818 - it says what happened: nothing is wrong with the review
    "Somebody else entered something about the same verdict in the meantime, and nothing was written."


class RetentionError(CounterListenerError):
    "A rule of retention or a hold cannot be set, changed or lifted."


class AccountError(CounterListenerError):
    "An account cannot be used or changed."


class ConfigError(CounterListenerError):
    "The settings are invalid."


class MicrophoneError(CounterListenerError):
    "A microphone cannot be found or opened, or it delivers no sound."


class ReportError(CounterListenerError):
    "A report cannot be written."


class SendError(CounterListenerError):
    "A server cannot be reached, or does not take what is sent."


class BatchError(CounterListenerError):
    "What a counter sent cannot be taken."


class BusyError(CounterListenerError):
    "Another process already listens to the counter."


class UsageError(CounterListenerError):
    "Command-line options contradict each other or have wrong values."


def system_reason(error: BaseException) -> Sentence:
    """The reason that the operating system gives for an error, as a value for a sentence."""
    reason = getattr(error, "strerror", None) or str(error)
    return Sentence(reason) if reason in CAUSES else Sentence("{said}", {"said": reason})
