"""The licence file of the model: CC BY-SA 4.0, which some of the recordings require, with all attributions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from models.build.manifest import Recording
from models.build.recordings import usable_recordings

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


def licence_text(name: str, folders: Iterable[Path], left_out: Collection[str]) -> str:
    """The content of LICENSE in a model folder, with the attributions of all recordings it was trained on.

    `folders` are those of the recordings, each with its manifest.

    Raises ManifestError, and ExcludedDataError for a licence that is not in LICENCES.
    """
    used = [recording for folder in folders for recording in usable_recordings(folder, left_out)]
    return HEAD.format(name=name) + "".join(f"- {line}\n" for line in attributions(used) or ["none"]) + TAIL


def attributions(recordings: Iterable[Recording]) -> list[str]:
    """Each attribution with its licence, once, in order of first use."""
    return list(dict.fromkeys(f"{recording.attribution}. {recording.licence}." for recording in recordings))
