"""``studio run``: a recipe, from its first step to its gates and its report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from studio.cli.output import print_json
from studio.cli.session import workspace
from studio.pipelines.outcome import RecipeReport
from studio.pipelines.recipe import RecipeStep


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("recipe", type=Path, help="the recipe, a TOML file")
    parser.add_argument("--report", type=Path, help="where to write the HTML report")


def run(arguments: argparse.Namespace) -> int:
    """Run it and print the outcome."""
    with workspace() as opened:
        report = opened.run_recipe(arguments.recipe, arguments.report, _announce)
    if arguments.json:
        print_json(report.to_json())
    else:
        _describe(report)
    return report.exit_code


def _announce(step: RecipeStep, number: int, total: int) -> None:
    print(f"[{number}/{total}] {step.id}: {step.step}", file=sys.stderr, flush=True)


def _describe(report: RecipeReport) -> None:
    for step in report.steps:
        print(f"{step.state:<10} {step.id:<14} {step.seconds:6.1f} s  {step.message}".rstrip())
    for gate in report.gates:
        word = "met" if gate.passed else "NOT MET"
        value = "no value" if gate.value is None else f"{gate.value:.4g}"
        print(f"gate {word:<8} {gate.name}: {value}, {gate.limit}")
    if report.report:
        print(f"Report: {report.report}")
    else:
        print(f"The report was not written: {report.report_problem}", file=sys.stderr)
