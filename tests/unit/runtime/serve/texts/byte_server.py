"""A server process of language models of bytes: settings as JSON in files that end with .gguf."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

from studio.runtime.backends.catalog import ServingBackend
from studio.runtime.generate import served_text
from studio.runtime.generate.text_model import Part, TextModel, TextSettings
from studio.runtime.main import main
from studio.runtime.shared.errors import LoadError
from tests.unit.runtime.generate.text_models import TEMPLATE, ByteModel, letters, script
from tests.unit.runtime.serve.rig import ServerProcess, wait_until

BELLS = b"\a\a"
"""Two in one part: a prompt can have them, and an answer, a token at a time, cannot."""


class SlowByteModel(ByteModel):
    """One whose runs take a while."""

    def __init__(self, seconds: float, **settings: Any) -> None:
        super().__init__(**settings)
        self._seconds = seconds

    def run(self, parts: Sequence[Part]) -> list[numpy.ndarray]:
        """Run parts after a pause; for a prompt of two bells, raise what no backend should."""
        if any(BELLS in bytes(token & 0xFF for token in part.tokens) for part in parts):
            raise SystemExit("The bell rang.")
        time.sleep(self._seconds)
        return super().run(parts)


class ByteServer(ServerProcess):
    """The process of such a server."""

    module = "tests.unit.runtime.serve.texts.byte_server"

    def logged(self) -> str:
        """Return the log with all that was logged before: lines are written after the answer."""
        mark = f"mark_{uuid.uuid4().hex}"
        self.call("POST", "/v1/completions", {"prompt": "a", "max_tokens": 1, mark: 1})
        wait_until(lambda: mark in self.log.read_text(), "a line in the log")
        return self.log.read_text()


def write_model(path: Path, **settings: object) -> Path:
    """Write a model: ``text`` to answer with (else letters), ``seconds`` of a run, and sizes."""
    path.write_text(json.dumps(settings))
    return path


def load(path: Path, backend: ServingBackend, wanted: TextSettings) -> TextModel:
    """Return the model of a file."""
    try:
        settings = json.loads(path.read_text())
    except ValueError:
        raise LoadError(f"{path.name} is damaged.") from None
    text = settings.get("text")
    return SlowByteModel(
        settings.get("seconds", 0.0),
        following=letters if text is None else script(text.encode()),
        slots=settings.get("slots", 2),
        context=settings.get("context", 512),
        template=settings.get("template", TEMPLATE),
    )


if __name__ == "__main__":
    served_text.load_text_model = load
    sys.exit(main())
