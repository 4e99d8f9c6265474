"""How the server writes its log: what the command line gives it."""

from typing import Protocol

from counter_listener.domain import Sentence


class LogLine(Protocol):
    """Writes one line of the server's log."""

    def __call__(self, event: str, text: Sentence, *, failed: bool) -> None:
        """`text` is for people, and holds no words of a visit."""
        ...


def no_log(event: str, text: Sentence, *, failed: bool) -> None:
    """Writes nothing."""
