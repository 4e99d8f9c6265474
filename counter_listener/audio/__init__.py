"""ROOM"""

from counter_listener.audio.blocks import blocks, in_bursts
from counter_listener.audio.capture import MUTED, Sound, without_mutes
from counter_listener.audio.microphone import FLOOR, Device, devices, find_device, level, microphone, portaudio_version
from counter_listener.audio.recording import probe, read_recording
from counter_listener.audio.start_time import Started, parse_time, started

__all__ = [
    "FLOOR",
    "MUTED",
    "Device",
    "Sound",
    "Started",
    "blocks",
    "devices",
    "find_device",
    "in_bursts",
    "level",
    "microphone",
    "parse_time",
    "portaudio_version",
    "probe",
    "read_recording",
    "started",
    "without_mutes",
]
