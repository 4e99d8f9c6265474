"""ROOM"""

from counter_listener.audio.capture import MUTED, CaptureItem, mark_muted
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
from counter_listener.audio.recording import probe, read_recording
from counter_listener.audio.start_time import StartTime, find_start_time, parse_time
