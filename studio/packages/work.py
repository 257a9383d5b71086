"""The work of packaging, inside a worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy

import studio
from studio.api import (
    Backend,
    Extension,
    Format,
    Limits,
    Model,
    Session,
    Truth,
    UsageError,
    Value,
)
from studio.datasets import open_dataset
from studio.datasets.output_settings import read_outputs
from studio.datasets.preprocess_draft import draft_of, is_picture
from studio.datasets.text_lines import text_lines
from studio.documents.dataclass_json import JsonValue, to_json
from studio.jobs import Job
from studio.models.kinds import kind_of, with_facts
from studio.models.language.encoder import EncoderContent, encoder_of
from studio.models.opening import refuse_errors
from studio.models.outputs.draft import AnsweredSample, check_outputs, draft_outputs
from studio.packages import golden
from studio.packages.app_slot import AppContent, apps
from studio.packages.backends import REFERENCE_OPTIONS, serving_backend
from studio.packages.build import BundleContent, build
from studio.packages.bundle import Bundle, content_digest, measurements, write_manifest
from studio.packages.checks import Checked, check_model, facts_of
from studio.packages.drift_reference import (
    FEWEST,
    Frame,
    estimate_of,
    reference_of,
    unwatched_notes,
)
from studio.packages.embedding import EmbeddingGraph, NoEmbedding, embed
from studio.packages.golden import GoldenSample, check_labels
from studio.packages.notice import with_app
from studio.packages.packaging_job import package_contained
from studio.packages.results import PackageResult
from studio.packages.signing import signature_of, write_signature
from studio.packages.step import MakingStep, Numbering, PackageOptions
from studio.plugin_host import PluginHost
from studio.registry import ModelRef
from studio.runtime.drift.reference import Reference
from studio.runtime.serve.decoders.settings import EMBEDDING
from studio.runtime.shared.user_notice import UserNotice

FOLDER = "bundle"
_PICTURE_AXES = 4


def package(options: PackageOptions, job: Job) -> PackageResult:
    """Make a bundle below ``job.folder``, or find that one with this content exists."""
    if options.sign:
        return _signed(package_contained(options, job), options.sign)
    app = apps().content(options.app, options.model.digest) if options.app is not None else None
    options = _with_parts(options, app)
    assert options.numbering is not None
    host = PluginHost.discover()
    job.progress(0, 4, "Reading the model")
    make = kind_of(options.model).stage("package", _content)
    content = make(host, options, options.numbering, app, job)
    job.progress(3, 4, "Writing the bundle")
    folder = job.folder / FOLDER
    manifest = build(content, options.numbering.number, folder)
    digest = write_manifest(folder, manifest)
    bundle = _same(options.numbering.known, manifest) or Bundle.open(folder)
    job.progress(4, 4, "Packaged")
    return PackageResult(
        bundle=str(bundle.folder),
        digest=bundle.digest,
        bytes=bundle.size,
        name=bundle.name,
        version=bundle.version,
        counter=bundle.counter,
        new=bundle.digest == digest,
        embedding=None if content.graft is None else content.graft.place.tensor,
        notes=tuple(content.notes),
        hints=_hints(content.model, options),
        findings=content.checked.rows(),
        # A preprocess.toml from the model's own input, on request.
        preprocess_draft=draft_of(content.model.graph.inputs) if options.preprocess_draft else "",
        outputs_draft=_outputs_draft(content, options) if options.outputs_draft else "",
    )


def _outputs_draft(content: BundleContent, options: PackageOptions) -> str:
    """Return a first outputs.toml, recognised from a golden sample.

    Raises:
        InvalidModel: when the outputs have no form that is known.
    """
    return draft_outputs(_answered(content.samples[0], options))


def _answered(sample: golden.GoldenSample, options: PackageOptions) -> AnsweredSample:
    pictures = [one for one in sample.feeds.values() if one.ndim == _PICTURE_AXES]
    shape = pictures[0].shape[1:] if len(pictures) == 1 else ()
    size = (shape[1:] if shape[0] <= shape[2] else shape[:2]) if shape else None
    known = (tuple(text_lines(path)) for path in (options.labels, options.dictionary))
    first = {name: array[:1] if array.ndim else array for name, array in sample.outputs.items()}
    return AnsweredSample(first, size, *known)


def _signed(packaged: PackageResult, key: Path) -> PackageResult:
    """Sign a bundle outside the sandbox, which has no access to the user's key."""
    bundle = Bundle.open(Path(packaged.bundle))
    if bundle.signature:
        return packaged
    signature = signature_of(bundle.text.encode(), key)
    if packaged.new:  # one that was made before is not ours to change
        write_signature(bundle.folder, signature)
    return replace(packaged, signature=signature)


def _content(
    host: PluginHost,
    options: PackageOptions,
    numbering: Numbering,
    app: AppContent | None,
    job: Job,
) -> BundleContent:
    ref = options.model
    path = Path(ref.path)
    files, model, checked = read_checked(host, ref, job)
    if options.guard is not None:
        raise UsageError(f"{ref.model_name} writes no text: guard rules are for language models.")
    serving = serving_backend(ref.format, options.backend)
    reference_id = serving_backend(ref.format).id
    backend: Backend = host.get(Extension.BACKEND, reference_id)
    job.progress(1, 4, "Loading the model")
    with closing(backend.load(path, REFERENCE_OPTIONS[reference_id])) as session:
        job.progress(2, 4, "Running the golden samples")
        found = _encoder(model, numbering.encoder or path.parent, options)
        samples = _samples(session, model.graph.inputs, options, found)
        labelled = list(_frames(session, model.graph.inputs, options))
    encoder, remark = _measured(found, samples)
    frames = [frame for frame, _ in labelled]
    graft, frames, note = _embedded(backend, path, model, options.embedding, frames, job)
    reference = _reference(frames, [label for _, label in labelled], app)
    check_labels(options.labels, samples)
    _check_outputs(options, samples)
    return BundleContent(
        name=ref.model_name,
        precision=ref.precision,
        model=model,
        files=files,
        samples=samples,
        tolerance=golden.tolerance(
            samples, ref.precision, options.tolerance, made_up=options.data is None
        ),
        labels=options.labels,
        preprocess=options.preprocess or _beside(options.data),
        outputs=options.outputs,
        dictionary=options.dictionary if options.outputs is not None else None,
        baseline=None if reference is None else {"drift": reference.to_json()},
        latency=numbering.latency,
        checked=checked,
        app=app,
        graft=graft,
        backend=serving,
        notice=with_app(UserNotice.of(dict(numbering.notice)), app),
        encoder=encoder,
        notes=(*filter(None, [note]), *remark, *_notes(app, options, reference)),
        lineage=lineage_of(ref, {backend.id: backend.version()}, numbering.made),
    )


def _reference(
    frames: Sequence[Frame], labels: Sequence[Truth | None], app: AppContent | None
) -> Reference | None:
    """Return the reference for drift, with an estimate of accuracy where there are labels."""
    reference = reference_of(frames, () if app is None else app.columns)
    if reference is None:
        return None
    return reference._replace(estimate=estimate_of(reference, frames, labels))


def _check_outputs(options: PackageOptions, samples: Sequence[GoldenSample]) -> None:
    """Check the meaning of the outputs on an answer to data; made-up inputs find no boxes."""
    if options.outputs is not None and options.data is not None and samples:
        check_outputs(options.outputs, _answered(samples[0], options))


def _encoder(model: Model, folder: Path, options: PackageOptions) -> EncoderContent | str | None:
    """Return the encoder of texts that a model is, why it cannot be one, or None for others."""
    output = ""
    if options.outputs is not None:
        meaning = read_outputs(options.outputs)
        output = meaning.output if meaning.task == EMBEDDING else ""
    return encoder_of(folder, model.graph, output)


def _measured(
    encoder: EncoderContent | str | None, samples: Sequence[GoldenSample]
) -> tuple[EncoderContent | None, Sequence[str]]:
    """Return an encoder with the form of its output, and notes for the user."""
    if encoder is None or isinstance(encoder, str):
        return None, () if encoder is None else (encoder,)
    measured = encoder.measured(samples[0].outputs)
    return measured, measured.notes


def _with_parts(options: PackageOptions, app: AppContent | None) -> PackageOptions:
    """Return the options with what the app has next to the packaged model."""
    parts = None if app is None else app.served_parts
    if parts is None:
        return options
    return replace(
        options,
        labels=options.labels or parts.labels,
        preprocess=options.preprocess or parts.preprocess,
        outputs=options.outputs or parts.outputs,
        dictionary=options.dictionary or parts.dictionary,
    )


def _notes(
    app: AppContent | None, options: PackageOptions, reference: Reference | None
) -> Iterator[str]:
    """Yield notes about own code of an app, and about what no drift is watched of."""
    for name in () if app is None else app.own_code:
        yield f"The bundle has Python code of the app: {name}."
    if options.drift_samples >= FEWEST:
        yield from unwatched_notes(reference, has_data=options.data is not None)


def read_checked(
    host: PluginHost, ref: ModelRef, job: Job
) -> tuple[Sequence[Path], Model, Checked]:
    """Read a stored model, and check it by the plugins' rules.

    Raises:
        InvalidModel: when its files are not safe to read.
    """
    form: Format = host.get(Extension.FORMAT, ref.format)
    path = Path(ref.path)
    intake = form.intake(path, Limits())
    refuse_errors(intake.findings)
    model = with_facts(form.read(path, job), path)
    checked = check_model(host, model, facts_of(form, intake.files, model, job))
    return intake.files, model, checked


def _samples(
    session: Session,
    inputs: Sequence[Value],
    options: PackageOptions,
    encoder: EncoderContent | str | None,
) -> list[GoldenSample]:
    if not options.data and isinstance(encoder, EncoderContent) and encoder.feeds:
        return golden.answer(session, encoder.feeds)
    if not options.data:
        return golden.random_samples(session, inputs, options.samples)
    dataset = open_dataset(options.data, inputs, limit=options.samples)
    return golden.answer(session, (sample.feeds for sample in islice(dataset, options.samples)))


def _frames(
    session: Session, inputs: Sequence[Value], options: PackageOptions
) -> Iterator[tuple[Frame, Truth | None]]:
    """Yield typical requests with answers and labels, if they are enough for a reference."""
    if not options.data or options.drift_samples < FEWEST:
        return
    dataset = open_dataset(options.data, inputs, limit=options.drift_samples)
    for sample in islice(dataset, options.drift_samples):
        yield (sample.feeds, session.run(sample.feeds)), sample.label


def _embedded(
    backend: Backend,
    path: Path,
    model: Model,
    tensor: str | None,
    frames: list[Frame],
    job: Job,
) -> tuple[EmbeddingGraph | None, list[Frame], str]:
    """Return the model's embedding for the drift watch and its frames, or why it gets none."""
    wanted = (tensor or "").strip()
    if not wanted:
        return None, frames, ""
    if model.format != "onnx":
        return None, frames, "Drift is watched without an embedding, which needs an ONNX model."
    job.progress(2, 4, "Fitting the embedding")
    try:
        graft, found = embed(backend, path, model, wanted, frames, job.folder / "embedding")
    except NoEmbedding as error:
        note = f"Drift is watched without an embedding. {error}."
        job.log(note)
        return None, frames, note
    return graft, found, ""


def lineage_of(
    ref: ModelRef, backend: Mapping[str, str], made: Sequence[MakingStep]
) -> dict[str, JsonValue]:
    """Return where the model came from, without names and numbers of this registry alone."""
    tools: dict[str, JsonValue] = {
        "edgewright": studio.__version__,
        **backend,
        "numpy": numpy.__version__,
    }
    recipe = "open"
    if made:
        recipe = f"{made[0].step} {made[0].options.get('method', '')}".strip()
    return {"parent": ref.digest, "recipe": recipe, "tools": tools, "made": to_json(made)}


def _hints(model: Model, options: PackageOptions) -> tuple[str, ...]:
    """Return the hint that pictures cannot be sent to it, where they might be wanted."""
    inputs = model.graph.inputs
    known = options.preprocess or _beside(options.data)
    if known or options.preprocess_draft or len(inputs) != 1 or not is_picture(inputs[0]):
        return ()
    return (
        "It has no preprocess.toml, so it takes arrays and no pictures: "
        "studio package MODEL --preprocess-draft preprocess.toml writes one.",
    )


def _beside(data: Path | None) -> Path | None:
    """Return the preprocess.toml of the data, which is then also that of the model."""
    if data is None:
        return None
    path = (data if data.is_dir() else data.parent) / "preprocess.toml"
    return path if path.is_file() else None


def _same(known: Sequence[Path], manifest: Mapping[str, JsonValue]) -> Bundle | None:
    """Return an earlier bundle with the same content, so that packaging twice makes one version.

    One with other measurements is another: they are what its target compares with.
    """
    content, measured = content_digest(manifest), measurements(manifest)
    for folder in known:
        if folder.is_dir():
            bundle = Bundle.open(folder)
            if bundle.content == content and measurements(bundle.raw) == measured:
                return bundle
    return None
