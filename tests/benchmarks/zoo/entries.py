"""The models of the zoo: where each comes from, what calibrates it, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from tests.benchmarks.zoo import (
    captchas,
    characters,
    digits,
    faces,
    files,
    lite0,
    orientation,
    pages,
    selfie,
    sentences,
    speech,
    wakeword,
    words,
)
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
    Entry("digits", "Handwritten digits", "top-1", digits.make, digits.right),
    Entry("ppocr-rec", "Text recognition, PP-OCRv5", "exact match", words.make, words.exact),
    Entry(
        "ppocr-det",
        "Text detection, PP-OCRv5",
        "F1 of lines",
        pages.make_lines,
        pages.f1_of_lines,
    ),
    Entry(
        "picodet",
        "Layout of pages, PicoDet",
        "F1 of boxes beside float's",
        pages.make_layout,
        pages.f1_of_layout,
    ),
    Entry("magika", "Types of files, Magika", "top-1", files.make, files.right),
    Entry("silero-vad", "Speech or not, Silero", "ROC AUC", speech.make, speech.auc, "MIT"),
    Entry(
        "silero-vad-both",
        "Speech or not, Silero for both rates",
        "ROC AUC",
        speech.make_both,
        speech.auc,
        "MIT",
    ),
    Entry(
        "mtcnn-p",
        "Faces, MTCNN's first network",
        "decisions as in float",
        faces.maker("pnet", "input_1", 24, whole=True),
        faces.agreement,
        "MIT",
    ),
    Entry(
        "mtcnn-r",
        "Faces, MTCNN's second network",
        "decisions as in float",
        faces.maker("rnet", "input_2", 24),
        faces.agreement,
        "MIT",
    ),
    Entry(
        "mtcnn-o",
        "Faces, MTCNN's third network",
        "decisions as in float",
        faces.maker("onet", "input_3", 48),
        faces.agreement,
        "MIT",
    ),
    Entry(
        "minilm",
        "Sentence encoder, MiniLM-L3",
        "nearest neighbour as in float",
        sentences.make,
        sentences.neighbours,
    ),
    Entry(
        "orientation",
        "Which way up a page lies, PP-LCNet",
        "top-1",
        orientation.make,
        orientation.right,
    ),
    Entry(
        "yolox",
        "Characters in pictures, YOLOX",
        "F1 of boxes",
        characters.make,
        characters.f1,
        "MIT",
    ),
    Entry(
        "wakeword", "Speech embeddings before a wake word", "ROC AUC", wakeword.make, wakeword.auc
    ),
    Entry(
        "ddddocr",
        "Captchas, residual network and LSTM",
        "exact match",
        captchas.make,
        captchas.exact,
        "MIT",
    ),
    Entry(
        "efficientnet-lite0",
        "Photographs, EfficientNet-Lite0",
        "top-1 as in float",
        lite0.make,
        lite0.agreement,
    ),
    Entry(
        "selfie",
        "People before what is behind them, MediaPipe",
        "IoU of masks beside float's",
        selfie.make,
        selfie.iou,
    ),
)


def entry(name: str) -> Entry:
    """One entry.

    Raises:
        KeyError: when there is none of this name.
    """
    return {one.name: one for one in ENTRIES}[name]
