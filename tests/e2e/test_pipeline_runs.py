"""Pipelines by the command line: the same digests after kills, gates, and what is wrong in them."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import onnx
import pytest

from tests.e2e.conftest import Studio
from tests.rigs import killing

pytestmark = pytest.mark.slow

KILLS = 3
SEED = 7


def test_killed_at_random_moments_it_goes_on_to_the_same_digests(
    studio: Studio, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pipeline = killing.digits_pipeline(tmp_path / "digits")
    wanted, seconds = killing.digests(studio, pipeline)
    assert len(wanted) == 4
    other = Studio(tmp_path_factory.mktemp("killed"))
    kills = killing.Kills()
    try:
        for moment in killing.moments(SEED, KILLS, seconds / 2):
            killing.kill_once(other, pipeline, moment, kills)
        journal = killing.finish(other, pipeline)
    finally:
        other.run("undeploy", "--target", "local/sample-digits", "--purge")
    assert kills.during, "nothing was killed"
    assert journal["artefacts"] == wanted
    assert all(gate["passed"] for gate in journal["gates"])
    assert len(journal["resumed"]) >= 1 or "" in kills.during


def test_the_same_number_gives_the_same_release(studio: Studio, tmp_path: Path) -> None:
    """Equal inputs, tools and SOURCE_DATE_EPOCH: equal manifests, in registries of their own."""
    pipeline = killing.digits_pipeline(tmp_path / "digits")
    text = pipeline.read_text(encoding="utf-8")
    head, _, _ = text.partition('[[steps]]\nid = "deploy-float"')
    head += '[[steps]]\nid = "bundle"\nstep = "package"\nmodel = "${int8.variant}"\n'
    pipeline.write_text(
        head.replace('id = "profile"\nstep = "profile"', 'id = "p"\nstep = "profile"')
    )
    found = []
    for name in ("one", "two"):
        other = Studio(tmp_path / name)
        other.environment["SOURCE_DATE_EPOCH"] = "1790000000"
        other.environment["PYTHONHASHSEED"] = str(len(found) + 1)
        report = other.ok("run", pipeline, timeout=300)
        results = {step["name"]: step["result"] for step in report["steps"]}
        found.append((report["artefacts"], results["bundle"]["digest"]))
    assert found[0] == found[1]


def test_the_pipeline_of_a_project_leads_from_the_file_to_a_served_endpoint(
    studio: Studio, digits: Path, tmp_path: Path
) -> None:
    """Then a second model is served at an endpoint of its own: nothing is replaced."""
    other = tmp_path / "two" / "other.onnx"
    shutil.copytree(digits, other.parent)
    changed = onnx.load(other.parent / "digits.onnx")
    changed.doc_string = "another one"
    onnx.save(changed, other)
    targets = []
    try:
        for model in (digits / "digits.onnx", other):
            pipeline = tmp_path / f"{model.stem}.toml"
            written = studio.ok("project", "pipeline", model, "--out", pipeline)
            assert written["out"] == str(pipeline)
            killing.shorten(pipeline)
            report = studio.ok("run", pipeline, timeout=300)
            assert all(gate["passed"] for gate in report["gates"])
            results = {step["name"]: step["result"] for step in report["steps"]}
            assert results["call"]["failed"] == 0
            targets.append(results["deploy"]["target"])
    finally:
        for target in ("local/other", "local"):
            studio.run("undeploy", "--target", target, "--purge")
    assert targets == ["local", "local/other"]


def test_a_gate_that_is_missed_exits_with_3_and_deploys_nothing(
    studio: Studio, tmp_path: Path
) -> None:
    pipeline = killing.digits_pipeline(tmp_path / "digits")
    text = pipeline.read_text(encoding="utf-8").replace("max = 0.5", "max = 0.05")
    pipeline.write_text(text, encoding="utf-8")
    ended = studio.run("run", pipeline, "--junit", tmp_path / "junit.xml", "--json", timeout=300)
    assert ended.code == 3, ended.err
    states = {step["name"]: step["state"] for step in ended.json["steps"]}
    assert states["int8"] == states["package-float"] == "succeeded"
    assert {states[name] for name in ("deploy-float", "deploy-int8", "call-int8")} == {"not run"}
    assert studio.ok("releases", "--target", "local/sample-digits") == []
    gates = {gate["name"]: gate for gate in ended.json["gates"]}
    assert gates["int8 is less than half the size"]["value"] > 0.05
    assert gates["no request to int8 failed"]["value"] is None, "what was not run is not judged"
    cases = ElementTree.parse(tmp_path / "junit.xml").iter("testcase")
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert failed[:1] == ["int8 is less than half the size"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('step = "quantize"', 'step = "quantise"', "unknown step 'quantise'; the nearest is"),
        ('model = "${open.', 'model = "${opened.', "unknown step with the id 'opened'"),
        ('eval_data = "heldout', 'eval_dat = "heldout', "unknown key 'eval_dat'; the nearest"),
        ('target = "${vars.target}"', 'target = "${vars.board}"', "unknown variable 'board'"),
        ('model = "digits.onnx"', 'model = "${package-float.bundle}"', "a cycle: 'open' waits for"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    studio: Studio, tmp_path: Path, old: str, new: str, words: str
) -> None:
    pipeline = killing.digits_pipeline(tmp_path / "digits")
    text = pipeline.read_text(encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1
    pipeline.write_text(text.replace(old, new, 1), encoding="utf-8")
    ended = studio.run("run", pipeline, "--json")
    assert ended.code == 2, ended.err
    message = ended.json["error"]["message"]
    place = f"pipeline.toml, line {line - 3 if 'cycle' in words else line}, column "
    assert message.startswith(place), message
    assert words in message
    assert studio.ok("run", "--list") == {"runs": []}, "something was run"


def test_labels_that_do_not_match_are_said_with_their_place(studio: Studio, tmp_path: Path) -> None:
    pipeline = killing.digits_pipeline(tmp_path / "digits")
    (tmp_path / "digits" / "three.txt").write_text("a\nb\nc\n")
    pipeline.write_text(
        '[pipeline]\nname = "labels"\n[[steps]]\nid = "bundle"\nstep = "package"\n'
        'model = "digits.onnx"\nlabels = "three.txt"\n'
    )
    ended = studio.run("run", pipeline, "--json")
    assert ended.code == 1, ended.err
    assert ended.json["steps"][0]["message"] == (
        "pipeline.toml, line 7, column 1: three.txt has 3 labels, and the model's outputs have 10 "
        "values."
    )
