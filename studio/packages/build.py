"""The assembly of a bundle's folder from a model and what goes with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from pathlib import Path

from studio.api import InvalidModel, Model, StudioError, TensorType, Value
from studio.datasets import Preprocess
from studio.datasets.output_settings import read_outputs
from studio.documents.dataclass_json import JsonValue, to_json
from studio.lazy_dataclass import dataclass
from studio.models.language.encoder import PACKAGE, EncoderContent
from studio.models.language.folder import companions
from studio.packages import gguf_parts, golden, tensors
from studio.packages.app_slot import AppContent
from studio.packages.backends import requirements_of, serving_backend
from studio.packages.bundle import MANIFEST, PICTURES
from studio.packages.checks import FILE as CHECKS
from studio.packages.checks import Checked
from studio.packages.embedding import EmbeddingGraph
from studio.packages.golden import GoldenSample, Tolerance
from studio.packages.results import LatencyFile
from studio.packages.step import BundleNumber
from studio.registry import file_digest
from studio.runtime.backends.catalog import ServingBackend
from studio.runtime.generate.guard.rules import FILE as GUARD
from studio.runtime.parts import KEY as PARTS
from studio.runtime.shared.manifest import BASELINE, LATENCY, canonical
from studio.runtime.shared.user_notice import FILE as NOTICE
from studio.runtime.shared.user_notice import UserNotice
from studio.settings.disk_space import hint_for

FORMAT = 1


@dataclass(frozen=True, slots=True)
class BundleContent:
    """Contents of a bundle.

    Attributes:
        files: The model's own file first, then its external tensors.
        labels, preprocess, outputs, dictionary: Files to take along, or None.
        baseline: What is normal (``drift``), for later comparison.
        latency: What profiles have measured, or None.
        checked: What the plugins' checks found.
        app: The app that travels with the model, or None.
        graft: An output that the model gets for the watch alone, or None.
        lineage: Where the model came from.
        backend: What serves the model.
        notice: What users of the release are to know; it makes no file where it states nothing.
        generation: Settings of a language model; empty for any other.
        encoder: Tokenizer and pooling of an encoder of texts; None for any other model.
        guard: Rules for prompts and answers; empty for none.
        notes: Messages for the user; not in the bundle.
    """

    name: str
    precision: str
    model: Model
    files: Sequence[Path]
    samples: Sequence[GoldenSample]
    tolerance: Tolerance
    checked: Checked
    lineage: Mapping[str, JsonValue]
    backend: ServingBackend
    labels: Path | None = None
    preprocess: Path | None = None
    outputs: Path | None = None
    dictionary: Path | None = None
    baseline: Mapping[str, JsonValue] | None = None
    latency: LatencyFile | None = None
    app: AppContent | None = None
    graft: EmbeddingGraph | None = None
    notice: UserNotice = UserNotice()
    generation: Mapping[str, JsonValue] = field(default_factory=dict)
    encoder: EncoderContent | None = None
    guard: Mapping[str, JsonValue] = field(default_factory=dict)
    notes: Sequence[str] = ()


def build(content: BundleContent, number: BundleNumber, folder: Path) -> dict[str, JsonValue]:
    """Write a bundle's files and return its manifest, which is not written yet.

    Equal content and number give equal bytes.

    Raises:
        StudioError: when a file cannot be read.
    """
    folder.mkdir(parents=True)
    try:
        model_name = _copy_model(content, folder)
        list(golden.write(content.samples, folder / "golden"))
        labels = _copy(content.labels, folder / "labels.txt")
        _copy(content.preprocess, folder / "preprocess.toml")
        _copy(content.outputs, folder / "outputs.toml")
        dictionary = _copy(content.dictionary, folder / "dictionary.txt")
        if content.encoder is not None:
            _copy(content.encoder.tokenizer, folder / content.encoder.settings.tokenizer)
        if content.baseline is not None:
            (folder / BASELINE).write_bytes(canonical(content.baseline))
        if content.latency is not None:
            (folder / LATENCY).write_bytes(canonical(to_json(content.latency)))
        if stated := content.notice.to_json():
            (folder / NOTICE).write_bytes(canonical(stated))
        if content.guard:
            (folder / GUARD).write_bytes(canonical(content.guard))
        (folder / CHECKS).write_bytes(content.checked.content())
        app = {} if content.app is None else content.app.write(folder)
    except OSError as error:
        text = f"The bundle cannot be written: {error.filename or folder}: {error.strerror}."
        raise StudioError(text, hint=hint_for(error)) from None
    return {
        "format": FORMAT,
        "name": content.name,
        "version": number.version,
        "counter": number.counter,
        "created": number.created,
        "model": _model(content, model_name),
        "files": _files(folder),
        "runtime": _requirements(content),
        PARTS: sorted(name for name, is_needed in _parts(content).items() if is_needed),
        "preprocess": _preprocess(content.preprocess),
        "labels": labels,
        **_meaning(content.outputs, dictionary),
        **app,
        **({"generation": dict(content.generation)} if content.generation else {}),
        **_encoder(content.encoder),
        **({"guard": GUARD} if content.guard else {}),
        "golden": {"count": len(content.samples), **asdict(content.tolerance)},
        "baseline": None if content.baseline is None else BASELINE,
        "lineage": dict(content.lineage),
    }


def _requirements(content: BundleContent) -> dict[str, JsonValue]:
    """Return the distributions that a target needs, with their versions."""
    pictures = PICTURES if content.preprocess or content.app is not None else {}
    app = {} if content.app is None else content.app.requirements
    foreign = content.encoder is not None and content.encoder.foreign
    return {**requirements_of(content.backend), **pictures, **app, **(PACKAGE if foreign else {})}


def _parts(content: BundleContent) -> dict[str, bool]:
    """Return for parts of the runtime whether the bundle needs them."""
    speaks = content.outputs is not None and bool(read_outputs(content.outputs).language)
    return {
        "apps": content.app is not None,
        "language": bool(content.generation or content.guard or content.encoder or speaks),
        "pictures": bool(content.preprocess or content.outputs),
    }


def _copy_model(content: BundleContent, folder: Path) -> str:
    """Write the model with its large tensors next to it, each in a file named by its content.

    Files that are not split keep the names by which the model refers to them.
    """
    first, *rest = content.files
    name = f"model{first.suffix.lower()}"
    if content.generation and content.model.format != "gguf":
        return _copy_language_folder(content, folder)
    if content.model.format == "onnx" and tensors.write_parts(first, folder, name):
        if content.graft is not None:
            path = folder / name
            path.write_bytes(content.graft.apply(path.read_bytes()))
        return name
    if content.model.format == "gguf" and gguf_parts.write_parts(first, folder, name):
        return name
    _copy(first, folder / name)
    for path in rest:
        relative = Path(os.path.relpath(path, first.parent))
        if ".." in relative.parts or relative.as_posix() in (name, MANIFEST, CHECKS, NOTICE):
            raise InvalidModel(
                f"The model file {path.name} is outside the model's folder or has a reserved name."
            )
        if content.model.format != "onnx" and relative.stem == first.stem:
            relative = relative.with_stem("model")  # weights that are found by the model's name
        _copy(path, folder / relative)
    return name


def _copy_language_folder(content: BundleContent, folder: Path) -> str:
    """Write a language model of several files, whose settings refer to each other by name."""
    first, *rest = content.files
    split = content.model.format == "onnx" and tensors.write_parts(first, folder, first.name)
    beside = companions(first)
    for path in beside if split else (first, *rest):
        if path.parent != first.parent or path.name in (MANIFEST, CHECKS, NOTICE, GUARD):
            raise InvalidModel(f"The model file {path.name} has a reserved name.")
        _copy(path, folder / path.name)
    return first.name


def _copy(source: Path | None, target: Path) -> str | None:
    if source is None:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target.name


def _files(folder: Path) -> dict[str, JsonValue]:
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": file_digest(path),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _model(content: BundleContent, file: str) -> dict[str, JsonValue]:
    model = content.model
    # Bundles of the default stay as they were before there were others.
    usual = serving_backend(model.format, language=model.language is not None)
    default = usual == content.backend and not content.backend.generates
    return {
        "file": file,
        **({} if default else {"backend": content.backend.id}),
        "format": model.format,
        "precision": content.precision,
        "opset": dict(model.opsets),
        "ir_version": model.ir_version,
        "inputs": [_value(value) for value in model.graph.inputs],
        "outputs": [_value(value) for value in model.graph.outputs],
    }


def _value(value: Value) -> dict[str, JsonValue]:
    kind = value.type or TensorType("unknown", None)
    shape = None if kind.shape is None else list(kind.shape)
    return {"name": value.name, "dtype": kind.dtype, "shape": shape}


def _meaning(outputs: Path | None, dictionary: str | None) -> dict[str, JsonValue]:
    """Return what the outputs mean; nothing for bundles without, which stay as they were."""
    if outputs is None:
        return {}
    settings = read_outputs(outputs)
    listed = {"dictionary": dictionary} if dictionary else {}
    return {"outputs": to_json(settings._asdict()), **listed}


def _encoder(encoder: EncoderContent | None) -> dict[str, JsonValue]:
    return {} if encoder is None else {"encoder": to_json(encoder.settings._asdict())}


def _preprocess(path: Path | None) -> dict[str, JsonValue] | None:
    return None if path is None else Preprocess.from_toml(path).to_json()
