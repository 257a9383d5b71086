"""The deployment steps on a platform: the example's folder, with real servers in it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy
import pytest

from studio.api import Extension, Parcel, TargetSpec
from studio.api.testing_platforms import Example, check_platform
from studio.deployment.platform_verbs import parcel_of
from studio.packages import build_runtime
from studio.plugin_host import PluginHost
from studio.plugin_host.plugin_import import forget
from studio.runtime.parts import packed_in
from studio.workspace import Workspace
from tests.rigs import third_party
from tests.rigs.bundles import QuietJob, make_bundle
from tests.unit.runtime.models import make_cnn, make_cnn_versions

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(studio_home: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with the target ``attic``, a folder in which nothing is served."""
    third_party.place(studio_home)
    with Workspace.open(studio_home) as opened:
        third_party.agree(opened)
        opened.add_target(TargetSpec("attic", f"folder:{tmp_path / 'attic'}"))
        yield opened
        opened.run("undeploy", target="attic", purge=True)
    forget(third_party.ID)


def ok(workspace: Workspace, step: str, **options: Any) -> dict[str, Any]:
    outcome = workspace.run(step, target="attic", **options)
    assert outcome.ok, outcome.sentence + outcome.detail
    return outcome.document


def states(workspace: Workspace) -> list[tuple[str, int]]:
    return [(one["state"], one["version"]) for one in ok(workspace, "releases")["releases"]]


def served(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    link.request("GET", "/edgewright/status")
    answer = json.loads(link.getresponse().read())
    link.close()
    return str(answer["digest"])


def test_the_example_conforms(workspace: Workspace, tmp_path: Path) -> None:
    platform = workspace.plugins.get(Extension.PLATFORM, "folder")
    (tmp_path / "runtime").mkdir()
    runtime = build_runtime(tmp_path / "runtime").path
    parcels = []
    for version in (1, 2):
        bundle = make_bundle(tmp_path / f"bundle-{version}", version)
        parcels.append(Parcel(bundle.folder, runtime, bundle.digest, bundle.raw, "ann@here"))
    image = numpy.zeros((1, 3, 16, 16), "float32")
    tensor = {"name": "image", "shape": list(image.shape), "datatype": "FP32"}
    request = json.dumps({"inputs": [{**tensor, "data": image.ravel().tolist()}]}).encode()
    target = TargetSpec("cellar", f"folder:{tmp_path / 'cellar'}")
    check_platform(platform, target, Example(*parcels, request, canary=False))
    assert not list((tmp_path / "cellar").glob("releases/*"))


def test_every_parcel_has_what_a_container_starts_with(tmp_path: Path) -> None:
    parcel = parcel_of(make_bundle(tmp_path / "bundle"), QuietJob(tmp_path / "job"), "ann@here")
    assert "containers" in packed_in(parcel.runtime)
    assert not {"bench", "pull", "language"} & packed_in(parcel.runtime)


def test_from_a_plan_to_a_rollback_to_nothing(workspace: Workspace, tmp_path: Path) -> None:
    first, second = map(str, make_cnn_versions(tmp_path))
    facts = ok(workspace, "target-probe")
    assert facts["os"] == "Folder"
    assert facts["where"] == str(tmp_path / "attic")
    assert workspace.registry.facts("attic")["who"] == facts["who"]

    planned = ok(workspace, "deploy", model=first, dry_run=True)
    assert (planned["state"], planned["possible"]) == ("planned", True)
    assert [step["name"] for step in planned["steps"]][-3:] == ["folder", "copy", "serve"]
    assert states(workspace) == []
    assert workspace.registry.releases("attic") == []

    one = ok(workspace, "deploy", model=first)
    assert (one["state"], one["version"]) == ("serving", 1)
    assert one["bytes_sent"] > one["bytes_total"], "the runtime went along"
    assert served(one["endpoint"]) == one["release"]
    again = ok(workspace, "deploy", model=first)
    assert (again["release"], again["bytes_sent"]) == (one["release"], 0)
    assert again["steps"][-1]["state"] == "skipped"

    two = ok(workspace, "deploy", model=second)
    assert states(workspace)[0][0] == "serving"
    back = ok(workspace, "rollback")
    assert back["release"] == one["release"]
    assert back["left"] == two["release"]
    assert ok(workspace, "releases")["current"] == one["release"]
    shown = workspace.registry.releases("attic")
    assert [release.state for release in shown][:2] == ["serving", "rolled back"]
    endpoint = str(shown[0].details["endpoint"])
    assert served(endpoint) == one["release"], "the endpoint that the history shows answers"

    assert any("ready" in line for line in ok(workspace, "logs", lines=5)["lines"])
    kinds = sorted(row["kind"] for row in ok(workspace, "resources")["resources"])
    assert kinds == ["release", "release", "server"]
    gone = ok(workspace, "undeploy", purge=True)
    assert (gone["release"], gone["left"]) == (one["release"], [])
    assert workspace.registry.releases("attic")[0].state == "removed"
    assert ok(workspace, "resources")["resources"] == []


@pytest.mark.parametrize(
    ("step", "options", "words"),
    [
        ("deploy", {"canary": 10}, "cannot share its requests"),
        ("deploy", {"set": ["replicas=2"]}, "Unknown option 'replicas'"),
        ("deploy", {"set": ["replicas"]}, "expected NAME=VALUE"),
        ("deploy", {"port": 8000}, "Folder has no option 'port'"),
        ("deploy", {"budget_ms": 5}, "Folder has no option 'budget_ms'"),
        ("promote", {}, "There is no canary"),
        ("rollback", {}, "There is no earlier release"),
        ("rollback", {"to": "7"}, "There is no 7"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    workspace: Workspace, tmp_path: Path, step: str, options: dict[str, Any], words: str
) -> None:
    if step == "deploy":
        options = {**options, "model": str(make_cnn(tmp_path / "m.onnx"))}
    outcome = workspace.run(step, target="attic", **options)
    assert not outcome.ok
    assert words in outcome.sentence
    assert not outcome.plugin, "a refusal is no crash"
    assert not (tmp_path / "attic").exists()
    assert workspace.registry.releases("attic") == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trial": True}, "No trial: {} runs each release in a separate server"),
        ({"trial_rule": ["judge=errors"]}, "No trial: {} runs"),
        ({"shadow_cpu": 2.0}, "No shadow comparison: {} runs each release"),
        ({"keep_samples": 5}, "{} cannot keep requests: only boards over SSH"),
    ],
)
@pytest.mark.parametrize(
    "url",
    ["folder:", "kubernetes:lab/shop", "sagemaker:eu/shop", "vertex:p/shop", "azureml:a/b/c/shop"],
)
def test_what_needs_the_release_before_is_refused_before_anything_is_made(
    workspace: Workspace, tmp_path: Path, url: str, options: dict[str, Any], words: str
) -> None:
    name = url.partition(":")[0]
    workspace.add_target(TargetSpec(name, url))
    model = str(make_cnn(tmp_path / "m.onnx"))
    outcome = workspace.run("deploy", target=name, model=model, **options)
    assert outcome.sentence.startswith(words.format(name))
    assert outcome.exit_code == 2
    trial = "trial" in options or "trial_rule" in options
    assert outcome.hint.startswith("Use --canary PERCENT" if trial else "Omit --")
    assert workspace.registry.versions() == []


def test_a_blocked_plan_says_that_it_is_not_possible(workspace: Workspace, tmp_path: Path) -> None:
    model = str(make_cnn(tmp_path / "m.onnx"))
    planned = ok(workspace, "deploy", model=model, canary=10, dry_run=True)
    assert planned["possible"] is False
    assert "Deploy without a canary." in [s["text"] for s in planned["steps"]][-3]


def test_a_setting_that_the_platform_does_not_know(workspace: Workspace) -> None:
    workspace.add_target(TargetSpec("odd", "folder:relative"))
    outcome = workspace.run("target-probe", target="odd")
    assert outcome.sentence == "folder:relative names no absolute folder."
    assert outcome.exit_code == 2


def test_without_consent_the_platform_says_so(workspace: Workspace) -> None:
    workspace.forbid_plugin(third_party.ID)
    outcome = workspace.run("target-probe", target="attic")
    assert outcome.sentence.startswith("Folder is not available: you switched it off")


def test_a_scheme_that_nobody_knows(workspace: Workspace) -> None:
    workspace.add_target(TargetSpec("moon", "moon:base"))
    outcome = workspace.run("target-probe", target="moon")
    assert "moon" in outcome.sentence
    assert not outcome.ok


def test_discovery_in_a_worker_is_the_users(workspace: Workspace) -> None:
    host = PluginHost.discover()
    assert host.plugin(third_party.ID) == replace(workspace.plugins.plugin(third_party.ID))


def test_another_model_is_replaced_only_when_that_is_said(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = str(make_cnn(tmp_path / "first.onnx", seed=1))
    other = str(make_cnn(tmp_path / "other.onnx", seed=2))
    one = ok(workspace, "deploy", model=first)
    refused = workspace.run("deploy", target="attic", model=other)
    assert refused.exit_code == 4
    assert "attic already serves first, not other" in refused.sentence
    assert "a separate target" in refused.hint
    planned = ok(workspace, "deploy", model=other, dry_run=True)
    assert not planned["possible"]
    assert {step["name"]: step["state"] for step in planned["steps"]}["model"] == "blocked"
    assert served(one["endpoint"]) == one["release"]
    assert ok(workspace, "deploy", model=other, replace=True)["name"] == "other"
    beside = workspace.run("deploy", target="attic/door", model=first)
    assert beside.exit_code == 2
    assert "attic/door cannot be an endpoint" in beside.sentence
    stopped = workspace.run("stop", target="attic")
    assert "attic is a platform" in stopped.sentence
