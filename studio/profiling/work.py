"""The work of the profile step, in a worker: bench, statistics, attribution."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import Extension, Format, InvalidData, Limits, Model, TargetSpec, Value
from studio.documents.dataclass_json import from_json, to_json
from studio.jobs import Arguments, Job, Result
from studio.models.backends import backend_for, runs
from studio.plugin_host import PluginHost
from studio.profiling import attribution, energy, placement, remote
from studio.profiling import build as results
from studio.profiling import work as feeds
from studio.profiling.backends import check_formats, choose, hold_to_target
from studio.profiling.command import LOCAL_BENCH, LocalRunner, run_bench
from studio.profiling.listener import BenchListener
from studio.profiling.plan import PROFILED_INFERENCES, Candidate, candidates, configuration
from studio.profiling.record import ROUNDS_FILE
from studio.profiling.recording import Recording
from studio.profiling.step import DEFAULT
from studio.registry import ModelRef
from studio.runtime.bench.facts import Kernel


def profile(arguments: Arguments, job: Job) -> Result:
    """Measure the variants and compare them.

    Raises:
        Unavailable: when a backend cannot be used.
        InvalidData: when the data does not fit the models.
        StudioError: when no candidate works.
    """
    host = PluginHost.discover()
    models = [ModelRef.from_json(each) for each in arguments["model"]]
    threads = {"threads": arguments["threads"] or 0}
    named = _backends(host, arguments, models)
    check_formats(host, named, [model.format for model in models])
    backends = choose(host, named, threads)
    hold_to_target(arguments, backends)
    chosen = candidates(models, backends)
    npz = ""
    if arguments.get("data"):
        graph = _read(host, models[0], job).graph
        npz = str(feeds.first_sample(Path(arguments["data"]), graph.inputs, job.folder))
    config = configuration(chosen, arguments, npz)
    if placement.accelerated(chosen):  # where it ran is only known from what its kernels say
        config["operators"] = PROFILED_INFERENCES
    recording = _measure(host, arguments, config, job, BenchListener(job, chosen))
    result = results.build(recording, chosen)
    result["target"] = (arguments.get("target") or {}).get("name", "local")
    energy.add(result, recording)
    result["operators"] = _operators(host, chosen, recording, job)
    placed = placement.placement(chosen, result["runs"], result["operators"])
    result["placement"] = placed
    result["notes"] = [*placement.warnings(placed), *result["notes"]]
    _keep(recording, config, job.folder / ROUNDS_FILE)
    return result


def _backends(host: PluginHost, arguments: Arguments, models: list[ModelRef]) -> list[str]:
    """Those that are asked for; where the default cannot run the format, the one that can."""
    asked = list(arguments["backend"] or [DEFAULT])
    form = models[0].format
    if asked == [DEFAULT] and not runs(host.find(Extension.BACKEND, DEFAULT), form):
        return [backend_for(form, host).id]
    return asked


def _measure(
    host: PluginHost,
    arguments: Arguments,
    config: Mapping[str, Any],
    job: Job,
    follow: BenchListener,
) -> Recording:
    target = arguments.get("target")
    if target is None or target["url"].startswith("local:"):
        return run_bench(LocalRunner(job.folder, job), LOCAL_BENCH, config, follow)
    formats = {each["path"]: each["format"] for each in arguments["model"]}

    def files(path: Path) -> tuple[Path, ...]:
        format: Format = host.get(Extension.FORMAT, formats[str(path)])
        return format.intake(path, Limits()).files

    shipment = remote.Shipment(job.folder, files, job)
    return remote.measure(host, TargetSpec(**target), config, shipment, follow)


def _operators(
    host: PluginHost, chosen: list[Candidate], recording: Recording, job: Job
) -> list[dict[str, Any]]:
    found = []
    for each in chosen:
        kernels = recording.operators.get(each.label)
        if kernels:
            model = _read(host, each.model, job)
            timed = [from_json(Kernel, kernel) for kernel in kernels]
            times = attribution.attribute(timed, model.graph, model.functions)
            plain = recording.profiled.get(each.label)
            cost = {"plain_us": plain[0], "overhead": plain[1] / plain[0] - 1} if plain else {}
            found.append(to_json(times.result(each.label)) | cost)
    return found


def _read(host: PluginHost, model: ModelRef, job: Job) -> Model:
    format: Format = host.get(Extension.FORMAT, model.format)
    return format.read(Path(model.path), job)


def _keep(recording: Recording, config: Mapping[str, Any], path: Path) -> None:
    """The raw rounds, so that anybody can do the statistics again."""
    document = {
        "config": config,
        "environment": recording.environment,
        "rounds": recording.rounds,
        "result": recording.result,
    }
    path.write_text(json.dumps(document), encoding="utf-8")


def first_sample(data: Path, inputs: Sequence[Value], folder: Path) -> Path:
    """Write the first sample's arrays as an ``.npz`` file.

    Raises:
        InvalidData: when the data cannot be read, or does not fit the inputs.
    """
    from studio.datasets import open_dataset  # Pillow comes with it
    from studio.runtime.bench.arrays import save_arrays

    sample = next(iter(open_dataset(data, inputs, limit=1)), None)
    if sample is None:
        raise InvalidData(f"{data.name} holds no samples.")
    path = folder / "feeds.npz"
    save_arrays(str(path), sample.feeds)
    return path
