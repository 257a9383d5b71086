"""A language model as the server sees every model: a text in, a text out."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional, Sequence

import numpy as np

from ..backends.backend_model import Argument, Feeds, InvalidArgument, RunOptions
from ..backends.catalog import ServingBackend
from .conversation import Conversation
from .generator import TextGenerator
from .loader import load_text_model
from .loop import QueueLimits, TooManyRequests
from .prompt_reader import BadPrompt
from .request import GenerationRequest
from .text_model import TextSettings

INPUT, OUTPUT = "text_input", "text_output"
"""As Triton and KServe name them."""


class UnendedRun:
    """Options of a run that is ended by its loop, not by them."""

    terminate = False


class ServedText:
    """A language model whose one input and output are texts, answered greedily.

    Attributes:
        generator: Answers requests that say more than a text.
    """

    can_end = False
    new_options = UnendedRun

    def __init__(self, path: Path, backend: ServingBackend, settings: TextSettings) -> None:
        model = load_text_model(path, backend, settings)
        self.version = model.facts.version
        self._most = settings.answer
        limits = QueueLimits(settings.queue, settings.queue_tokens, settings.total)
        self.generator = TextGenerator(model, limits)
        self.inputs = [Argument(INPUT, "tensor(string)", (None,))]
        self.outputs = [Argument(OUTPUT, "tensor(string)", (None,))]

    def run(
        self, outputs: Sequence[str], feeds: Feeds, options: Optional[RunOptions] = None
    ) -> List[np.ndarray]:
        """Answer each text."""
        texts = feeds[INPUT]
        found = np.empty(texts.shape, object)
        for place in np.ndindex(*texts.shape):
            found[place] = self._answer(texts[place])
        return [found for _ in outputs]

    def _answer(self, text: object) -> str:
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        try:
            conversation = Conversation(text=words)
            tokens = self.generator.read(conversation)
            request = GenerationRequest(tokens, self._most, conversation=conversation)
            return self.generator.answer(request)
        except BadPrompt as error:
            raise InvalidArgument(str(error)) from error
        except TooManyRequests:
            raise InvalidArgument("Too many requests are waiting.") from None
