"""What the entries of a phrase-set file are made of."""

from dataclasses import dataclass
from typing import ClassVar


class Table:
    """A table of the file: pydantic refuses keys that are not fields of it."""

    __slots__ = ()
    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wordings(Table):
    """Something that is said in one of several wordings."""

    id: str
    say: tuple[str, ...]
    """Templates, or plain sentences."""
    title: str = ""
    """Name for people; the first wording where it is empty."""
    shared: tuple[str, ...] = ()
    """More wordings, which customers say too: from an unknown speaker they prove nothing and accuse nobody."""
    not_in: tuple[str, ...] = ()
    """Longer words that contain a wording; the wording does not count inside them."""

    @property
    def name(self) -> str:
        """The title, or the first wording."""
        return self.title or (self.say or self.shared)[0]
