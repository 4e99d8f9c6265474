"""Recordings and the microphone, as 16 kHz mono chunks and gaps. The only room with PyAV and sounddevice.

In: a recording's path, or a microphone's name and a clock.
Out: chunks of signed 16-bit little-endian samples, gaps where audio was lost, levels, and when a recording started.
"""

from typing import TYPE_CHECKING

import lazy_loader

from counter_listener.audio.capture import MUTED, Capture, CaptureItem, CaptureQueue, mark_muted
from counter_listener.audio.chunking import blocks, coalesce
from counter_listener.audio.microphone import (
    SILENCE_DB,
    Device,
    find_device,
    list_devices,
    open_microphone,
    peak_level,
    portaudio_version,
)
from counter_listener.audio.recording import Facts, is_sound, is_whole, probe, read_recording, sound_endings
from counter_listener.audio.start_time import StartTime, find_start_time, parse_time

if TYPE_CHECKING:
    from counter_listener.audio.playback import OPUS_TYPE, browser_type, opus_of, waveform, write_opus
else:  # PyAV takes 0.2 s, which a check of transcripts does not need
    __getattr__, _, _ = lazy_loader.attach(
        __name__, submod_attrs={"playback": ["OPUS_TYPE", "browser_type", "opus_of", "waveform", "write_opus"]}
    )
