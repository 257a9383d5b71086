"""The format of safetensors next to a configuration of transformers."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from studio.api import (
    Array,
    Dimension,
    Finding,
    Initializer,
    Intake,
    InvalidModel,
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
from studio_language.safetensors.content import INDEX, SavedTensor, files_of, load

_CONFIG = "config.json"
_MOST_CONFIG = 4 << 20


_LANGUAGE, _WITH_TEXT = ("ForCausalLM", "LMHeadModel"), "ForConditionalGeneration"
_PLAIN = frozenset({
    "float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64", "uint32",
    "uint16", "uint8", "bool",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class SavedModel:
    """The tensors of a model, and the settings of its configuration."""

    files: tuple[Path, ...]
    tensors: Mapping[str, SavedTensor]
    config: Mapping[str, object]


class SafetensorsFormat:
    """Reader of folders of language models, which loads weights on request only."""

    id = "safetensors"
    title = "Safetensors"
    suffixes = (".safetensors",)

    def __init__(self) -> None:
        self._last: tuple[object, SavedModel] | None = None

    def recognises(self, path: Path) -> bool:
        """Return whether the file has weights, and a configuration next to it names a decoder."""
        named = path.name.endswith((".safetensors", INDEX))
        if not named or not path.is_file():
            return False
        try:
            config = _configuration(path.parent)
        except (InvalidModel, UnsafeModel):
            return False
        names = config.get("architectures")
        texts = [str(one) for one in names] if isinstance(names, list) else []
        ends = (*_LANGUAGE, *((_WITH_TEXT,) if "text_config" in config else ()))
        return any(one.endswith(ends) for one in texts)

    def intake(self, path: Path, limits: Limits) -> Intake:
        """Look at names, types, shapes and places of all tensors.

        Raises:
            InvalidModel: when a file is missing or damaged.
            UnsafeModel: when it reaches outside its folder, or is beyond the limits.
        """
        path = path.absolute()
        model = self._load(path)
        files = tuple(dict.fromkeys((path, *model.files)))
        return Intake(files, tuple(_findings(model)))

    def read(
        self, path: Path, progress: Progress, shapes: Mapping[str, Sequence[int]] | None = None
    ) -> Model:
        """Read the decoder, as the names of the tensors tell it."""
        progress.check()
        model = self._load(path.absolute())
        given = (shapes or {}).get(TOKENS)
        length: Dimension = given[-1] if given else "sequence"
        text = model.config.get("text_config")
        config = text if isinstance(text, dict) else model.config
        heads = _number(config, "num_attention_heads") or _number(config, "n_head")
        shape = DecoderShape(heads, _number(config, "num_key_value_heads") or heads)
        name = path.parent.name
        version = model.config.get("transformers_version")
        return Model(
            format=self.id,
            graph=decoder_graph(name, _initializers(model), shape, length),
            producer=f"transformers {version}" if isinstance(version, str) else "",
        )

    def constant(self, path: Path, name: str, most_bytes: int) -> Array:
        """Return the first values of one tensor."""
        found = self._load(path.absolute()).tensors.get(name)
        if found is None:
            raise UsageError(f"The model has no constant {name!r}.")
        if found.dtype not in _PLAIN and found.dtype != "bfloat16":
            raise UsageError(f"The values of {name!r} are of type {found.dtype}.")
        width = 2 if found.dtype == "bfloat16" else numpy.dtype(found.dtype).itemsize
        with found.file.open("rb") as file:
            file.seek(found.offset)
            data = file.read(min(found.size, max(1, most_bytes // width) * width))
        if found.dtype == "bfloat16":
            return (numpy.frombuffer(data, "<u2").astype(numpy.uint32) << 16).view(numpy.float32)
        return numpy.frombuffer(data, numpy.dtype(found.dtype).newbyteorder("<"))

    def documentation(self, operator: str, domain: str, version: int) -> OperatorDoc | None:
        """Return no text: the files hold no operators."""
        return None

    def _load(self, path: Path) -> SavedModel:
        """Return the heads of the files, cached until another file or state is requested."""
        _check_regular(path)
        files = files_of(path)
        for file in files:
            _check_regular(file)
        key = tuple(
            (str(one), one.stat().st_mtime_ns, one.stat().st_size) for one in (path, *files)
        )
        if self._last is None or self._last[0] != key:
            self._last = (key, SavedModel(files, load(files), _configuration(path.parent)))
        return self._last[1]


def _check_regular(path: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise InvalidModel(f"{path.name} cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeModel(f"{path.name} is not a regular file.")


def _configuration(folder: Path) -> Mapping[str, object]:
    path = folder / _CONFIG
    try:
        if path.stat().st_size > _MOST_CONFIG:
            raise UnsafeModel(f"{_CONFIG} is larger than {_MOST_CONFIG >> 20} MB.")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidModel(f"{_CONFIG} next to the weights cannot be read.")
    return found


def _number(config: Mapping[str, object], key: str) -> int | None:
    found = config.get(key)
    whole = isinstance(found, int) and not isinstance(found, bool)
    return found if whole and isinstance(found, int) and 0 < found < 1 << 31 else None


def _initializers(model: SavedModel) -> Iterator[Initializer]:
    """Yield the tensors; packed integers with the shape and type of what they hold."""
    quantization = model.config.get("quantization_config")
    packing = quantization if isinstance(quantization, dict) else {}
    for one in model.tensors.values():
        yield Initializer(one.name, _type(one, packing), one.size)


def _type(tensor: SavedTensor, packing: Mapping[str, object]) -> TensorType:
    bits, method = _number(packing, "bits"), packing.get("quant_method")
    packed = tensor.name.endswith(".qweight") and len(tensor.shape) == 2
    if not packed or bits not in (2, 3, 4, 8) or method not in ("gptq", "awq"):
        return TensorType(tensor.dtype, tensor.shape)
    rows, columns = tensor.shape
    many = 32 // bits if bits != 3 else 1
    # GPTQ packs along the inputs, AWQ along the outputs; both store inputs by outputs.
    shape = (columns, rows * many) if method == "gptq" else (columns * many, rows)
    return TensorType(f"int{bits}", shape)


def _findings(model: SavedModel) -> Iterator[Finding]:
    if not model.tensors:
        yield Finding(Level.ERROR, "no-tensors", "The files hold no tensors.")
    folder = model.files[0].parent
    names = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
    if not any((folder / name).is_file() for name in names):
        text = "The folder has no tokenizer, so no program can turn text into its tokens."
        yield Finding(Level.WARNING, "no-tokenizer", text)
    if "auto_map" in model.config:
        text = "Its configuration names code of its own. It is not run here."
        yield Finding(Level.WARNING, "own-code", text)
