"""The microphone: found by its name, opened as it can be, and read as sound and gaps. Only this knows sounddevice."""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import log10
from typing import Any, Final, Literal

from counter_listener.audio.capture import Capture, CaptureItem, make_capture_queue
from counter_listener.domain import N_, SAMPLE_BYTES, SAMPLE_RATE, MicrophoneError, sentence

BLOCK_SECONDS: Final = 0.1
"""Sound the device hands over at a time: half a block, so that a block is whole soon after its last sample."""
LATENCY_SECONDS: Final = 0.1
"""Asked of the sound system. Less costs more wake-ups; what the device wants by default is up to 0.4 s."""
MANY_CHANNELS: Final = 8
"""A device with more is no device but a sound server, which mixes for itself."""
HOSTS: Final = ("Windows WASAPI", "Core Audio", "ALSA", "JACK Audio Connection Kit", "Windows DirectSound", "MME")
"""Where one microphone is offered by several of the system's interfaces: which to take first."""
NO_PORTAUDIO: Final = N_(
    "PortAudio is not installed, without which no microphone can be heard;"
    " on Debian and Ubuntu: apt install libportaudio2."
)
SILENCE_DB: Final = -96.0
"""Decibels of 16-bit silence."""

Opening = tuple[int, int]
"""Hertz and channels."""


@dataclass(frozen=True, slots=True)
class Device:
    """Something that can be listened to."""

    name: str
    host: str
    """Interface of the system that offers it."""
    channels: int
    rate: float
    """Hertz that it likes best."""
    default: bool
    index: int
    """Valid until a device comes or goes: never kept."""


def list_devices() -> list[Device]:
    """Every microphone of this machine, as it was when this process first asked. Raises MicrophoneError."""
    sounddevice = _sounddevice()
    with _explained(""):
        hosts = sounddevice.query_hostapis()
        default = sounddevice.default.device[0]
        return [
            Device(
                str(one["name"]).strip(),
                str(hosts[one["hostapi"]]["name"]),
                one["max_input_channels"],
                float(one["default_samplerate"]),
                index == default,
                index,
            )
            for index, one in enumerate(sounddevice.query_devices())
            if one["max_input_channels"] > 0
        ]


def find_device(name: str, listed: list[Device]) -> Device:
    """The device with this name, or with this in its name; the default one where it is empty.

    "NAME, HOST" asks for one of a certain interface. Raises MicrophoneError where there is none, or several.
    """
    if not listed:
        raise MicrophoneError("This machine has no microphone; plug one in, and see to the system's privacy settings.")
    if not name:
        return next((one for one in listed if one.default), listed[0])
    wanted = name.casefold().strip()
    ways: tuple[Callable[[Device], bool], ...] = (
        lambda one: wanted in {one.name.casefold(), f"{one.name}, {one.host}".casefold()},
        lambda one: wanted in f"{one.name}, {one.host}".casefold(),
    )
    found = next((matching for way in ways if (matching := [one for one in listed if way(one)])), [])
    if len({one.name for one in found}) > 1 and not _cut_short(found):
        raise MicrophoneError(
            "Several microphones are named like {name!r}: {names}; give one name whole.", name=name, names=_names(found)
        )
    if not found:
        raise MicrophoneError("There is no microphone {name!r}; there are {names}.", name=name, names=_names(listed))
    return min(found, key=lambda one: (HOSTS.index(one.host) if one.host in HOSTS else len(HOSTS), one.index))


def _cut_short(found: list[Device]) -> bool:
    """Whether all are one name, which one of Windows' interfaces cuts off after 31 characters."""
    longest = max((one.name for one in found), key=len)
    return all(longest.startswith(one.name) for one in found)


def _names(listed: Iterable[Device]) -> str:
    return ", ".join(repr(name) for name in dict.fromkeys(one.name for one in listed))


@dataclass(frozen=True, slots=True)
class Microphone:
    """An open microphone."""

    sound: Iterable[CaptureItem]
    """16 kHz mono 16-bit little-endian in chunks; gaps without their start; None where nothing came for a while."""
    first_sound: Callable[[], float | None]
    """When the first sound began, by the clock; None before any has come."""


@contextmanager
def open_microphone(
    device: Device,
    channel: Literal["mix"] | int,
    clock: Callable[[], float],
    stopping: Callable[[], bool],
) -> Iterator[Microphone]:
    """Opens a device; its sound ends when `stopping` says so.

    `clock` gives seconds that never go back. Raises MicrophoneError if it cannot be opened, and, while it is read,
    once it is gone.
    """
    from counter_listener.audio.recording import as_speech

    sounddevice = _sounddevice()
    rate, channels = _opening(sounddevice, device, channel)
    block = round(rate * BLOCK_SECONDS)
    tap = make_capture_queue(rate, block)
    with _explained(device.name):
        stream = sounddevice.RawInputStream(
            device=device.index,
            samplerate=rate,
            channels=channels,
            dtype="int16",
            blocksize=block,
            latency=LATENCY_SECONDS,
            callback=tap.callback,
        )
    try:
        with _explained(device.name):
            stream.start()
        intake = Capture(tap, rate, clock, lambda: bool(stream.active), stopping)
        sound = _one_channel(intake, channel, channels) if isinstance(channel, int) else intake
        speech = as_speech(sound, rate, 1 if isinstance(channel, int) else channels)
        yield Microphone(speech, lambda: intake.lag)
    finally:
        with suppress(Exception):  # a device that is gone may fail in its own way
            stream.abort()
            stream.close()


def peak_level(sound: bytes) -> float:
    """The peak of 16-bit sound in decibels below the loudest there can be (0); FLOOR for silence."""
    samples = array("h", sound[: len(sound) - len(sound) % SAMPLE_BYTES])
    if sys.byteorder == "big":
        samples.byteswap()
    peak = max(max(samples, default=0), -min(samples, default=0))
    return max(SILENCE_DB, 20 * log10(peak / 32768)) if peak else SILENCE_DB


def portaudio_version() -> str:
    """What PortAudio says of itself. Raises MicrophoneError."""
    return str(_sounddevice().get_portaudio_version()[1])


def _opening(sounddevice: Any, device: Device, channel: Literal["mix"] | int) -> Opening:  # noqa: ANN401 - it has no types
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
        # a sound server that is asked for one channel gives the mix of all, and not the first
        channels = device.channels if device.channels <= MANY_CHANNELS else max(2, channel)
    rates = [SAMPLE_RATE, round(device.rate)]
    for rate, count in [(rate, count) for rate in rates for count in dict.fromkeys((channels, device.channels))]:
        with suppress(sounddevice.PortAudioError, ValueError), _hushed():
            sounddevice.check_input_settings(device=device.index, channels=count, dtype="int16", samplerate=rate)
            return rate, count
    return rates[-1], channels  # opening it tells what is wrong


def _one_channel(items: Iterable[CaptureItem], channel: int, channels: int) -> Iterator[CaptureItem]:
    for item in items:
        yield array("h", item)[channel - 1 :: channels].tobytes() if isinstance(item, bytes) else item


def _sounddevice() -> Any:  # noqa: ANN401 - it has no types
    try:
        with _hushed():
            import sounddevice
    except OSError:
        raise MicrophoneError(NO_PORTAUDIO) from None
    except Exception as error:  # noqa: BLE001 - PortAudio's start may fail in any way, by the drivers it finds
        raise MicrophoneError("The sound system cannot be used ({error}).", error=str(error)) from None
    return sounddevice


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turns PortAudio's errors into a sentence."""
    sounddevice = _sounddevice()
    try:
        with _hushed():
            yield
    except (sounddevice.PortAudioError, ValueError) as error:
        said = str(error.args[0]) if error.args else str(error)
        what = sentence("{name} cannot be opened", name=name) if name else sentence("The sound system cannot be used")
        raise MicrophoneError(
            "{what} ({said}); see whether it is plugged in, allowed in the privacy settings, and not in use elsewhere.",
            what=what,
            said=said,
        ) from None


@contextmanager
def _hushed() -> Iterator[None]:
    """Sends away what PortAudio and ALSA print beside Python, straight to the terminal."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
