"""The dialogues to practise: what a customer says, what belongs into the answer, and one way to say it. Data: TOML."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

FOLDER: Final = Path(__file__).resolve().parent / "dialogues"
Line = Annotated[str, Field(min_length=1, max_length=200)]


class Turn(BaseModel):
    """What the customer says, and what belongs into the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    customer: Line
    expect: tuple[str, ...] = Field(min_length=1)
    """Ids of the phrase set."""
    say: Line
    """One way to answer."""


class Dialogue(BaseModel):
    """A conversation at the counter."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    """The name of its file."""
    title: Line
    about: Line
    turn: tuple[Turn, ...] = Field(min_length=1)


@cache
def dialogues(language: str) -> tuple[Dialogue, ...]:
    """The dialogues in a language, in the order of their files."""
    files = sorted((FOLDER / language).glob("*.toml")) if language.isalpha() else []
    return tuple(
        Dialogue.model_validate({**tomllib.loads(file.read_text(encoding="utf-8")), "id": file.stem}) for file in files
    )
