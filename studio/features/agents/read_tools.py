"""Tools that read: models, profiles, targets, releases, monitoring, history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.agent_tools.foreign_text import MOST_ITEMS, bounded, untrusted
from studio.agent_tools.schemas import (
    DATA,
    MODEL,
    NUMBER,
    TARGET,
    TEXT,
    UNTRUSTED,
    WHOLE,
    listed,
    maybe,
    record,
)
from studio.agent_tools.tool import Arguments, Tool
from studio.api import StudioError
from studio.documents.dataclass_json import to_json
from studio.models.results import ModelFigures
from studio.registry import ActionRecord, VariantRecord
from studio.steps.catalogue import steps
from studio.steps.step_record import without_secrets
from studio.workspace import Workspace

_NOTHING = record()


def _models(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    variants = opened.registry.variants()
    counts: dict[int, int] = {}
    for one in variants:
        counts[one.model] = counts.get(one.model, 0) + 1
    rows = [
        {"id": one.id, "name": untrusted(one.name), "variants": counts.get(one.id, 0)}
        for one in opened.registry.models()
    ]
    return {"models": rows[:MOST_ITEMS], "total": len(rows)}


def _variants(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    name = given.get("model")
    found = opened.registry.variants(opened.registry.find(name).model if name else None)
    rows = [_variant(one) for one in found]
    return {"variants": rows[:MOST_ITEMS], "total": len(rows)}


def _variant(one: VariantRecord) -> dict[str, Any]:
    return {
        "reference": f"#{one.id}",
        "model": untrusted(one.model_name),
        "name": untrusted(one.name),
        "digest": one.digest,
        "bytes": one.size,
        "format": one.format,
        "precision": one.precision,
        "step": one.step,
        "created": one.created,
    }


_VARIANT = record(
    reference=TEXT,
    model=UNTRUSTED,
    name=UNTRUSTED,
    digest=TEXT,
    bytes=WHOLE,
    format=TEXT,
    precision=TEXT,
    step=TEXT,
    created=TEXT,
)


def _graph(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    one = opened.registry.find(given["model"])
    figures = to_json(ModelFigures.read(one.summary))
    return {"variant": _variant(one), "figures": bounded(figures)}


def _profiles(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    lines = opened.profiles.lines()
    rows = [
        {
            "run": one.run,
            "at": one.at,
            "mode": one.mode,
            "target": untrusted(one.target),
            "models": [untrusted(name) for name in one.models],
            "best": one.best,
            "unit": one.unit,
        }
        for one in lines[:MOST_ITEMS]
    ]
    return {"profiles": rows, "total": len(lines)}


def _compared(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    found = opened.profiles.compare(given["before"], given["after"])
    rows = [
        {"variant": untrusted(one.id), "ratio": one.ratio, "verdict": one.verdict}
        for one in found.rows
    ]
    notes = [untrusted(note) for note in found.notes]
    return {"comparable": found.comparable, "rows": rows[:MOST_ITEMS], "notes": notes}


def _targets(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    running = opened.registry.history.running()
    rows = []
    for one in opened.registry.targets()[:MOST_ITEMS]:
        now = running.get(one.name)
        facts = bounded(opened.registry.facts(one.name) or {})
        release = now.digest if now else ""
        rows.append(
            {"name": untrusted(one.name), "url": untrusted(one.url), "release": release}
            | {"facts": facts}
        )
    return {"targets": rows}


def _releases(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    return {"releases": _looked(opened, "releases", target=given["target"])}


def _monitor(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    return {"sample": _looked(opened, "monitor", target=given["target"])}


def _looked(opened: Workspace, step: str, **options: object) -> Any:
    """Return the result of a step that only looks."""
    outcome = opened.run(step, **options)
    if not outcome.ok:
        raise StudioError(outcome.sentence, hint=outcome.hint)
    return bounded(outcome.document)


def _decisions(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    return {"decisions": _looked(opened, "decisions-list", target=given["target"])}


def _history(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    rows = [
        {"id": one.id, "step": one.step, "source": one.source, "at": one.created}
        | {"options": bounded(_options(one))}
        for one in opened.registry.ledger.actions()[:MOST_ITEMS]
    ]
    return {"actions": rows}


def _options(one: ActionRecord) -> Mapping[str, object]:
    """Return the options of an action; earlier versions recorded passwords, too."""
    known = steps().get(one.step)
    return without_secrets(known, one.options) if known is not None else {}


READING = (
    Tool(
        "list_models",
        "Models",
        "List the models of the registry.",
        _NOTHING,
        record(models=listed(record(id=WHOLE, name=UNTRUSTED, variants=WHOLE)), total=WHOLE),
        _models,
    ),
    Tool(
        "list_variants",
        "Variants",
        "List the variants of a model, or of all.",
        record((), model=MODEL),
        record(variants=listed(_VARIANT), total=WHOLE),
        _variants,
    ),
    Tool(
        "graph_summary",
        "Graph",
        "Show nodes, operators, parameters, inputs and outputs of a variant.",
        record(model=MODEL),
        record(variant=_VARIANT, figures=DATA),
        _graph,
    ),
    Tool(
        "list_profiles",
        "Profiles",
        "List the saved profiles with their best figures.",
        _NOTHING,
        record(
            profiles=listed(
                record(
                    run=WHOLE,
                    at=TEXT,
                    mode=TEXT,
                    target=UNTRUSTED,
                    models=listed(UNTRUSTED),
                    best=maybe(NUMBER),
                    unit=TEXT,
                )
            ),
            total=WHOLE,
        ),
        _profiles,
    ),
    Tool(
        "compare_profiles",
        "Comparison of profiles",
        "Compare two profiles and return the verdict of each row.",
        record(before=WHOLE, after=WHOLE),
        record(
            comparable={"type": "boolean"},
            rows=listed(record(variant=UNTRUSTED, ratio=maybe(NUMBER), verdict=TEXT)),
            notes=listed(UNTRUSTED),
        ),
        _compared,
    ),
    Tool(
        "list_targets",
        "Targets",
        "List the targets with their facts and recorded releases.",
        _NOTHING,
        record(targets=listed(record(name=UNTRUSTED, url=UNTRUSTED, release=TEXT, facts=DATA))),
        _targets,
    ),
    Tool(
        "list_releases",
        "Releases",
        "Read the releases of a target from the target.",
        record(target=TARGET),
        record(releases=DATA),
        _releases,
    ),
    Tool(
        "read_monitor",
        "Monitor",
        "Read health, latency, errors, drift and alerts of a target once.",
        record(target=TARGET),
        record(sample=DATA),
        _monitor,
    ),
    Tool(
        "list_decisions",
        "Decisions",
        "List the decisions that a target has recorded.",
        record(target=TARGET),
        record(decisions=DATA),
        _decisions,
    ),
    Tool(
        "list_history",
        "History",
        "List the steps that were carried out, the newest first.",
        _NOTHING,
        record(
            actions=listed(record(id=WHOLE, step=TEXT, source=TEXT, at=TEXT, options=DATA)),
        ),
        _history,
    ),
)
