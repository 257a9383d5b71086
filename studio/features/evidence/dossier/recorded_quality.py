"""Quality from recorded runs, where nothing is measured for the dossier itself."""

from __future__ import annotations

from collections.abc import Iterator

from studio.evaluation.results import EvaluationResult
from studio.features.evidence.dossier.operation_facts import read_run
from studio.features.evidence.dossier.statement import Material, Statement
from studio.features.evidence.records.records import RecordedRun
from studio.features.evidence.results import Figure
from studio.quantization.results import QuantizeResult

METRICS = "quality.metrics"


def recorded_metric(material: Material) -> Statement | None:
    """Return the metric of the variant's newest evaluation, or of a quantization.

    That of its own quantization, else of the newest one that compared another variant with it.
    """
    records = material.records
    name = records.variant.ref.name
    quantized = records.run("quantize", name) or records.run("quantize")
    runs = [records.run("evaluate", name), quantized]
    for run in sorted(filter(None, runs), key=lambda one: one.at, reverse=True):
        figures = tuple(_figures(material, run))
        if figures:
            text = f"From the {run.step} run of {run.at[:10]}, without an interval."
            note = f"measured {run.at[:10]}"
            return Statement(METRICS, note=note, paragraphs=(text,), figures=figures)
    return None


def _figures(material: Material, run: RecordedRun) -> Iterator[Figure]:
    if run.step == "quantize":
        quantized = read_run(QuantizeResult, run)
        change = quantized.metric if quantized is not None else None
        if change is not None:
            is_own = run.variant == material.records.variant.ref.name
            value, key = (change.after, "after") if is_own else (change.before, "before")
            yield _figure(material, run, change.title, value, change.samples, key)
        return
    found = read_run(EvaluationResult, run)
    if found is not None:
        yield _figure(material, run, found.metric.title, found.metric.value, found.samples)
    if found is not None and found.heldout is not None:
        title, held = f"{found.metric.title} on held-out data", found.heldout
        yield _figure(material, run, title, held.value, held.samples, part="heldout")


def _figure(
    material: Material,
    run: RecordedRun,
    title: str,
    value: float,
    samples: int,
    key: str = "value",
    part: str = "metric",
) -> Figure:
    return Figure(
        "quality" if part == "metric" else f"quality.{part}",
        title,
        value,
        count=samples or None,
        file=f"records/{run.name}.json",
        method="field",
        arguments={"place": ["result", part, key]},
        origin=material.origin(run),
        section=METRICS,
    )
