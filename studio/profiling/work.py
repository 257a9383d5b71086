"""The work of the profile step, in a worker: bench, statistics, attribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import Extension, Format, InvalidData, Limits, Model, UsageError, Value
from studio.jobs import Job
from studio.models.backends import backend_for, folded, runs
from studio.models.kinds import kind_of
from studio.plugin_host import PluginHost
from studio.profiling import attribution, placement, remote
from studio.profiling import build as results
from studio.profiling import work as feeds
from studio.profiling.backends import check_formats, check_target, choose
from studio.profiling.boards.reservation import Claim
from studio.profiling.command import LOCAL_BENCH, LocalRunner, run_bench
from studio.profiling.listener import BenchListener, preparation_share
from studio.profiling.operator_times import OperatorTimes
from studio.profiling.plan import PROFILED_INFERENCES, Candidate, candidates, configuration
from studio.profiling.record import ROUNDS_FILE, write_rounds
from studio.profiling.recording import Recording
from studio.profiling.results import ProfileResult
from studio.profiling.step import DEFAULT, ProfileOptions
from studio.registry import ModelRef
from studio.runtime.bench.config import Config


def profile(options: ProfileOptions, job: Job) -> ProfileResult:
    """Measure the variants on one target and compare them; see ``profile_on``."""
    return profile_on(options, job, Claim(wait=options.wait))


def profile_on(options: ProfileOptions, job: Job, claim: Claim) -> ProfileResult:
    """Measure the variants and compare them.

    Args:
        claim: How the target is reserved, unless it is this computer.

    Raises:
        BoardReserved: when another user measures on the target.
        Unavailable: when a backend cannot be used.
        InvalidData: when the data does not fit the models.
        StudioError: when no candidate works.
    """
    kind, *others = (kind_of(model) for model in options.model)
    if any(other is not kind for other in others):
        raise UsageError("Models of different kinds are not compared in one profile.")
    return kind.stage("profile", _profile)(PluginHost.discover(), options, job, claim)


def _profile(host: PluginHost, options: ProfileOptions, job: Job, claim: Claim) -> ProfileResult:
    if options.mode == "tokens":
        raise UsageError("--mode tokens is for language models.")
    named = _backends(host, options)
    check_formats(host, named, [model.format for model in options.model])
    backends = choose(host, named, {"threads": options.threads})
    check_target(options.target, backends)
    chosen = [with_constants(one, host, job.folder) for one in candidates(options.model, backends)]
    npz = ""
    if options.data:
        graph = _read(host, options.model[0], job).graph
        npz = str(feeds.first_sample(options.data, graph.inputs, job.folder))
    config = configuration(chosen, options, npz)
    if placement.accelerated(chosen):  # where it ran is only known from what its kernels say
        config = replace(config, operators=PROFILED_INFERENCES)
    seconds = config.duration if config.mode == "sustained" else 0.0
    listener = BenchListener(job, chosen, preparation=preparation_share(seconds, len(chosen)))
    recording = _measure(host, options, config, chosen, job, listener, claim)
    result = results.build(recording, chosen)
    operators = _operators(host, chosen, recording, job)
    placed = placement.placement(chosen, result.runs, operators)
    write_rounds(recording, job.folder / ROUNDS_FILE)
    return replace(
        result,
        target=options.target.name if options.target else "local",
        operators=operators,
        placement=placed,
        notes=(*placement.warnings(placed), *result.notes),
    )


def _backends(host: PluginHost, options: ProfileOptions) -> list[str]:
    """Return the requested backends; if the default cannot run the format, the one that can."""
    asked = list(options.backend or [DEFAULT])
    form = options.model[0].format
    if asked == [DEFAULT] and not runs(host.find(Extension.BACKEND, DEFAULT), form):
        return [backend_for(form, host).id]
    return asked


def _measure(
    host: PluginHost,
    options: ProfileOptions,
    config: Config,
    chosen: Sequence[Candidate],
    job: Job,
    follow: BenchListener,
    claim: Claim,
) -> Recording:
    target = options.target
    if target is None or target.url.startswith("local:"):
        return run_bench(LocalRunner(job.folder, job), LOCAL_BENCH, config, follow)
    formats = {one.model.path: one.model.format for one in chosen}
    runners = {str(one.runner): one.backend for one in chosen}

    def files(path: Path) -> tuple[Path, ...]:
        format: Format = host.get(Extension.FORMAT, formats[str(path)])
        return format.intake(path, Limits()).files

    shipment = remote.Shipment(job.folder, files, job, runners)
    return remote.measure(host, target, config, shipment, follow, claim)


def with_constants(one: Candidate, host: PluginHost, folder: Path) -> Candidate:
    """Return a candidate whose model has no constants that its backend would have to compute."""
    if one.backend == DEFAULT:
        return one
    model = one.model
    path = folded(Path(model.path), model.format, host, folder / f"model-{model.variant}")
    return replace(one, model=replace(model, path=str(path)))


def _operators(
    host: PluginHost, chosen: list[Candidate], recording: Recording, job: Job
) -> tuple[OperatorTimes, ...]:
    times = []
    for each in chosen:
        measured = recording.operators.get(each.label)
        if measured and measured.operators:
            model = _read(host, each.model, job)
            found = attribution.attribute(measured.operators, model.graph, model.functions)
            plain, profiled = measured.plain_us, measured.profiled_us
            row = found.result(each.label)
            if plain and profiled:
                row = replace(row, plain_us=plain, overhead=profiled / plain - 1)
            times.append(row)
    return tuple(times)


def _read(host: PluginHost, model: ModelRef, job: Job) -> Model:
    format: Format = host.get(Extension.FORMAT, model.format)
    return format.read(Path(model.path), job)


def first_sample(data: Path, inputs: Sequence[Value], folder: Path) -> Path:
    """Write the first sample's arrays as an ``.npz`` file.

    Raises:
        InvalidData: when the data cannot be read, or does not fit the inputs.
    """
    from studio.datasets import open_dataset  # Pillow comes with it
    from studio.runtime.bench.arrays import save_arrays

    sample = next(iter(open_dataset(data, inputs, limit=1)), None)
    if sample is None:
        raise InvalidData(f"{data.name} has no samples.")
    path = folder / "feeds.npz"
    save_arrays(str(path), sample.feeds)
    return path
