"""``studio run``: a pipeline, from its first step to its gates and its report."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.cli.approval import run_approved
from studio.cli.output import print_json, print_lines, print_note
from studio.cli.overwrite import add_force, confirm_overwrite
from studio.cli.session import workspace
from studio.documents.dataclass_json import to_json
from studio.jobs.elsewhere import has_executors
from studio.pipelines.ci import WORKFLOWS, write_workflow
from studio.pipelines.order import without_targets
from studio.pipelines.pipeline import Pipeline, PipelineStep
from studio.pipelines.run_report import PipelineReport
from studio.pipelines.triggers import Alias, Trigger
from studio.registry.run_records import StepReport
from studio.settings import full_path
from studio.workspace import RunRequest, Workspace
from studio.workspace.run_texts import comparison_lines, run_lines, runs_lines


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("pipeline", type=Path, nargs="?", help="pipeline file (TOML)")
    parser.add_argument("--report", type=Path, help="path of the HTML report")
    parser.add_argument("--junit", type=Path, help="path of the JUnit XML report")
    parser.add_argument(
        "--artefacts",
        type=Path,
        metavar="FOLDER",
        help="folder for models, bundles, digests, report and journal",
    )
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a variable of the pipeline",
    )
    add_force(parser)
    parser.add_argument(
        "--no-cache", dest="fresh", action="store_true", help="ignore cached results"
    )
    parser.add_argument("--check", action="store_true", help="check the pipeline and exit")
    parser.add_argument(
        "--no-deploy",
        action="store_true",
        help="leave out the steps on targets and registries, what needs them, and their gates",
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const="last",
        metavar="RUN",
        help="resume an interrupted run (default: the last one)",
    )
    parser.add_argument("--list", action="store_true", help="list the runs")
    parser.add_argument("--show", metavar="RUN", help="show a run with its gates")
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"), help="compare two runs")
    _add_automation(parser)


def _add_automation(parser: argparse.ArgumentParser) -> None:
    """Describe what runs pipelines in CI and when an alias moves."""
    parser.add_argument(
        "--write-ci",
        choices=sorted(WORKFLOWS),
        help="write a CI workflow that runs this pipeline",
    )
    parser.add_argument("--out", type=Path, help="output file of --write-ci")
    parser.add_argument(
        "--wheel",
        type=Path,
        metavar="FILE",
        help="wheel of edgewright-headless that --write-ci pins by its hash",
    )
    parser.add_argument(
        "--watch", metavar="MODEL@ALIAS", help="run the pipeline each time this alias moves"
    )
    if has_executors():
        parser.add_argument(
            "--on",
            metavar="ADDRESS",
            help="executor for long steps (ray://HOST:10001, slurm:/shared/folder, local:4)",
        )
    parser.add_argument(
        "--registry", metavar="NAME", help="registry of --watch (default: the local registry)"
    )
    parser.add_argument(
        "--interval",
        type=float,
        default=30.0,
        metavar="S",
        help="polling interval of --watch in seconds",
    )
    parser.add_argument(
        "--max-runs",
        type=int,
        default=0,
        metavar="N",
        help="exit after N runs of --watch",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the pipeline, or show the requested runs."""
    if arguments.write_ci:
        return _write_ci(arguments)
    with workspace() as opened:
        if arguments.list or arguments.show or arguments.compare:
            return _inspect(opened, arguments)
        wish = _wish(opened, arguments)
        if arguments.resume and arguments.pipeline is None:
            _confirm(opened, None, arguments)
            return _finish(opened.runs.resume(arguments.resume, wish), arguments)
        if arguments.pipeline is None:
            raise UsageError(
                "Missing pipeline file.", hint="Pass a TOML file: studio run pipeline.toml"
            )
        if arguments.resume:
            raise UsageError(
                "--resume uses the pipeline of the interrupted run: pass its ID and no file.",
                hint=f"Start a new run: studio run {arguments.pipeline}",
            )
        if arguments.check:
            return _check(opened, arguments)
        pipeline = opened.runs.read(arguments.pipeline, variables(arguments.var))
        if arguments.no_deploy:
            _note_left_out(pipeline)
        _confirm(opened, pipeline, arguments)
        if arguments.watch:
            return follow(opened, arguments, wish, lambda r: _report(r, arguments))
        return _finish(opened.runs.run(arguments.pipeline, wish), arguments)


def variables(texts: list[str]) -> dict[str, str]:
    """Return the values of ``--var``.

    Raises:
        UsageError: for one that is not NAME=VALUE.
    """
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError(f"--var must be NAME=VALUE, not {text!r}.")
        found[name] = value
    return found


def _wish(opened: Workspace, arguments: argparse.Namespace) -> RunRequest:
    return RunRequest(
        variables=variables(arguments.var),
        fresh=arguments.fresh,
        report=arguments.report,
        junit=arguments.junit,
        artefacts=arguments.artefacts,
        overwrite=arguments.force,
        on=getattr(arguments, "on", None) or "",
        watch=_announce,
        on_finish=_report_cached,
        run_approved=partial(run_approved, opened),
        no_deploy=arguments.no_deploy,
    )


def _confirm(opened: Workspace, pipeline: Pipeline | None, arguments: argparse.Namespace) -> None:
    """Ask about all files that would be overwritten, before the first step."""
    paths = opened.runs.in_the_way(pipeline, _files(arguments))
    confirm_overwrite(paths, arguments)
    opened.runs.take_over(paths)


def _files(arguments: argparse.Namespace) -> list[Path]:
    """Return the files that the flags name to be written, besides those of the pipeline."""
    return [full_path(path) for path in (arguments.report, arguments.junit) if path is not None]


def _note_left_out(pipeline: Pipeline) -> None:
    """Name what ``--no-deploy`` leaves out, as a gate that is not checked must not look passed."""
    rest = without_targets(pipeline)
    for what, all_names, names in (
        ("steps", [s.id for s in pipeline.steps], [s.id for s in rest.steps]),
        ("gates", [g.name for g in pipeline.gates], [g.name for g in rest.gates]),
    ):
        left_out = [name for name in all_names if name not in names]
        if left_out:
            print_note(f"Without {what}: {', '.join(left_out)}")


def _announce(step: PipelineStep, number: int, total: int) -> None:
    print_note(f"[{number}/{total}] {step.id}: {step.step}")


def _report_cached(report: StepReport) -> None:
    if report.state == "unchanged":
        print_note(f"        unchanged since {report.kept_from}")


def _finish(report: PipelineReport, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json(report.to_json())
    _report(report, arguments)
    return report.exit_code


def _report(report: PipelineReport, arguments: argparse.Namespace) -> None:
    if not arguments.json:
        print_lines(run_lines(report))
    if report.report_problem:
        print_note(f"Cannot write the report: {report.report_problem}")
    if report.exit_code and report.exit_code != 3 and not arguments.json:
        print_note(f"Resume with: studio run --resume {report.run}")


def _check(opened: Workspace, arguments: argparse.Namespace) -> int:
    pipeline = opened.runs.read(arguments.pipeline, variables(arguments.var))
    if arguments.json:
        rows = [{"name": step.id, "step": step.step} for step in pipeline.steps]
        gates = [{"name": gate.name, "kind": gate.kind} for gate in pipeline.gates]
        print_json({"name": pipeline.name, "steps": rows, "gates": gates})
    else:
        print_lines(f"{step.id}: {step.step}" for step in pipeline.steps)
        print_lines(
            [f"{len(pipeline.steps)} steps and {len(pipeline.gates)} gates; nothing was run."]
        )
    return 0


def _inspect(opened: Workspace, arguments: argparse.Namespace) -> int:
    if arguments.compare:
        comparison = opened.runs.compare(*arguments.compare)
        found, lines = to_json(comparison), comparison_lines(comparison)
    elif arguments.show:
        info = opened.runs.get(arguments.show)
        found, lines = to_json(info.journal), runs_lines([info], with_gates=True)
    else:
        runs = opened.runs.all()
        names = ("id", "name", "state", "started", "ended")
        found = {"runs": [{name: getattr(one, name) for name in names} for one in runs]}
        lines = runs_lines(runs)
    if arguments.json:
        print_json(found)
    else:
        print_lines(lines)
    return 0


def _write_ci(arguments: argparse.Namespace) -> int:
    if arguments.pipeline is None:
        raise UsageError(
            "Missing pipeline file.",
            hint="Pass the pipeline for CI: studio run pipeline.toml --write-ci",
        )
    path, requirements = write_workflow(
        arguments.write_ci,
        arguments.pipeline,
        arguments.wheel,
        arguments.out,
        overwrite=arguments.force,
    )
    if arguments.json:
        print_json({"output": str(path), "requirements": str(requirements)})
    else:
        print_lines([str(path), str(requirements)])
    return 0


def follow(
    opened: Workspace,
    arguments: argparse.Namespace,
    wish: RunRequest,
    describe: Callable[[PipelineReport], None],
) -> int:
    """Poll an alias; each new version starts the pipeline. A failure is printed and waits.

    The version to which the alias points at the start counts as new, so that a move before the
    start is not missed. Steps with unchanged inputs do not run again.

    Raises:
        UsageError: when the pipeline or the alias is wrong; nothing was watched.
    """
    if not arguments.interval > 0:
        raise UsageError("The interval must be a number of seconds above 0.")
    alias = Alias.of(arguments.watch, arguments.registry)
    opened.runs.read(arguments.pipeline, wish.variables)
    trigger = Trigger(alias, opened.registry, opened.run)
    reports: list[PipelineReport] = []
    told = ""
    while True:
        try:
            found, problem = trigger.new_version(), ""
        except StudioError as error:
            found, problem = None, " ".join(filter(None, (error.message, error.hint)))
        # A failure that repeats at each poll is printed once.
        if problem and problem != told:
            print_note(f"studio: {problem}")
        told = problem
        if found is not None:
            print_note(f"{alias} is version {found.version}")
            report = opened.runs.run(arguments.pipeline, replace(wish, trigger=to_json(found)))
            reports.append(report)
            describe(report)
            if arguments.max_runs and len(reports) >= arguments.max_runs:
                if arguments.json:
                    print_json([one.to_json() for one in reports])
                return report.exit_code
            print_note(f"{alias}: polling every {arguments.interval:g} s")
        time.sleep(arguments.interval)
