"""The work of the profile step, in a worker: bench, statistics, attribution."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Backend, Extension, Format, Graph, Limits, TargetSpec
from studio.jobs import Arguments, Job, Result
from studio.plugin_host import PluginHost
from studio.profiling import attribution, feeds, remote, results
from studio.profiling.command import LOCAL_BENCH, LocalRunner, run_bench
from studio.profiling.plan import Candidate, candidates, configuration
from studio.profiling.record import ROUNDS_FILE
from studio.profiling.recording import Recording
from studio.registry import ModelRef

_SHARE_OF_PREPARATION = 0.2
"""How much of the progress bar loading and warming up get."""


def profile(arguments: Arguments, job: Job) -> Result:
    """Measure the variants and compare them.

    Raises:
        Unavailable: when a backend cannot be used.
        InvalidData: when the data does not fit the models.
        StudioError: when no candidate works.
    """
    host = PluginHost.discover()
    models = [ModelRef.from_json(each) for each in arguments["model"]]
    backends: list[Backend] = [
        host.get(Extension.BACKEND, name) for name in arguments["backend"] or ["onnxruntime"]
    ]
    chosen = candidates(models, backends, {"threads": arguments["threads"] or 0})
    npz = ""
    if arguments.get("data"):
        graph = _graph(host, models[0], job)
        npz = str(feeds.first_sample(Path(arguments["data"]), graph.inputs, job.folder))
    config = configuration(chosen, arguments, npz)
    recording = _measure(host, arguments, config, job)
    result = results.build(recording, chosen)
    result["target"] = (arguments.get("target") or {}).get("name", "local")
    result["operators"] = _operators(host, chosen, recording, job)
    _keep(recording, config, job.folder / ROUNDS_FILE)
    return result


def _measure(
    host: PluginHost, arguments: Arguments, config: Mapping[str, Any], job: Job
) -> Recording:
    follow = _Follower(job)
    target = arguments.get("target")
    if target is None or target["url"].startswith("local:"):
        return run_bench(LocalRunner(job.folder, job), LOCAL_BENCH, config, follow)
    formats = {each["path"]: each["format"] for each in arguments["model"]}

    def files(path: Path) -> tuple[Path, ...]:
        format: Format = host.get(Extension.FORMAT, formats[str(path)])
        return format.intake(path, Limits()).files

    shipment = remote.Shipment(job.folder, files, job)
    return remote.measure(host, TargetSpec(**target), config, shipment, follow)


class _Follower:
    """Turns the bench's events into the job's progress."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, event: Mapping[str, Any]) -> None:
        kind = event.get("event")
        if kind == "progress":
            share = event["done"] / event["total"] if event["total"] else 0.0
            base = {"load": 0.0, "warm-up": 0.5}.get(event["phase"], 1.0)
            done = (base + share / 2) * _SHARE_OF_PREPARATION if base < 1 else 1.0
            self._job.progress(min(done, 1.0), 1.0, event["text"])
        elif kind == "round":
            part = (1 - _SHARE_OF_PREPARATION) * event["round"] / event["of"]
            text = f"Round {event['round']} of {event['of']}"
            self._job.progress(_SHARE_OF_PREPARATION + part, 1.0, text)
            self._job.event("round", **_medians(event))
        elif kind == "candidate" and event["reason"]:
            self._job.log(f"{event['id']}: {event['state']}: {event['reason']}")


def _medians(event: Mapping[str, Any]) -> dict[str, Any]:
    """A round in short, for a live chart."""
    times = {
        each: sorted(block)[len(block) // 2] / 1e6 for each, block in event["times_ns"].items()
    }
    return {"round": event["round"], "of": event["of"], "median_ms": times}


def _operators(
    host: PluginHost, chosen: list[Candidate], recording: Recording, job: Job
) -> list[dict[str, Any]]:
    found = []
    for each in chosen:
        kernels = recording.operators.get(each.label)
        if kernels:
            graph = _graph(host, each.model, job)
            found.append(attribution.attribute(kernels, graph).to_json(each.label))
    return found


def _graph(host: PluginHost, model: ModelRef, job: Job) -> Graph:
    format: Format = host.get(Extension.FORMAT, model.format)
    return format.read(Path(model.path), job).graph


def _keep(recording: Recording, config: Mapping[str, Any], path: Path) -> None:
    """The raw rounds, so that anybody can do the statistics again."""
    document = {
        "config": config,
        "environment": recording.environment,
        "rounds": recording.rounds,
        "result": recording.result,
    }
    path.write_text(json.dumps(document), encoding="utf-8")
