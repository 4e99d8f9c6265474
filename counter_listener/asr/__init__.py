"""ROOM"""

from counter_listener.asr.model_files import (
    bundled,
    find_model,
    installed,
    listed_in_full,
    model_vocabulary,
    models_folder,
    verify_model,
)
from counter_listener.asr.model_grammar import GRAMMAR_DESCRIPTIONS, try_grammar
from counter_listener.asr.model_install import InstallRequest, install_model
from counter_listener.asr.model_registry import KnownModel, ModelFacts, known_model, registry
from counter_listener.asr.model_storage import (
    ModelOrigin,
    check_removable,
    lock_models_folder,
    model_origin,
    remove_model,
)
from counter_listener.asr.recognizer import (
    DECODER_LAG,
    UNKNOWN_WORD,
    Recognizer,
    VoskRecognizer,
    load_engine,
    load_model,
    share_model,
    transcribe,
)
from counter_listener.asr.silence import SilenceSkipper
from counter_listener.asr.speech_model import SpeechModel
from counter_listener.asr.transcripts import is_transcript, read_transcript
from counter_listener.asr.transfer import TransferProgress
