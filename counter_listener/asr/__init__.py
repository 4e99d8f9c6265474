"""Speech recognition: utterances from audio with Vosk or from transcripts, and the Vosk models themselves.

In: blocks of 16 kHz audio with gaps, transcript files, and the names, archives, folders and URLs of models.
Out: utterances with word times, gaps and ticks; models that are found, verified, installed or removed.
"""

from counter_listener.asr.model_archive import TransferProgress
from counter_listener.asr.model_check import (
    GRAMMAR_DESCRIPTIONS,
    has_all_checksums,
    model_vocabulary,
    try_grammar,
    verify_model,
)
from counter_listener.asr.model_files import (
    ModelFacts,
    available_models,
    bundled_models,
    find_model,
    known_model,
    models_folder,
    registry,
)
from counter_listener.asr.model_install import InstallRequest, install_model
from counter_listener.asr.model_storage import (
    ModelOrigin,
    check_removable,
    lock_models_folder,
    model_origin,
    remove_model,
)
from counter_listener.asr.recognizer import (
    DECODER_LAG,
    Recognizer,
    SpeechModel,
    VoiceSource,
    load_engine,
    no_voice,
    share_model,
    transcribe,
)
from counter_listener.asr.silence import SilenceSkipper
from counter_listener.asr.speaker_model import find_speaker_model
from counter_listener.asr.transcripts import is_transcript, read_transcript
