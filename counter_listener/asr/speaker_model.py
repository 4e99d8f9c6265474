"""The speaker model, which gives a vector of the voice of each utterance: found, checked and loaded."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

from counter_listener.asr.model_files import model_fault, models_folder
from counter_listener.domain import ModelError, bundled_folder, sentence, system_reason

DEFAULT: Final = "speaker-cn"
"""Its folder, beside the speech models."""
FILES: Final = ("mfcc.conf", "final.ext.raw", "mean.vec", "transform.mat")
"""What libvosk reads (its src/spk_model.cc)."""
BINARY: Final = b"\0B"
"""The first bytes of all of them but the settings."""
TRIAL: Final = "import sys, vosk; vosk.SetLogLevel(-1); vosk.SpkModel(sys.argv[1])"
TIMEOUT: Final = 60
"""Seconds."""


def find_speaker_model(name: str = "") -> Path:
    """The folder of a speaker model, by its path or its name; without a name the default one. Raises ModelError."""
    if name and Path(name).is_dir():
        return Path(name)
    wanted = name or DEFAULT
    for root in (bundled_folder("models"), models_folder()):
        if (root / wanted / FILES[1]).is_file():
            return root / wanted
    raise ModelError("There is no speaker model {name!r}. Give its folder, or leave the setting off.", name=wanted)


@cache
def load_speaker_model(folder: Path) -> Any:  # noqa: ANN401 - vosk has no types
    """The speaker model in a folder; one copy for all recognisers of this process. Raises ModelError.

    It is loaded once in a process of its own first: libvosk ends the whole process on a damaged file.
    """
    verify_speaker_model(folder)
    from vosk import SetLogLevel, SpkModel

    SetLogLevel(-1)
    return SpkModel(str(folder.resolve()))


def verify_speaker_model(folder: Path) -> None:
    """Checks the files of a speaker model. Raises ModelError, which names the file and the cure."""
    for name in FILES:
        try:
            head = (folder / name).read_bytes()[: len(BINARY)]
        except OSError as error:
            text = sentence("{name} cannot be read ({why}).", name=name, why=system_reason(error))
            raise model_fault(folder, text) from None
        if not head or (name != FILES[0] and head != BINARY):
            raise model_fault(folder, sentence("{name} is damaged; install the model again.", name=name))
    command = [sys.executable, "-c", TRIAL, str(folder.resolve())]
    try:
        code = subprocess.run(  # noqa: S603 - our own code
            command, capture_output=True, timeout=TIMEOUT, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        code = 1
    if code:
        raise model_fault(
            folder, sentence("libvosk cannot load this model: one of its files is damaged; install it again.")
        )
