"""The commands against a target in a cluster: a fake API server, whose node runs the real runtime.

The real API server is in tests/integration/kubernetes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.kubernetes import FakeCluster, kubeconfig

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[FakeCluster]:
    with FakeCluster(tmp_path) as fake:
        yield fake


@pytest.mark.long
def test_from_a_model_to_a_rollback(cluster: FakeCluster, studio: Studio, digits: Path) -> None:
    path = kubeconfig(studio.home / "kubeconfig", cluster.url)
    added = studio.ok(
        "target", "add", "web", "kubernetes:///default/digits",
        "--set", f"kubeconfig={path}", "--set", "patience_s=60",
        "--set", "bundle=configmap",
        "--set", "image=registry.example/python:3.13",
        "--set", "gateway=main",
    )  # fmt: skip
    assert added["where"] == "admin, namespace default"
    model = digits / "digits.onnx"

    planned = studio.ok("deploy", model, "--target", "web", "--dry-run")
    assert planned["state"] == "planned"
    assert planned["possible"]
    assert "kind: Deployment" in planned["documents"]["deployment.yaml"]
    assert studio.ok("target", "resources", "web")["resources"] == []

    first = studio.ok("deploy", model, "--target", "web")
    assert first["state"] == "serving"
    assert studio.ok("call", "--target", "web", "--requests", "20")["failed"] == 0

    ended = studio.run("deploy", model, "--target", "web", "--canary", "20")
    assert "Version 1 gets all requests already" in ended.err
    second = studio.home / "second"
    studio.ok("package", model, "--samples", "3", "--out", second)
    bundle = ("--bundle", second, "--target", "web")
    canary = studio.ok("deploy", *bundle, "--canary", "20")
    assert (canary["version"], canary["state"]) == (2, "canary")
    rows = studio.ok("releases", "--target", "web")
    assert {row["version"]: row["traffic"] for row in rows} == {1: 80, 2: 20}
    studio.ok("promote", "--target", "web")
    back = studio.ok("rollback", "--target", "web")
    assert (back["from"], back["to"]) == (2, 1)
    assert studio.ok("logs", "--target", "web")["lines"]

    kinds = {row["kind"] for row in studio.ok("target", "resources", "web")["resources"]}
    assert {"Deployment", "Pod", "ConfigMap", "HTTPRoute"} <= kinds
    assert studio.ok("undeploy", "--target", "web", "--purge")["left"] == []
    assert studio.ok("target", "resources", "web")["resources"] == []


def test_refusals_are_one_sentence(cluster: FakeCluster, studio: Studio, digits: Path) -> None:
    path = kubeconfig(studio.home / "kubeconfig", cluster.url)
    studio.ok("target", "add", "web", "kubernetes:///default/d", "--set", f"kubeconfig={path}")
    ended = studio.run("deploy", digits / "digits.onnx", "--target", "web")
    assert ended.code == 4
    assert "Missing image for the cluster" in ended.err
    assert "Traceback" not in ended.err
    for url, text in (
        ("kubernetes://prod/default/d", "no context 'prod'"),
        ("kubernetes:///default/My_Model", "does not allow the name"),
        ("kubernetes://expired/default/d", "does not accept the credentials"),
    ):
        ended = studio.run("target", "add", "bad", url, "--set", f"kubeconfig={path}")
        assert ended.code in (1, 2)
        assert text in ended.err
        assert len(ended.err.strip().splitlines()) <= 3
    assert "token" not in json.dumps(studio.ok("target", "list"))
