"""ROOM"""

from counter_listener.asr.model_files import (
    bundled,
    find_model,
    installed,
    listed_in_full,
    models_folder,
    verify,
    vocabulary,
)
from counter_listener.asr.model_grammar import MEANING, try_grammar
from counter_listener.asr.model_install import Wish, install
from counter_listener.asr.model_registry import Facts, KnownModel, known_model, registry
from counter_listener.asr.model_storage import Origin, alone, origin_of, removable, take_out
from counter_listener.asr.recognizer import (
    GARBAGE,
    LAG,
    Recognizer,
    VoskRecognizer,
    load_engine,
    load_model,
    share_model,
    transcribe,
)
from counter_listener.asr.silence import Sparing
from counter_listener.asr.speech_model import Ears
from counter_listener.asr.transcripts import is_transcript, read_transcript
from counter_listener.asr.transfer import Moved

__all__ = [
    "GARBAGE",
    "LAG",
    "MEANING",
    "Ears",
    "Facts",
    "KnownModel",
    "Moved",
    "Origin",
    "Recognizer",
    "Sparing",
    "VoskRecognizer",
    "Wish",
    "alone",
    "bundled",
    "find_model",
    "install",
    "installed",
    "is_transcript",
    "known_model",
    "listed_in_full",
    "load_engine",
    "load_model",
    "models_folder",
    "origin_of",
    "read_transcript",
    "registry",
    "removable",
    "share_model",
    "take_out",
    "transcribe",
    "try_grammar",
    "verify",
    "vocabulary",
]
