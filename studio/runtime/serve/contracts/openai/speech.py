"""Text to speech by OpenAI's interface: ``POST /v1/audio/speech``."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence

import numpy as np

from ....speech.phonemes import SpeechError, sentences_of
from ....speech.voice import Voice, in_runs, pcm_of, wav_of
from ...decoders import settings as tasks
from ...decoders.decoder import Decoder
from ...engine.served_model import ServedModel
from ...http.content_encoding import content_of
from ...http.exchange import Exchange
from ...http.message import HttpError, Request, Response
from ...protocol.codec import Inference
from ...rest.router import CONTROL_BYTES, PathNames
from ...service import Service
from ..call import Contract, ContractCall
from ..question import Form, Question
from .errors import BadField, error_response
from .fields import Document, Fields, read_document

_TYPES = {"wav": "audio/wav", "pcm": "audio/pcm"}
_SLOWEST, _FASTEST = 0.25, 4.0
_PAUSE_S = 0.2
"""Silence between two sentences."""


class SpeechQuestion(NamedTuple):
    """A text to be spoken, and the form of its sound.

    Attributes:
        form: ``wav``, or ``pcm``: 16 bits, little-endian, one channel.
        speed: 2 is twice as fast.
    """

    text: str
    form: str = "wav"
    speed: float = 1.0


def read_question(document: Document) -> SpeechQuestion:
    """Read the fields of a request; others, such as ``voice``, are passed over.

    Raises:
        BadField: for a value that cannot be used.
    """
    fields = Fields(document)
    text = fields.text("input")
    if not text.strip():
        raise BadField("input", "input is the text to be spoken.")
    form = fields.text("response_format", "wav")
    if form not in _TYPES:
        raise BadField("response_format", "response_format is wav or pcm here.")
    return SpeechQuestion(text, form, fields.number("speed", _SLOWEST, _FASTEST, 1.0))


def _refusal(status: int, sentence: str, headers: str) -> Response:
    return error_response(status, sentence, headers=headers)


_CONTRACT = Contract(refusal=_refusal)


class SpeechCall(ContractCall):
    """A text on its way through a voice: phonemes, one run for each sentence, and the sound.

    It always runs on a thread, as a program gives the phonemes.
    """

    def __init__(
        self, exchange: Exchange, model: ServedModel, max_body: int, wanted: SpeechQuestion
    ) -> None:
        super().__init__(exchange, model, max_body, _CONTRACT)
        self.heavy = True
        self._wanted = wanted

    def is_read_quickly(self, request: Request, most: int) -> bool:
        """Never: the program for the phonemes takes some milliseconds for each clause."""
        return False

    def _read(self) -> Inference:
        try:
            sentences = sentences_of(self._wanted.text, self._decoder.settings.language)
        except SpeechError as error:
            raise HttpError(503 if error.of_board else 400, str(error)) from None
        names, voice = list(self._model.inputs), self._voice
        pieces = [piece for one in sentences for piece in in_runs(one)]
        try:
            runs = [voice.feeds(one, names, self._wanted.speed) for one in pieces]
        except ValueError as error:
            raise HttpError(503, "The voice cannot speak: {}.".format(error)) from None
        return self._inference_of(Question(runs, 1, Form.BARE, whole=True))

    @property
    def _decoder(self) -> Decoder:
        found = self._model.source.decoder
        assert found is not None, "the endpoint takes voices alone"
        return found

    @property
    def _voice(self) -> Voice:
        settings = self._decoder.settings
        return Voice(self._decoder.characters, settings.rate_hz, settings.scales)

    def _answer(
        self, question: Optional[Question], results: Sequence[Sequence[np.ndarray]]
    ) -> Response:
        rate = self._decoder.settings.rate_hz
        wanted = self._decoder.settings.output
        at = list(self._model.outputs).index(wanted) if wanted else 0
        parts: List[bytes] = []
        for arrays in results:
            parts += [bytes(2 * round(_PAUSE_S * rate))] if parts else []
            parts.append(pcm_of(arrays[at]))
        pcm = b"".join(parts)
        content = pcm if self._wanted.form == "pcm" else wav_of(pcm, rate)
        headers = self._model.headers + "Cache-Control: no-store\r\n"
        return Response(200, content, _TYPES[self._wanted.form], headers)


def speak(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Answer a text with its sound."""
    try:
        most = min(CONTROL_BYTES, service.max_body)
        document = read_document(content_of(exchange.request, most))
        model = _voice_of(service, document)
        call = SpeechCall(exchange, model, service.max_body, read_question(document))
        return service.infer(exchange, model, call)
    except BadField as error:
        return error.response()
    except HttpError as error:
        return error_response(error.status, error.sentence, headers=error.headers)


def _voice_of(service: Service, document: Document) -> ServedModel:
    wanted = Fields(document).text("model")
    names = sorted({one.name for one in service.repository.all() if _speaks(one)})
    if not wanted and len(names) == 1:
        wanted = names[0]
    if wanted not in names:
        known = ", ".join(names) or "none"
        sentence = "This server has no voice {!r}, but {}."
        raise HttpError(404, sentence.format(wanted[:100], known))
    return service.repository.find(wanted)


def _speaks(model: ServedModel) -> bool:
    decoder = model.source.decoder
    return decoder is not None and decoder.settings.task == tasks.SPEECH
