"""How much is understood of sound that can be judged and of sound that cannot, and what becomes of the visits.

    python bench/understood.py [--model NAME] [--visits FOLDER ...] [--noises FOLDER] [--only NAME ...]

The bundled recordings are spoiled in many ways: other sample rates in the header, quiet, noise, played backwards. Other
languages are spoken by espeak-ng, if it is on the path; there is something like music, and voices that speak at once.
--visits adds recordings of visits that must be judged, as they are and with 12 dB noise; --noises adds noises without
speech. A row is a kind of sound. Its columns: the share of the sound that was understood (lowest, median, highest),
the visits that were judged, not understood, no service, and the verdicts `not_heard` and the accusations in them.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import tempfile
import wave
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from counter_listener.asr import SpeechModel, find_model
from counter_listener.audio import read_recording
from counter_listener.domain import SAMPLE_RATE, AudioError, Event
from counter_listener.judging import load_matcher
from counter_listener.matching import Matcher
from counter_listener.pipeline import file_source, judge_events

FIXTURES: Final = Path(__file__).parents[1] / "tests" / "fixtures"
LEFT_OUT: Final = ("noise", "truncated")
"""Fixtures without a whole visit."""
LOUD: Final = -20.0
"""Decibels below full scale, of speech that is made or mixed here."""
ROOM: Final = 16.0
"""Root mean square, of 32 768, of the noise of a quiet room."""
LANGUAGES: Final = {
    "en-gb": "Good morning, welcome to our branch. How can I help you today? I would like to open an account, please."
    " Certainly, may I see your passport? Please sign here. Thank you very much, and have a nice day.",
    "de": "Guten Morgen, willkommen in unserer Filiale. Was kann ich für Sie tun? Ich möchte ein Konto eröffnen."
    " Gerne, darf ich Ihren Ausweis sehen? Unterschreiben Sie bitte hier. Vielen Dank und auf Wiedersehen.",
    "fr-fr": "Bonjour madame, bienvenue dans notre agence. Que puis-je faire pour vous? Je voudrais ouvrir un compte."
    " Bien sûr, puis-je voir votre carte d'identité? Signez ici. Merci beaucoup, au revoir et bonne journée.",
    "es": "Buenos días, bienvenido a nuestra sucursal. ¿En qué puedo ayudarle? Quisiera abrir una cuenta. Por"
    " supuesto, ¿me permite su documento? Firme aquí, por favor. Muchas gracias, hasta luego.",
    "ru": "Доброе утро, добро пожаловать. Чем я могу вам помочь? Я хотел бы открыть счёт. Конечно, покажите ваш"
    " паспорт. Распишитесь здесь, пожалуйста. Большое спасибо, до свидания.",
    "ja": "いらっしゃいませ。ほんじつは どのような ごようけんでしょうか。こうざを ひらきたいのですが。"
    "かしこまりました。みぶんしょうを おねがいします。こちらに ごしょめいを おねがいします。ありがとうございました。",
    "ko": "안녕하세요 어서 오세요. 무엇을 도와드릴까요? 계좌를 만들고 싶습니다. 신분증을 보여주시겠습니까?"
    " 여기에 서명해 주세요. 감사합니다 안녕히 가세요.",
    "vi": "Chào buổi sáng, chào mừng quý khách. Tôi có thể giúp gì cho quý khách? Tôi muốn mở tài khoản. Vui lòng cho"
    " tôi xem giấy tờ. Xin ký vào đây. Cảm ơn quý khách, hẹn gặp lại.",
}
VARIANTS: Final = ("", "+f3", "+m4")

Samples: TypeAlias = NDArray[np.float64]
"""16 kHz mono, in 16-bit range."""
Sound: TypeAlias = tuple[Samples, int]
"""Samples, and the sample rate in the header of the file."""


@dataclass
class Result:
    """What became of the recordings of one kind."""

    shares: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            self.verdicts[event.verdict or ""] += 1
            if event.kind == "visit_closed":
                self.outcomes[str(event.detail["outcome"])] += 1
                share = event.detail["understood"]
                self.shares += [share] if isinstance(share, float) else []

    def row(self, name: str) -> str:
        low, mid, high = (min(self.shares), median(self.shares), max(self.shares)) if self.shares else (0.0, 0.0, 0.0)
        judged = self.outcomes["complete"] + self.outcomes["incomplete"]
        accused = self.verdicts["forbidden"] + self.verdicts["broken"]
        cells = (
            judged,
            self.outcomes["not_understood"],
            self.outcomes["no_service"],
            self.verdicts["not_heard"],
            accused,
        )
        return f"| {name} | {low:.2f} {mid:.2f} {high:.2f} | " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="counter-cn")
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument("--visits", type=Path, nargs="*", default=[], help="folders of WAV files of visits")
    parser.add_argument("--noises", type=Path, help="folder of recordings without speech")
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of the names of kinds")
    options = parser.parse_args()
    model, matcher = SpeechModel(find_model(options.model)), load_matcher(options.phrases)[0]
    print("| sound | understood | judged | not understood | no service | not heard | accused |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name, sounds in kinds(options.visits, options.noises):
        if not options.only or name.startswith(tuple(options.only)):
            result = Result()
            for sound in sounds():
                result.add(events_of(sound, model, matcher))
            print(result.row(name), flush=True)


def kinds(folders: Sequence[Path], noises: Path | None) -> Iterator[tuple[str, Callable[[], Iterator[Sound]]]]:
    """The kinds of sound by name, each with what makes its recordings."""
    fixtures = [load(file) for file in sorted(FIXTURES.glob("*.wav")) if file.stem not in LEFT_OUT]
    for name, spoil in SPOILED.items():
        yield name, lambda spoil=spoil: map(spoil, fixtures)  # type: ignore[misc]
    for folder in folders:
        files = sorted(folder.rglob("*.wav"))
        yield folder.name, lambda files=files: ((load(file), SAMPLE_RATE) for file in files)  # type: ignore[misc]
        yield f"{folder.name}, 12 dB noise", lambda files=files: (with_noise(12)(load(file)) for file in files)  # type: ignore[misc]
        for rate in (8_000, 44_100):
            yield (
                f"{folder.name}, {rate} Hz in the header",
                lambda files=files, rate=rate: (  # type: ignore[misc]
                    (load(file), rate) for file in files
                ),
            )
    for language in LANGUAGES if shutil.which("espeak-ng") else ():
        yield (
            f"language {language}",
            lambda language=language: (  # type: ignore[misc]
                (spoken(language, variant), SAMPLE_RATE) for variant in VARIANTS
            ),
        )
    yield "something like music", lambda: ((music(seed), SAMPLE_RATE) for seed in range(6))
    yield "2 to 5 voices at once", lambda: ((babble(fixtures, number), SAMPLE_RATE) for number in range(2, 6))
    if noises:
        files = sorted(file for file in noises.rglob("*") if file.suffix in {".wav", ".opus", ".flac", ".ogg"})
        groups = [files[first : first + 12] for first in range(0, len(files), 12)]
        yield "noises", lambda: ((np.concatenate(list(map(load, group))), SAMPLE_RATE) for group in groups)


def load(file: Path) -> Samples:
    chunks = [chunk for chunk in read_recording(file) if isinstance(chunk, bytes)]
    return np.frombuffer(b"".join(chunks), "<i2").astype(np.float64)


def speech_level(samples: Samples) -> float:
    """The root mean square of the louder 40 % of stretches of 20 ms."""
    steps = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    levels = np.sqrt((steps**2).mean(axis=1))
    return float(np.sqrt((levels[levels >= np.percentile(levels, 60)] ** 2).mean()))


def at_level(samples: Samples, decibels: float) -> Samples:
    return samples * (32_768 * 10 ** (decibels / 20) / max(speech_level(samples), 1e-9))


def pink(size: int) -> Samples:
    """Noise with a root mean square of 1, softer towards high frequencies, as in rooms and streets."""
    spectrum = np.fft.rfft(np.random.default_rng(size).standard_normal(size))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), size)
    return np.asarray(noise / np.sqrt((noise**2).mean()))


def with_noise(decibels: float) -> Callable[[Samples], Sound]:
    """Adds noise that many decibels below the speech."""
    return lambda samples: (
        samples + pink(len(samples)) * speech_level(samples) * 10 ** (-decibels / 20),
        SAMPLE_RATE,
    )


def with_rate(rate: int) -> Callable[[Samples], Sound]:
    return lambda samples: (samples, rate)


def quiet(decibels: float, hiss: float | None = None) -> Callable[[Samples], Sound]:
    """Makes speech quiet, with the hiss of a microphone; both in decibels below full scale."""

    def spoil(samples: Samples) -> Sound:
        noise = np.random.default_rng(1).standard_normal(len(samples)) * 32_768 * 10 ** ((hiss or -200) / 20)
        return at_level(samples, decibels) + noise, SAMPLE_RATE

    return spoil


SPOILED: Final[dict[str, Callable[[Samples], Sound]]] = {
    "as recorded": with_rate(16_000),
    **{f"noise {decibels} dB below speech": with_noise(decibels) for decibels in (20, 12, 6, 0, -6)},
    "-40 dBFS": quiet(-40),
    "-50 dBFS": quiet(-50),
    "-50 dBFS, hiss -56": quiet(-50, -56),
    "-60 dBFS, hiss -60": quiet(-60, -60),
    "-70 dBFS": quiet(-70),
    **{f"{rate} Hz in the header": with_rate(rate) for rate in (8_000, 11_025, 22_050, 32_000, 44_100, 48_000)},
    "backwards": lambda samples: (samples[::-1], SAMPLE_RATE),
}


def events_of(sound: Sound, model: SpeechModel, matcher: Matcher) -> list[Event]:
    """The events of a file with this sound; none if it cannot be read."""
    samples, rate = sound
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sound.wav")
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            file.writeframes(np.clip(np.round(samples), -32_768, 32_767).astype("<i2").tobytes())
        try:
            return list(judge_events(file_source(path, model), matcher))
        except AudioError:
            return []


def spoken(language: str, variant: str) -> Samples:
    """The talk in a language, twice, by espeak-ng."""
    command = ["espeak-ng", "-v", language + variant, "--stdout", f"{LANGUAGES[language]} {LANGUAGES[language]}"]
    with wave.open(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
    at = np.arange(0, len(samples), rate / SAMPLE_RATE)
    resampled = at_level(np.interp(at, np.arange(len(samples)), samples), LOUD)
    return np.asarray(resampled + pink(len(resampled)) * ROOM)


def music(seed: int) -> Samples:
    """A minute of tones of a scale, every other piece with chords."""
    rng, parts, size = np.random.default_rng(seed), [], 0
    while size < 60 * SAMPLE_RATE:
        length = float(rng.choice((0.2, 0.25, 0.4, 0.5)))
        at = np.arange(int(length * SAMPLE_RATE)) / SAMPLE_RATE
        base = 220 * 2 ** (int(rng.integers(-5, 20)) / 12)
        chord = (1.0, 1.26, 1.5) if seed % 2 else (1.0,)
        tone = sum(np.sin(2 * np.pi * base * ratio * n * at) / n for ratio in chord for n in range(1, 6))
        parts.append(np.asarray(tone * np.minimum(1, np.minimum(at / 0.02, (length - at) / 0.05))))
        size += len(at)
    return at_level(np.concatenate(parts), LOUD)


def babble(fixtures: Sequence[Samples], number: int) -> Samples:
    """A minute in which several recordings play at once."""
    size = 60 * SAMPLE_RATE
    voices = (np.resize(at_level(fixtures[at], LOUD), size) for at in range(number))
    return at_level(np.sum(list(voices), axis=0), LOUD)


if __name__ == "__main__":
    main()
