"""The model's own licence file: CC BY-SA 4.0, as some of what it was trained on asks, with all attributions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from models.build.manifest import Recording
from models.build.recordings import NOISE, VARIANTS, listed

HEAD: Final = """\
{name} is licensed under the Creative Commons Attribution-ShareAlike 4.0 International licence (CC BY-SA 4.0):
https://creativecommons.org/licenses/by-sa/4.0/legalcode

It was trained by the Counter Listener project on speech synthesised with espeak-ng and on these recordings:

"""
TAIL: Final = """
The recordings were changed: cut, joined, resampled, mixed with noise and echo, and turned into model parameters. The
vocabulary and word frequencies come in part from the dictionary of jieba (MIT License, (c) 2013 Sun Junyi).
The rest of the project is under the Apache License 2.0; see LICENSE at its top.
"""


def licence(name: str, audio: Path | None, left_out: Collection[str]) -> str:
    """The text of a model's LICENSE: whatever of the folder of recordings it was trained on, attributed.

    Raises ManifestError, and Refused for a licence that is not on the list.
    """
    folders = [audio / one for one in (*VARIANTS, NOISE)] if audio else []
    used = [recording for folder in folders if folder.is_dir() for recording in listed(folder, left_out)]
    return HEAD.format(name=name) + "".join(f"- {line}\n" for line in lines(used) or ["none"]) + TAIL


def lines(used: Iterable[Recording]) -> list[str]:
    """Each attribution with its licence, once, in the order in which they come."""
    return list(dict.fromkeys(f"{one.attribution}. {one.licence}." for one in used))
