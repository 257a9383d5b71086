"""The models of the zoo: where each comes from, what calibrates it, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from tests.benchmarks.zoo import sentences, words
from tests.benchmarks.zoo.wheels import CACHE

Array = numpy.ndarray[Any, Any]
Outputs = Sequence[Mapping[str, Array]]
READY = ".ready"


@dataclass(frozen=True, slots=True)
class Entry:
    """One model.

    Attributes:
        title: What it does.
        measure: What the score says, higher is better.
        make: Writes ``model.onnx``, ``calibration`` and ``heldout`` below a folder.
        score: From the folder, the outputs of a model on the held-out samples, and those of the
            float model, for measures that have no other truth.
        licence: Of the model.
    """

    name: str
    title: str
    measure: str
    make: Callable[[Path], None]
    score: Callable[[Path, Outputs, Outputs], float]
    licence: str = "Apache-2.0"

    def folder(self) -> Path:
        """Its files, made when they are not there yet."""
        folder = CACHE / self.name
        if not (folder / READY).exists():
            folder.mkdir(parents=True, exist_ok=True)
            self.make(folder)
            (folder / READY).touch()
        return folder


ENTRIES = (
    Entry("ppocr-rec", "Text recognition, PP-OCRv5", "exact match", words.make, words.exact),
    Entry(
        "minilm",
        "Sentence encoder, paraphrase-MiniLM-L3",
        "nearest neighbour as in float",
        sentences.make,
        sentences.neighbours,
    ),
)


def entry(name: str) -> Entry:
    """One entry.

    Raises:
        KeyError: when there is none of this name.
    """
    return {one.name: one for one in ENTRIES}[name]
