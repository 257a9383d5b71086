"""Pipeline runs over real steps: cached results, gates before what acts, resuming."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.pipelines.run_report import PipelineReport
from studio.settings import resource
from studio.workspace import RunChanged, RunRequest, Workspace

pytestmark = pytest.mark.slow

PIPELINE = """\
[pipeline]
name = "two"
[vars]
limit = 0.9
[[steps]]
id = "open"
step = "open"
model = "digits.onnx"
[[steps]]
id = "half"
step = "quantize"
method = "fp16"
model = "${open.variant}"
[[steps]]
id = "bundle"
step = "package"
model = "${half.variant}"
labels = "labels.txt"
[[steps]]
id = "deploy"
step = "deploy"
bundle = "${bundle.bundle}"
[[gates]]
name = "smaller"
kind = "size-ratio"
of = "half"
max = 0.9
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pipeline"
    shutil.copytree(resource("samples", "digits"), made)
    (made / "pipeline.toml").write_text(PIPELINE)
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "home") as opened:
        yield opened
        opened.run("undeploy", purge=True)


def run(workspace: Workspace, folder: Path, **wish: object) -> PipelineReport:
    return workspace.runs.run(folder / "pipeline.toml", RunRequest(**wish))  # type: ignore[arg-type]


def states(report: PipelineReport) -> dict[str, str]:
    return {step.id: step.state for step in report.steps}


def without_deploy(folder: Path) -> None:
    before, rest = PIPELINE.split('[[steps]]\nid = "deploy"')
    (folder / "pipeline.toml").write_text(before + "[[gates]]" + rest.partition("[[gates]]")[2])


def test_what_did_not_change_is_not_done_again(workspace: Workspace, folder: Path) -> None:
    without_deploy(folder)
    first = run(workspace, folder)
    assert set(states(first).values()) == {"succeeded"}
    told: list[object] = []
    workspace.events.subscribe(told.append)
    jobs = len(workspace.jobs)
    again = run(workspace, folder)
    assert states(again) == dict.fromkeys(("open", "half", "bundle"), "unchanged")
    assert all(step.kept_from == first.run for step in again.steps)
    assert again.artefacts == first.artefacts
    assert len(first.artefacts) == 3
    assert len(workspace.jobs) == jobs + 1, "only the report is made"
    assert [e.step for e in told if isinstance(e, RunChanged) and e.number] == [
        "open", "half", "bundle"
    ]  # fmt: skip

    (folder / "labels.txt").write_text("\n".join("abcdefghij") + "\n")
    changed = run(workspace, folder)
    assert states(changed) == {"open": "unchanged", "half": "unchanged", "bundle": "succeeded"}
    assert changed.artefacts["bundle.bundle"] != first.artefacts["bundle.bundle"]

    shutil.rmtree(Path(str(changed.steps[2].result["bundle"])).parent)
    missing = run(workspace, folder)
    assert states(missing)["bundle"] == "succeeded", "what is gone is made again"
    assert set(states(run(workspace, folder, fresh=True)).values()) == {"succeeded"}


def test_a_gate_that_is_not_met_deploys_nothing(workspace: Workspace, folder: Path) -> None:
    text = PIPELINE.replace("max = 0.9", "max = 0.1")
    (folder / "pipeline.toml").write_text(text)
    junit, artefacts = folder / "out" / "junit.xml", folder / "artefacts"
    report = run(workspace, folder, junit=junit, artefacts=artefacts)
    assert report.exit_code == 3
    assert states(report)["deploy"] == "not run"
    assert report.steps[3].message == "Not run: the gate 'smaller' failed."
    assert workspace.registry.releases() == []
    root = ElementTree.parse(junit).getroot()
    suites = {suite.get("name"): suite for suite in root}
    assert suites["two: gates"].get("failures") == "1"
    assert suites["two: steps"].get("skipped") == "1"
    names = {path.name for path in artefacts.iterdir()}
    assert names >= {"bundle", "half.onnx", "digests.txt", "report.html", "junit.xml", "run.json"}
    (info,) = workspace.runs.all()
    assert (info.state, info.gates[0].passed) == ("gate not met", False)
    with pytest.raises(UsageError, match="is complete"):
        workspace.runs.resume(info.id)


def test_a_failed_run_goes_on_behind_what_it_has_done(workspace: Workspace, folder: Path) -> None:
    without_deploy(folder)
    labels = (folder / "labels.txt").read_text()
    (folder / "labels.txt").write_text("\n".join("abcde") + "\n")
    report = run(workspace, folder)
    assert report.exit_code
    failed = report.steps[2]
    assert failed.message.startswith("pipeline.toml, line 18, column 1: "), failed.message
    assert "5" in failed.message
    assert "10" in failed.message
    (folder / "labels.txt").write_text(labels)
    done = len(workspace.jobs)
    resumed = workspace.runs.resume(report.run)
    assert resumed.exit_code == 0
    assert resumed.run == report.run
    assert [job.title.partition(" ")[0] for job in workspace.jobs[done:]] == ["Package", "Report"]
    (info,) = workspace.runs.all()
    assert len(info.journal.resumed) == 1


def test_values_from_the_environment_are_not_written_down(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME_OF_MODEL", "s3cret-name")
    text = PIPELINE.partition('[[steps]]\nid = "half"')[0]
    text = text.replace("limit = 0.9", 'named = { env = "NAME_OF_MODEL" }')
    (folder / "pipeline.toml").write_text(text + 'shape = ["x=${vars.named}"]\n')
    report = run(workspace, folder)
    assert report.exit_code != 0
    journal = json.loads((Path(report.folder) / "run.json").read_text())
    assert journal["values"] == {}
    assert journal["variables"] == {}


def test_a_run_that_is_held_is_not_run_twice(workspace: Workspace, folder: Path) -> None:
    from studio.registry.run_journal import RunFolder

    without_deploy(folder)
    report = run(workspace, folder)
    held = RunFolder(Path(report.folder))
    held.write(replace(held.read(), state="running"))
    assert workspace.runs.get(report.run).state == "interrupted"
    with held.locked():
        assert workspace.runs.get(report.run).state == "running"
        with pytest.raises(UsageError, match="is in progress in another process"):
            workspace.runs.resume(report.run)
    assert workspace.runs.resume(report.run).exit_code == 0


def test_two_runs_are_compared(workspace: Workspace, folder: Path) -> None:
    without_deploy(folder)
    a = run(workspace, folder)
    (folder / "labels.txt").write_text("\n".join("abcdefghij") + "\n")
    b = run(workspace, folder, variables={"limit": "0.8"})
    found = workspace.runs.compare(a.run, b.run)
    same = {row.name: row.same for row in found.artefacts}
    assert same == {"open.model": True, "half.model": True, "bundle.bundle": False}
    assert [row.name for row in found.variables] == ["limit"]
    assert found.tools == ()
    assert {row.name: row.same_inputs for row in found.steps}["half"]


def test_a_promotion_within_a_pipeline_has_its_gates_as_evidence(
    workspace: Workspace, folder: Path
) -> None:
    without_deploy(folder)
    pipeline = folder / "pipeline.toml"
    step = '[[steps]]\nid = "promote"\nstep = "version-promote"\nversion = "${bundle.digest}"\n'
    pipeline.write_text(pipeline.read_text() + step)
    report = run(workspace, folder)
    assert report.exit_code == 0, report
    (version,) = workspace.versions.all()
    assert version.aliases == ("production",)
    (move,) = workspace.versions.lineage("digits").moves
    assert (move.ground.run, [gate.name for gate in move.ground.gates]) == (
        report.run,
        ["smaller"],
    )
    pipeline.write_text(pipeline.read_text().replace("max = 0.9", "max = 0.1"))
    missed = run(workspace, folder)
    assert missed.exit_code == 3
    assert states(missed)["promote"] == "not run"
    page = (Path(report.folder) / "report.html").read_text()
    assert "Digests (SHA-256)" in page
    again = (Path(run(workspace, folder).folder) / "report.html").read_text()
    assert "unchanged" in again
    assert "Variants" in again
