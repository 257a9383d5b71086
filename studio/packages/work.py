"""The work of packaging, inside a worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy

import studio
from studio.api import (
    Backend,
    Extension,
    Format,
    InvalidModel,
    Level,
    Limits,
    Model,
    Session,
    Truth,
    Value,
)
from studio.datasets import open_dataset
from studio.datasets.preprocess_draft import draft_of, is_picture
from studio.jobs import Arguments, Job, Result
from studio.packages import golden
from studio.packages.build import BundleContent, BundleNumber, build
from studio.packages.bundle import Bundle, content_digest, write_manifest
from studio.packages.checks import check_model, facts_of
from studio.packages.drift_reference import FEWEST, Frame, estimate_of, reference_of
from studio.packages.embedding import EmbeddingGraph, NoEmbedding
from studio.packages.embedding_check import embed
from studio.packages.golden import GoldenSample, check_labels
from studio.packages.packaging_job import package_contained
from studio.packages.signing import signature_of, write_signature
from studio.plugin_host import PluginHost
from studio.registry import ModelRef
from studio.runtime.shared.manifest import LATENCY

BACKEND = "onnxruntime"
FOLDER = "bundle"
REFERENCE_SAMPLES = 256


def package(arguments: Arguments, job: Job) -> Result:
    """Make a bundle below ``job.folder``, or find that one with this content exists.

    Args:
        arguments: The step's options; ``number`` (version, counter, created) and ``known`` (the
            folders of the model's bundles) come from ``record.prepare``.
    """
    if arguments.get("sign"):
        return _signed(package_contained(arguments, job), Path(arguments["sign"]))
    host = PluginHost.discover()
    reference = ModelRef.from_json(arguments["model"])
    job.progress(0, 4, "Reading the model")
    content = _content(host, reference, arguments, job)
    job.progress(3, 4, "Writing the bundle")
    folder = job.folder / FOLDER
    manifest = build(content, BundleNumber(**arguments["number"]), folder)
    digest = write_manifest(folder, manifest)
    bundle = _same(arguments["known"], manifest) or Bundle.open(folder)
    job.progress(4, 4, "Packaged")
    return {
        "bundle": str(bundle.folder),
        "digest": bundle.digest,
        "bytes": bundle.size,
        "name": bundle.name,
        "version": bundle.version,
        "counter": bundle.counter,
        "new": bundle.digest == digest,
        "embedding": None if content.graft is None else content.graft.place.tensor,
        "notes": list(content.notes),
        "findings": content.checked.rows(),
        "hints": _hints(content.model, arguments),
        "signature": "",
        "preprocess_draft": _draft(content, arguments),
    }


def _signed(packaged: dict[str, Any], key: Path) -> Result:
    """The result with the bundle's signature, made outside the walls: the key is the user's."""
    bundle = Bundle.open(Path(packaged["bundle"]))
    if bundle.signature:
        return packaged
    signature = signature_of(bundle.text.encode(), key)
    if packaged["new"]:  # one that was made before is not ours to change
        write_signature(bundle.folder, signature)
    return {**packaged, "signature": signature}


def _content(host: PluginHost, ref: ModelRef, arguments: Arguments, job: Job) -> BundleContent:
    path = Path(ref.path)
    form: Format = host.get(Extension.FORMAT, ref.format)
    files, model = _read(form, path, job)
    checked = check_model(host, model, facts_of(form, files, model, job))
    backend: Backend = host.get(Extension.BACKEND, BACKEND)
    job.progress(1, 4, "Loading the model")
    session = backend.load(path, {"threads": 1})  # one thread: the same sums in the same order
    try:
        job.progress(2, 4, "Running the golden samples")
        samples = _samples(session, model.graph.inputs, arguments)
        labelled = list(_frames(session, model.graph.inputs, arguments))
    finally:
        session.close()
    frames = [frame for frame, _ in labelled]
    graft, frames, note = _embedded(backend, path, model, arguments, frames, job)
    reference = reference_of(frames)
    if reference is not None:
        estimate = estimate_of(reference, frames, [label for _, label in labelled])
        reference = reference._replace(estimate=estimate)
    labels = _file(arguments.get("labels"))
    check_labels(labels, samples)
    return BundleContent(
        name=ref.model_name,
        precision=ref.precision,
        model=model,
        files=files,
        samples=samples,
        tolerance=golden.tolerance(samples, ref.precision, arguments.get("tolerance")),
        labels=labels,
        preprocess=_file(arguments.get("preprocess")) or _beside(arguments.get("data")),
        baseline=None if reference is None else {"drift": reference.to_json()},
        latency=arguments.get("latency"),
        checked=checked,
        graft=graft,
        notes=(note,) if note else (),
        lineage=_lineage(ref, backend, arguments.get("made") or []),
    )


def _read(form: Format, path: Path, job: Job) -> tuple[Sequence[Path], Model]:
    intake = form.intake(path, Limits())
    for finding in intake.findings:
        if finding.level is Level.ERROR:
            raise InvalidModel(finding.text)
    return intake.files, form.read(path, job)


def _samples(session: Session, inputs: Sequence[Value], arguments: Arguments) -> list[GoldenSample]:
    count = int(arguments.get("samples") or 8)
    if not arguments.get("data"):
        return golden.made_up(session, inputs, count)
    dataset = open_dataset(Path(arguments["data"]), inputs, limit=count)
    return golden.answer(session, (sample.feeds for sample in islice(dataset, count)))


def _frames(
    session: Session, inputs: Sequence[Value], arguments: Arguments
) -> Iterator[tuple[Frame, Truth | None]]:
    """Typical requests with answers and labels, where there are enough to say what is normal."""
    count = _reference_samples(arguments)
    if not arguments.get("data") or count < FEWEST:
        return
    dataset = open_dataset(Path(arguments["data"]), inputs, limit=count)
    for sample in islice(dataset, count):
        yield (sample.feeds, session.run(sample.feeds)), sample.label


def _embedded(
    backend: Backend,
    path: Path,
    model: Model,
    arguments: Arguments,
    frames: list[Frame],
    job: Job,
) -> tuple[EmbeddingGraph | None, list[Frame], str]:
    """What the model gets for the watch, the frames with it, and why it gets nothing."""
    wanted = str(arguments.get("embedding") or "").strip()
    if not wanted:
        return None, frames, ""
    job.progress(2, 4, "Fitting the embedding")
    try:
        graft, found = embed(backend, path, model, wanted, frames, job.folder / "embedding")
    except NoEmbedding as error:
        note = f"Drift is watched without an embedding. {error}."
        job.log(note)
        return None, frames, note
    return graft, found, ""


def _reference_samples(arguments: Arguments) -> int:
    found = arguments.get("reference")  # a deploy does not ask for it
    return REFERENCE_SAMPLES if found is None else int(found)


def _lineage(
    ref: ModelRef, backend: Backend, made: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Where the model came from; nothing in it is of this registry alone (names, numbers)."""
    tools = {
        "edgewright": studio.__version__,
        BACKEND: backend.version(),
        "numpy": numpy.__version__,
    }
    recipe = "open"
    if made:
        recipe = f"{made[0]['step']} {made[0]['options'].get('method', '')}".strip()
    return {"parent": ref.digest, "recipe": recipe, "tools": tools, "made": list(made)}


def _draft(content: BundleContent, arguments: Arguments) -> str:
    """A preprocess.toml from the model's own input, where one is asked for."""
    if not arguments.get("preprocess_draft"):
        return ""
    return draft_of(content.model.graph.inputs)


def _hints(model: Model, arguments: Arguments) -> list[str]:
    """That pictures cannot be sent to it, where they might be wanted."""
    inputs = model.graph.inputs
    known = arguments.get("preprocess") or _beside(arguments.get("data"))
    if known or arguments.get("preprocess_draft") or len(inputs) != 1 or not is_picture(inputs[0]):
        return []
    return [
        "It has no preprocess.toml, so it takes arrays and no pictures: "
        "studio package MODEL --preprocess-draft preprocess.toml writes one."
    ]


def _file(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _beside(data: str | None) -> Path | None:
    """The preprocess.toml of the data, which is then also that of the model."""
    if data is None:
        return None
    path = Path(data)
    found = (path if path.is_dir() else path.parent) / "preprocess.toml"
    return found if found.is_file() else None


def _same(known: Sequence[str], manifest: Mapping[str, Any]) -> Bundle | None:
    """An earlier bundle with the same content, so that packaging twice makes one version.

    One with other measurements is another: they are what its target compares with.
    """
    content, measured = content_digest(manifest), manifest["files"].get(LATENCY)
    for folder in known:
        if Path(folder).is_dir():
            bundle = Bundle.open(Path(folder))
            if (
                bundle.content == content
                and (bundle.raw.get("files") or {}).get(LATENCY) == measured
            ):
                return bundle
    return None
