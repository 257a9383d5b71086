"""Source of a model: a release's root folder, a bundle, or a bare model file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Dict, Mapping, NamedTuple, Optional, Tuple

from ...backends.catalog import ONNX_RUNTIME, ServingBackend, backend_of
from ...backends.providers import CPU_ALONE, Acceleration
from ...encoder.settings import EncoderSettings, encoder_settings
from ...generate.text_model import TextSettings, text_settings
from ...parts import with_needs
from ...shared.documents import read_record
from ...shared.errors import LoadError
from ...shared.manifest import BASELINE, LATENCY
from ..images.preprocess import Preprocess

if TYPE_CHECKING:
    from ...generate.guard.guard import Guard
    from ..decoders.decoder import Decoder


class ModelSource(NamedTuple):
    """Everything needed to load one version of a model.

    Attributes:
        version: Number of the model version, as text; "1" for a bare file.
        digest: The release's digest (sha256 of the manifest), or that of the bare file.
        precision: From the manifest; empty for a bare file.
        golden: Folder of golden samples, where there is one.
        baseline: Latency percentiles that are normal for it (``p99_ms`` ...), where known.
        profiles: Its times on the machines where it was profiled, where known.
        drift: The content of what is normal for its inputs and answers, where known.
        preprocess: Steps from a picture to its input, where the bundle has them.
        labels: Names of its classes, in their order.
        decoder: Gives the meaning of its outputs, where the bundle has one.
        beside: Root of the releases that it may be compared with; None: its own root.
        backend: What loads the model.
        acceleration: Execution providers that are wanted for it.
        text: Settings of a language model.
        encoder: Settings of an encoder of texts; None for any other model.
        guard: Rules for the prompts and answers of a language model; None without any.
    """

    name: str
    version: str
    digest: str
    precision: str
    path: Path
    golden: Optional[Path] = None
    baseline: Optional[Mapping[str, object]] = None
    preprocess: Optional[Preprocess] = None
    labels: Tuple[str, ...] = ()
    drift: Optional[Mapping[str, object]] = None
    profiles: Optional[Mapping[str, object]] = None
    decoder: Optional[Decoder] = None
    beside: Optional[Path] = None
    backend: ServingBackend = ONNX_RUNTIME
    acceleration: Acceleration = CPU_ALONE
    text: TextSettings = TextSettings()
    encoder: Optional[EncoderSettings] = None
    guard: Optional[Guard] = None


class _Model(NamedTuple):
    """The model of a bundle."""

    file: str
    precision: Optional[str] = None
    backend: Optional[str] = None


class _Manifest(NamedTuple):
    """The part of a bundle's manifest that a server reads."""

    name: str
    version: int
    model: _Model
    baseline: object = None
    preprocess: object = None
    labels: object = None
    outputs: object = None
    dictionary: object = None
    generation: object = None
    encoder: object = None
    guard: object = None
    runtime_parts: Tuple[str, ...] = ()


class _Baseline(NamedTuple):
    """Reference values of a model."""

    latency: object = None
    drift: object = None


def from_bundle(folder: Path) -> ModelSource:
    """Return a bundle's model, as its manifest describes it."""
    raw, document = _read_manifest(folder)
    try:
        manifest = read_record(_Manifest, document)
        file = PurePosixPath(manifest.model.file)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LoadError("The manifest of the bundle {} is incomplete.".format(folder)) from error
    with_needs(manifest.runtime_parts)
    path = folder / file
    # A manifest must not name a file outside of its bundle.
    if file.is_absolute() or ".." in file.parts or not path.is_file():
        raise LoadError("The bundle {} lacks its model {}.".format(folder, file))
    golden, baseline = folder / "golden", _baseline(folder, manifest.baseline)
    return ModelSource(
        name=manifest.name,
        version=str(manifest.version),
        digest=hashlib.sha256(raw).hexdigest(),
        precision=manifest.model.precision or "",
        path=path,
        golden=golden if golden.is_dir() else None,
        baseline=_mapping(baseline.latency),
        preprocess=_preprocess(manifest.preprocess),
        labels=_labels(folder, manifest.labels),
        decoder=_decoder(folder, manifest),
        drift=_mapping(baseline.drift),
        profiles=_profiles(folder),
        backend=backend_of(path, manifest.model.backend or ""),
        text=_text_settings(manifest.generation),
        encoder=_encoder_settings(manifest.encoder),
        guard=_guard(folder, manifest.guard),
    )


def _guard(folder: Path, name: object) -> Optional[Guard]:
    """Return the guard; a model whose rules cannot be used is not served."""
    if name is None:
        return None
    from ...generate.guard.errors import GuardError
    from ...generate.guard.guard import Guard
    from ...generate.guard.rules import FILE as GUARD

    try:
        if name != GUARD:
            raise GuardError("their file has another name")
        return Guard.of(json.loads((folder / GUARD).read_text("utf-8")))
    except (OSError, ValueError, RecursionError, GuardError) as error:
        raise LoadError("The guard rules of the bundle cannot be used: {}.".format(error)) from None


def _text_settings(content: object) -> TextSettings:
    try:
        return text_settings(content)
    except ValueError as error:
        raise LoadError("The generation of the bundle cannot be used: {}".format(error)) from None


def _encoder_settings(content: object) -> Optional[EncoderSettings]:
    if content is None:
        return None
    try:
        return encoder_settings(content)
    except ValueError as error:
        raise LoadError("The encoder of the bundle cannot be used: {}".format(error)) from None


def _baseline(folder: Path, name: object) -> _Baseline:
    """Return the baseline; empty without one, as the model is served all the same."""
    if name != BASELINE:
        return _Baseline()
    try:
        content = json.loads((folder / BASELINE).read_text("utf-8"))
    except (OSError, ValueError):
        raise LoadError("The baseline of the bundle {} is damaged.".format(folder)) from None
    return read_record(_Baseline, content) if isinstance(content, dict) else _Baseline()


def _profiles(folder: Path) -> Optional[Mapping[str, object]]:
    """Return measured latencies; an unreadable file counts as none: it is only a comparison."""
    try:
        return _mapping(json.loads((folder / LATENCY).read_text("utf-8")))
    except (OSError, ValueError):
        return None


def _mapping(value: object) -> Optional[Mapping[str, object]]:
    return value if isinstance(value, dict) else None


def _preprocess(content: object) -> Optional[Preprocess]:
    if content is None:
        return None
    try:
        return Preprocess.from_json(content)
    except ValueError as error:
        raise LoadError(
            "The preprocessing of the bundle cannot be used: {}".format(error)
        ) from None


def _decoder(folder: Path, manifest: _Manifest) -> Optional[Decoder]:
    if manifest.outputs is None:
        return None
    from ..decoders.decoder import Decoder
    from ..decoders.settings import OutputSettings

    try:
        settings = OutputSettings.from_json(manifest.outputs)
    except ValueError as error:
        raise LoadError("The outputs of the bundle cannot be decoded: {}".format(error)) from None
    labels = _labels(folder, manifest.labels)
    # Not splitlines, and not stripped: a dictionary may list spaces and line separators.
    characters = _text(folder, manifest.dictionary).replace("\r\n", "\n")
    lines = characters[: -1 if characters.endswith("\n") else None].split("\n")
    return Decoder(settings, labels, tuple(lines) if characters else ())


def _labels(folder: Path, name: object) -> Tuple[str, ...]:
    """Return the lines of the file; none where it is missing: only answers to people need it."""
    return tuple(line.strip() for line in _text(folder, name).splitlines() if line.strip())


def _text(folder: Path, name: object) -> str:
    """Return the content of a file of the bundle; nothing where it is missing."""
    file = PurePosixPath(str(name or ""))
    if not file.name or file.is_absolute() or ".." in file.parts:
        return ""
    try:
        return (folder / file).read_text("utf-8-sig")
    except (OSError, ValueError):
        return ""


def _read_manifest(folder: Path) -> Tuple[bytes, Dict[str, object]]:
    try:
        raw = (folder / "manifest.json").read_bytes()
        manifest = json.loads(raw.decode("utf-8"))
    except OSError as error:
        raise LoadError("{} is not a bundle: it has no manifest.json.".format(folder)) from error
    except ValueError as error:
        raise LoadError("The manifest of the bundle {} is damaged.".format(folder)) from error
    if not isinstance(manifest, dict):
        raise LoadError("The manifest of the bundle {} is damaged.".format(folder))
    return raw, manifest


def from_file(path: Path) -> ModelSource:
    """Return a bare model file, named by its stem."""
    digest = hashlib.sha256()
    weights = path.with_suffix(".bin")  # of OpenVINO IR
    both = path.suffix.lower() == ".xml" and weights.is_file()
    try:
        for part in (path, weights) if both else (path,):
            with part.open("rb") as file:
                for block in iter(lambda: file.read(1 << 20), b""):
                    digest.update(block)
    except OSError as error:
        raise LoadError("{} cannot be read: {}.".format(path, error.strerror)) from error
    return ModelSource(path.stem, "1", digest.hexdigest(), "", path, backend=backend_of(path))
