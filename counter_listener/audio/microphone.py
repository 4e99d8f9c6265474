"""The microphone, through PortAudio: found by its name, opened, and read as audio and gaps."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import log10
from typing import Any, Final, Literal

import numpy as np

from counter_listener.audio.capture import BLOCK_SECONDS, Capture, CaptureItem, CaptureQueue
from counter_listener.audio.chunking import samples_of
from counter_listener.domain import N_, SAMPLE_RATE, MicrophoneError, sentence

LATENCY_SECONDS: Final = 0.1
"""Asked of the sound system. Less costs more wake-ups; the default of a device is up to 0.4 s."""
MANY_CHANNELS: Final = 8
"""A device with more is really a sound server, which mixes channels itself."""
HOSTS: Final = ("Windows WASAPI", "Core Audio", "ALSA", "JACK Audio Connection Kit", "Windows DirectSound", "MME")
"""The system's interfaces, the preferred one first, for a microphone that several of them offer."""
SILENCE_DB: Final = -96.0
"""The level of 16-bit silence, in decibels."""


@dataclass(frozen=True, slots=True)
class Device:
    """A microphone as the sound system lists it."""

    name: str
    host: str
    """The system's interface that offers it."""
    channels: int
    rate: float
    """Its default sample rate in Hertz."""
    default: bool
    index: int
    """Valid until a device comes or goes: never stored."""

    @property
    def full_name(self) -> str:
        """Its name and its host's."""
        return f"{self.name}, {self.host}"


def list_devices() -> list[Device]:
    """Every microphone of this computer, as it was when this process first asked. Raises MicrophoneError."""
    with _portaudio("") as sounddevice:
        hosts = sounddevice.query_hostapis()
        default = sounddevice.default.device[0]
        return [
            Device(
                str(facts["name"]).strip(),
                str(hosts[facts["hostapi"]]["name"]),
                facts["max_input_channels"],
                float(facts["default_samplerate"]),
                index == default,
                index,
            )
            for index, facts in enumerate(sounddevice.query_devices())
            if facts["max_input_channels"] > 0
        ]


def find_device(name: str, devices: list[Device]) -> Device:
    """The device with this name, or with this in its name; the default one where `name` is empty.

    "NAME, HOST" asks for that of one interface. Raises MicrophoneError where there is none, or several.
    """
    if not devices:
        raise MicrophoneError("This machine has no microphone; plug one in, and see to the system's privacy settings.")
    if not name:
        return next((device for device in devices if device.default), devices[0])
    wanted = name.casefold().strip()
    equal = [each for each in devices if wanted in (each.name.casefold(), each.full_name.casefold())]
    found = equal or [each for each in devices if wanted in each.full_name.casefold()]
    names = ", ".join(map(repr, dict.fromkeys(device.name for device in found or devices)))
    if not found:
        raise MicrophoneError("There is no microphone {name!r}; there are {names}.", name=name, names=names)
    # one of Windows' interfaces cuts a name off after 31 characters
    longest = max((device.name for device in found), key=len)
    if not all(longest.startswith(device.name) for device in found):
        raise MicrophoneError(
            "Several microphones are named like {name!r}: {names}; give one name whole.", name=name, names=names
        )
    return min(found, key=lambda device: ((*HOSTS, device.host).index(device.host), device.index))


@dataclass(frozen=True, slots=True)
class Microphone:
    """An open microphone."""

    sound: Iterable[CaptureItem]
    """16 kHz mono 16-bit little-endian in chunks; gaps without their start; None where nothing came for a moment."""
    first_sound: Callable[[], float | None]
    """When the first sample was recorded, by the clock; None before any has come."""


@contextmanager
def open_microphone(
    device: Device, channel: Literal["mix"] | int, clock: Callable[[], float], stopping: Callable[[], bool]
) -> Iterator[Microphone]:
    """Opens a device; its audio ends when `stopping` returns True.

    `channel` counts from 1; `clock` returns seconds that never go back. Raises MicrophoneError if the device cannot be
    opened, and, while it is read, once it is gone.
    """
    from counter_listener.audio.decoding import to_speech

    blocks = CaptureQueue()
    with _portaudio(device.name) as sounddevice:
        rate, channels = _rate_and_channels(sounddevice, device, channel)
        stream = sounddevice.RawInputStream(
            device=device.index,
            samplerate=rate,
            channels=channels,
            dtype="int16",
            blocksize=round(rate * BLOCK_SECONDS),
            latency=LATENCY_SECONDS,
            callback=blocks.callback,
        )
    try:
        with _portaudio(device.name):
            stream.start()
        capture = Capture(blocks, rate, clock, lambda: bool(stream.active), stopping)
        if isinstance(channel, int):
            speech = to_speech(_pick_channel(capture, channel, channels), rate, 1)
        else:
            speech = to_speech(capture, rate, channels)
        yield Microphone(speech, lambda: capture.start)
    finally:
        with suppress(Exception):  # a device that is gone may fail in its own way
            stream.abort()
            stream.close()


def peak_level(chunk: bytes) -> float:
    """The peak of 16-bit audio in decibels below full scale (0); SILENCE_DB for silence."""
    peak = int(np.abs(samples_of(chunk).astype(np.int32)).max(initial=0))
    return max(SILENCE_DB, 20 * log10(peak / 32768)) if peak else SILENCE_DB


def portaudio_version() -> str:
    """The version text of PortAudio. Raises MicrophoneError."""
    with _portaudio("") as sounddevice:
        return str(sounddevice.get_portaudio_version()[1])


def _rate_and_channels(
    sounddevice: Any,  # noqa: ANN401 - it has no types
    device: Device,
    channel: Literal["mix"] | int,
) -> tuple[int, int]:
    """The sample rate in Hertz and the number of channels to open a device with."""
    if isinstance(channel, int) and channel > device.channels:
        raise MicrophoneError(
            "{device} has {channels} channels, and no channel {channel}.",
            device=device.name,
            channels=device.channels,
            channel=channel,
        )
    if channel == "mix":
        channels = 2 if device.channels == 2 else 1  # noqa: PLR2004 - left and right
    else:
        # a sound server that is asked for one channel delivers the mix of all, and not the first
        channels = device.channels if device.channels <= MANY_CHANNELS else max(2, channel)
    rates = (SAMPLE_RATE, round(device.rate))
    for rate, count in [(rate, count) for rate in rates for count in dict.fromkeys((channels, device.channels))]:
        with suppress(sounddevice.PortAudioError, ValueError):
            sounddevice.check_input_settings(device=device.index, channels=count, dtype="int16", samplerate=rate)
            return rate, count
    return rates[-1], channels  # opening it raises the error that explains


def _pick_channel(items: Iterable[CaptureItem], channel: int, channels: int) -> Iterator[CaptureItem]:
    for item in items:
        yield samples_of(item)[channel - 1 :: channels].tobytes() if isinstance(item, bytes) else item


@contextmanager
def _portaudio(name: str) -> Iterator[Any]:
    """The module sounddevice, with PortAudio's errors turned into a MicrophoneError about the device `name`.

    What PortAudio and ALSA print to the terminal, past Python's stderr, is discarded.
    """
    with _no_stderr():
        try:
            import sounddevice
        except OSError:
            raise MicrophoneError(
                "PortAudio is not installed, without which no microphone can be heard;"
                " on Debian and Ubuntu: apt install libportaudio2."
            ) from None
        except Exception as error:  # noqa: BLE001 - PortAudio's start may fail in any way, by the drivers it finds
            raise MicrophoneError("The sound system cannot be used ({error}).", error=str(error)) from None
        try:
            yield sounddevice
        except (sounddevice.PortAudioError, ValueError) as error:
            what = N_("{name} cannot be opened") if name else N_("The sound system cannot be used")
            raise MicrophoneError(
                "{what} ({said}); see whether it is plugged in, allowed in the privacy settings,"
                " and not in use elsewhere.",
                what=sentence(what, name=name),
                said=str(error.args[0]) if error.args else str(error),
            ) from None


@contextmanager
def _no_stderr() -> Iterator[None]:
    try:
        saved = os.dup(2)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
