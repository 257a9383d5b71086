"""Running of a recipe: its steps in order, its gates, its outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from studio.api import Kind, StudioError
from studio.jobs import JobOutcome
from studio.pipelines.catalogue import step as step_named
from studio.pipelines.outcome import GateReport, RecipeReport, StepReport
from studio.pipelines.recipe import Gate, Recipe, RecipeStep, look_up, substitute
from studio.pipelines.runner import StepRunner

_INPUTS = (Kind.FILE, Kind.FOLDER, Kind.DATA, Kind.MODEL, Kind.RECIPE)


Watcher = Callable[[RecipeStep, int, int], None]


def run_recipe(recipe: Recipe, runner: StepRunner, watch: Watcher | None = None) -> RecipeReport:
    """Run a recipe until its end or its first failure.

    Args:
        watch: Called before each step with it, its position from 1, and the number of steps.
    """
    results: dict[str, Any] = {"vars": dict(recipe.variables)}
    reports: list[StepReport] = []
    exit_code = 0
    for number, step in enumerate(recipe.steps, 1):
        if exit_code:
            reports.append(StepReport(step.id, step.step))
            continue
        if watch is not None:
            watch(step, number, len(recipe.steps))
        report, exit_code = _run(step, recipe.folder, results, runner)
        reports.append(report)
        results[step.id] = report.result
    gates = tuple(_judge(gate, results) for gate in recipe.gates)
    if not exit_code and not all(gate.passed for gate in gates):
        exit_code = 3
    return RecipeReport(recipe.name, recipe.title, tuple(reports), gates, exit_code)


def _run(
    step: RecipeStep, folder: Path, results: Mapping[str, Any], runner: StepRunner
) -> tuple[StepReport, int]:
    began = time.monotonic()
    try:
        outcome = runner.run(step.step, _options(step, folder, results))
    except StudioError as error:
        failed = StepReport(step.id, step.step, "failed", message=error.message, hint=error.hint)
        return failed, error.exit_code
    return _report(step, outcome, time.monotonic() - began), outcome.exit_code


def _report(step: RecipeStep, outcome: JobOutcome, seconds: float) -> StepReport:
    if outcome.ok:
        return StepReport(step.id, step.step, "succeeded", seconds, outcome.result)
    sentence = outcome.sentence
    return StepReport(step.id, step.step, "failed", seconds, {}, sentence, outcome.hint)


def _options(step: RecipeStep, folder: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    """The step's options: references resolved, inputs found beside the recipe."""
    kinds = {option.name: option.kind for option in step_named(step.step).options}
    options = {}
    for name, written in step.options.items():
        value = substitute(written, results)
        kind = kinds.get(name)
        if kind is Kind.MODEL:
            value = _models(value)
        if kind in _INPUTS:
            value = _from_folder(value, folder)
        options[name] = value
    return options


def _models(value: Any) -> Any:
    """A variant's number, as results carry it, in the spelling that names it."""
    if isinstance(value, list):
        return [_models(item) for item in value]
    return f"#{value}" if isinstance(value, int) else value


def _from_folder(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_from_folder(item, folder) for item in value]
    if "\n" in str(value):  # the text of a recipe
        return value
    path = folder / str(value)
    return str(path) if path.exists() else value


def _judge(gate: Gate, results: Mapping[str, Any]) -> GateReport:
    limit = " and ".join(
        text
        for text in (
            f"at least {gate.minimum:g}" if gate.minimum is not None else "",
            f"at most {gate.maximum:g}" if gate.maximum is not None else "",
        )
        if text
    )
    try:
        value = float(look_up(gate.value.strip("${}"), results))
    except (StudioError, TypeError, ValueError):
        return GateReport(gate.name, False, None, limit)
    low = gate.minimum is None or value >= gate.minimum
    high = gate.maximum is None or value <= gate.maximum
    return GateReport(gate.name, low and high, value, limit)
