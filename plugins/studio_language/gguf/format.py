"""The GGUF format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy

from studio.api import (
    Array,
    Dimension,
    Finding,
    Initializer,
    Intake,
    Level,
    Limits,
    Model,
    Progress,
    TensorType,
    UnsafeModel,
    UsageError,
)
from studio.api.inspection import OperatorDoc
from studio_language.decoder import TOKENS, DecoderShape, decoder_graph
from studio_language.gguf.content import MAGIC, GgufContent, Scalar, load
from studio_language.gguf.facts import language_model
from studio_language.gguf.values import read_values

_KINDS = {"adapter": "a LoRA adapter", "mmproj": "the part of a model that reads pictures"}
_LONGEST_VALUE = 2_000


class GgufFormat:
    """Reader of GGUF files, which loads weights on request only."""

    id = "gguf"
    title = "GGUF"
    suffixes = (".gguf",)

    def __init__(self) -> None:
        self._last: tuple[tuple[str, int, int], GgufContent] | None = None

    def recognises(self, path: Path) -> bool:
        """Return whether the file begins like GGUF."""
        try:
            if not path.is_file():
                return False
            with path.open("rb") as file:
                return file.read(4) == MAGIC
        except OSError:
            return False

    def intake(self, path: Path, limits: Limits) -> Intake:
        """Look at metadata, names, types, and places of all tensors.

        Raises:
            InvalidModel: when it is no GGUF file, or is damaged.
            UnsafeModel: when it is beyond the limits.
        """
        path = path.absolute()
        content = self._load(path)
        if len(content.tensors) > limits.nodes:
            raise UnsafeModel(f"{path.name} has more tensors than the limit of {limits.nodes:,}.")
        return Intake((path,), tuple(_findings(content)))

    def read(
        self, path: Path, progress: Progress, shapes: Mapping[str, Sequence[int]] | None = None
    ) -> Model:
        """Read the decoder, as the names of the tensors tell it."""
        progress.check()
        content = self._load(path.absolute())
        given = (shapes or {}).get(TOKENS)
        length: Dimension = given[-1] if given else "sequence"
        facts = language_model(content)
        shape = DecoderShape(facts.heads, facts.kv_heads)
        name = content.name("general.name") or path.stem
        return Model(
            format=self.id,
            graph=decoder_graph(name, _initializers(content), shape, length),
            ir_version=content.version,
            producer=content.name("general.organization"),
            metadata=_metadata(content),
            language=facts,
        )

    def constant(self, path: Path, name: str, most_bytes: int) -> Array:
        """Return the first values of one tensor, computed from their blocks."""
        path = path.absolute()
        found = next((one for one in self._load(path).tensors if one.name == name), None)
        if found is None:
            raise UsageError(f"The model has no constant {name!r}.")
        with path.open("rb") as file:
            file.seek(found.offset)
            size = min(found.size, max(1, most_bytes // found.kind.bytes) * found.kind.bytes)
            values: Array = read_values(name, found.kind, file.read(size))
        return numpy.asarray(values)

    def documentation(self, operator: str, domain: str, version: int) -> OperatorDoc | None:
        """Return no text: the file holds no operators."""
        return None

    def _load(self, path: Path) -> GgufContent:
        """Return the head of the file, cached until another file or state is requested."""
        status = path.stat() if path.exists() else None
        key = (str(path), status.st_mtime_ns, status.st_size) if status else (str(path), 0, 0)
        if self._last is None or self._last[0] != key:
            self._last = (key, load(path))
        return self._last[1]


def _initializers(content: GgufContent) -> Iterator[Initializer]:
    for one in content.tensors:
        yield Initializer(one.name, TensorType(one.kind.name, one.shape), one.size)


def _metadata(content: GgufContent) -> dict[str, str]:
    """Return the texts and numbers of the metadata; lists are left out."""
    found = {
        key: _as_text(value)
        for key, value in content.metadata.items()
        if isinstance(value, (str, int, float)) and key != "tokenizer.chat_template"
    }
    licence = content.name("general.license.name") or content.name("general.license")
    return {**found, "license": licence} if licence else found


def _as_text(value: Scalar) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)[:_LONGEST_VALUE]


def _findings(content: GgufContent) -> Iterator[Finding]:
    kind = content.text("general.type")
    if kind in _KINDS:
        text = f"This is {_KINDS[kind]}: it runs only together with its model."
        yield Finding(Level.WARNING, "not-whole", text)
    parts = content.number("split.count")
    if parts is not None and parts > 1:
        text = f"This is one of {parts} files of the model: its other tensors are in the others."
        yield Finding(Level.WARNING, "split", text)
    if not content.tensors:
        text = "The file holds no tensors, such as a vocabulary alone."
        yield Finding(Level.ERROR, "no-tensors", text)
    elif kind in ("", "model") and not content.count("tokenizer.ggml.tokens"):
        text = "The file has no tokenizer, so no program can turn text into its tokens."
        yield Finding(Level.WARNING, "no-tokenizer", text)
