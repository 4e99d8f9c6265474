"""What somebody says into the microphone of the browser: a WAV of some seconds comes in, words go out, nothing is kept.

A page that takes it has, in its module:

    @router.post("/somewhere/spoken")
    def spoken_somewhere(request: Request, samples: Spoken) -> JSONResponse:
        heard = hear(request, samples)
        return JSONResponse({**heard.as_json(), ...})

its GET route returns `may_record(render(...))`, and its template has, from spoken.html, `spoken_button(...)`, the
script static/spoken.js, and whatever listens to the event `spoken:heard`, whose `detail` is the JSON. What went wrong
comes as {"wrong": "one sentence in the language of the reader"}, and spoken.js shows it.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from counter_listener.asr import SpeechModel, find_model
from counter_listener.domain import (
    SAMPLE_BYTES,
    SAMPLE_RATE,
    CounterListenerError,
    ModelError,
    Sentence,
    Utterance,
    sentence,
)
from counter_listener.record import record_state
from counter_listener.web.context import Site, site_of
from counter_listener.web.rendering import texts_of

MOST_SECONDS: Final = 10
"""Of what is said at once."""
MOST_BYTES: Final = (MOST_SECONDS + 1) * SAMPLE_RATE * SAMPLE_BYTES
"""Of the WAV; the browser may need a moment to stop."""
MICROPHONE: Final = "microphone=(self), camera=(), geolocation=()"
"""The Permissions-Policy of a page that records; every other page may not."""


class SpokenError(Exception):
    "What was sent cannot be recognised."

    def __init__(self, wrong: Sentence, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> None:
        super().__init__(wrong)
        self.wrong, self.status = wrong, status


@dataclass(frozen=True, slots=True)
class Heard:
    """What was recognised."""

    utterances: tuple[Utterance, ...]
    seconds: float

    @property
    def text(self) -> str:
        """The words, with a space between utterances."""
        return " ".join(utterance.text for utterance in self.utterances)

    def as_json(self) -> dict[str, Any]:
        """For the browser."""
        return {"heard": self.text, "seconds": round(self.seconds, 2)}


async def samples_of(request: Request) -> bytes:
    """The samples in the WAV that a browser sent: 16 kHz, mono, signed 16-bit little-endian. Raises SpokenError."""
    if not request.headers.get("content-type", "").startswith("audio/"):
        raise SpokenError(sentence("This is no WAV; load the page again."))
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            wrong = sentence("It is longer than {seconds} s; say less at once.", seconds=MOST_SECONDS)
            raise SpokenError(wrong, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return wav_samples(bytes(content))


Spoken = Annotated[bytes, Depends(samples_of)]
"""The samples that were sent, as the parameter of a route."""


def wav_samples(content: bytes) -> bytes:
    """The samples of a WAV as spoken.js makes it. Raises SpokenError."""
    try:
        with wave.open(io.BytesIO(content)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            samples: bytes = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError):
        raise SpokenError(sentence("This is no WAV; load the page again.")) from None
    if form != (1, SAMPLE_BYTES, SAMPLE_RATE) or len(samples) % SAMPLE_BYTES:
        raise SpokenError(sentence("The WAV must be mono, 16 kHz, 16 bits; load the page again."))
    return samples


def hear(request: Request, samples: bytes) -> Heard:
    """What the model in use recognises, in a process of its own. Raises SpokenError."""
    site = site_of(request)
    try:
        found = site.worker.run(recognise_samples, model_in_use(site), samples)
    except CounterListenerError as error:
        raise SpokenError(error.sentence, HTTPStatus.SERVICE_UNAVAILABLE) from error
    return Heard(found, len(samples) / SAMPLE_BYTES / SAMPLE_RATE)


def model_in_use(site: Site) -> Path:
    """The model that recognised the newest visits, or else the one of the settings. Raises ModelError."""
    with site.records.reading() as record:
        used = [model for model, _ in record.query(record_state).models]
    for name in used:
        try:
            return find_model(name)
        except ModelError:  # the visits came from another machine, or from a transcript
            continue
    return find_model(site.settings.model)


def recognise_samples(folder: Path, samples: bytes) -> tuple[Utterance, ...]:
    """The utterances in samples. Raises ModelError. For the worker, which keeps the model."""
    from counter_listener.pipeline import AudioSource, recognise

    items = recognise(AudioSource([samples], _model(folder).recognizer()))
    return tuple(item for item in items if isinstance(item, Utterance))


@lru_cache(maxsize=1)
def _model(folder: Path) -> SpeechModel:
    return SpeechModel(folder)


def may_record(response: Response) -> Response:
    """The response, whose page may ask for the microphone."""
    response.headers["Permissions-Policy"] = MICROPHONE
    return response


def spoken_error(request: Request, error: Exception) -> Response:
    """What is answered to a SpokenError."""
    if not isinstance(error, SpokenError):
        raise error
    return JSONResponse({"wrong": error.wrong.translated(texts_of(request)._)}, error.status)
