"""Tasks as Jobs of a cluster: their addresses, manifests and states, and real tasks on a fake."""

from __future__ import annotations

import os
import shutil
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetError, TaskOrder, TaskPhase, UsageError
from studio_kubernetes.jobs.executor import JobSession, KubernetesExecutor
from studio_kubernetes.jobs.job_address import parse_job_address
from studio_kubernetes.jobs.job_manifest import job_manifest, job_name
from studio_kubernetes.jobs.job_state import state_of
from tests.e2e.conftest import Studio
from tests.rigs.boards import until
from tests.rigs.kubernetes import FakeCluster, kubeconfig
from tests.rigs.kubernetes.task_nodes import TaskNodes
from tests.rigs.spread import waiting

ROOT = Path(__file__).parents[2]
ADDRESS = "kubernetes:/shared?claim=work&image=lab/studio:1"
POD: dict[str, Any] = {"metadata": {}, "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}}


def order(task: str = "a1b2-1") -> TaskOrder:
    return TaskOrder(task, "Quantize digits", b"{}", {})


@pytest.mark.parametrize(
    "address",
    [
        "kubernetes:",
        "kubernetes:/shared",
        "kubernetes:/shared?claim=work",
        "kubernetes:shared?claim=work&image=i",
        "kubernetes://lab/default/x?claim=work&image=i",
        "kubernetes:/shared?claim=work&image=i&other=1",
        "kubernetes:/shared?claim=&image=i",
        "kubernetes:/shared?claim=Work&image=i",
        "kubernetes:/shared?claim=work&image=i&namespace=a/b",
        "kubernetes:/shared?claim=work&image=i&mount=here",
        "kubernetes:/shared?claim=work&image=i&cpus=two",
        "kubernetes:/shared?claim=work&image=i&mem=4%0AGi",
    ],
)
def test_another_address_is_one_sentence(address: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_job_address(address)
    assert "\n" not in refused.value.message


def test_a_pod_runs_the_program_once_without_rights() -> None:
    address = parse_job_address(ADDRESS + "&cpus=2&mem=4Gi")
    manifest = job_manifest(order(), address, "session")
    assert manifest["spec"]["backoffLimit"] == 0
    pod = manifest["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["restartPolicy"] == "Never"
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "work"}
    [container] = pod["containers"]
    assert container["command"][-2:] == ["/edgewright/tasks/a1b2-1", "/edgewright/inputs"]
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "4Gi"}
    assert container["env"] == [{"name": "HOME", "value": "/tmp"}]


def test_names_are_small_letters() -> None:
    assert job_name("A1-2") == "edgewright-a1-2"


def conditions(kind: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": kind, "status": "True", "reason": "Because"}]}}


def pod(**changed: Any) -> dict[str, Any]:
    return {**POD, **changed}


@pytest.mark.parametrize(
    ("job", "its_pod", "phase", "reason"),
    [
        ({}, None, TaskPhase.WAITING, "a pod"),
        ({}, POD, TaskPhase.RUNNING, ""),
        (conditions("Complete"), POD, TaskPhase.ENDED, ""),
        (conditions("Failed"), None, TaskPhase.LOST, "Because"),
        (
            conditions("Failed"),
            pod(status={"containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled"}}}]}),
            TaskPhase.LOST,
            "OOMKilled",
        ),
        (
            {},
            pod(metadata={"deletionTimestamp": "now"}, status={"reason": "NodeLost"}),
            TaskPhase.LOST,
            "NodeLost",
        ),
        (
            {},
            pod(
                status={
                    "phase": "Pending",
                    "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}],
                }
            ),
            TaskPhase.WAITING,
            "ImagePullBackOff",
        ),
        (
            {},
            pod(
                status={
                    "phase": "Pending",
                    "conditions": [{"type": "PodScheduled", "status": "False", "message": "full"}],
                }
            ),
            TaskPhase.WAITING,
            "full",
        ),
    ],
)
def test_the_state_of_a_job(
    job: dict[str, Any], its_pod: dict[str, Any] | None, phase: TaskPhase, reason: str
) -> None:
    found = state_of(job, its_pod)
    assert found.phase is phase
    assert found.reason == reason


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[FakeCluster]:
    with FakeCluster(tmp_path / "fake") as fake:
        yield fake


def address_of(cluster: FakeCluster, folder: Path, context: str = "") -> str:
    config = kubeconfig(folder / "kubeconfig", cluster.url)
    more = f"&context={context}" if context else ""
    return f"kubernetes:{folder / 'shared'}?claim=work&image=lab/studio:1&kubeconfig={config}{more}"


@pytest.fixture
def session(cluster: FakeCluster, tmp_path: Path) -> Iterator[JobSession]:
    opened = KubernetesExecutor().open(address_of(cluster, tmp_path))
    assert isinstance(opened, JobSession)
    yield opened
    opened.close()


def test_a_session_leaves_no_job(cluster: FakeCluster, session: JobSession) -> None:
    session.submit(order("a-1"))
    session.submit(order("b-1"))
    assert len(cluster.store.find("jobs", "default")) == 2
    session.close()
    assert cluster.store.find("jobs", "default") == []


def test_an_api_that_is_away_for_a_moment_loses_nothing(
    cluster: FakeCluster, session: JobSession
) -> None:
    session.submit(order())
    until(lambda: session.look("a1b2-1").reason == "a pod", "the Job is listed")
    cluster.stop_listening()
    assert session.look("a1b2-1").phase is TaskPhase.WAITING
    cluster.listen()


def test_a_user_without_rights_is_one_sentence(cluster: FakeCluster, tmp_path: Path) -> None:
    opened = KubernetesExecutor().open(address_of(cluster, tmp_path, "viewer"))
    with pytest.raises(TargetError) as refused:
        opened.submit(order())
    assert "\n" not in refused.value.message
    cluster.denied.clear()


def test_a_cluster_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    with FakeCluster(tmp_path / "fake") as gone:
        address = address_of(gone, tmp_path)
    with pytest.raises(TargetError) as refused:
        KubernetesExecutor().open(address)
    assert "\n" not in refused.value.message


@pytest.mark.slow
@pytest.mark.long
def test_the_digests_are_those_of_here_and_a_killed_node_costs_its_task(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    nodes = tmp_path / "nodes"
    waiting.place(nodes, 3.0)
    places = (str(ROOT), str(ROOT / "plugins"), sysconfig.get_path("purelib"))
    variables = {"PYTHONPATH": os.pathsep.join(places), "EDGEWRIGHT_HOME": str(nodes)}
    reports = {}
    with TaskNodes(cluster, tmp_path / "shared", variables) as running:
        killed: list[str] = []

        def kill() -> None:
            until(lambda: "node-2" in running.busy, "a task runs on the second node", 120)
            killed.append(running.kill("node-2"))

        killer = threading.Thread(target=kill)
        killer.start()
        reports["away"] = report(tmp_path, "away", "--on", address_of(cluster, tmp_path))
        killer.join()
        assert running.errors == []
    reports["here"] = report(tmp_path, "here")
    assert reports["away"]["artefacts"] == reports["here"]["artefacts"]
    again = [name for name in running.started if name.rpartition("-")[2] != "1"]
    assert again == [killed[0].rpartition("-")[0] + "-2"]
    assert cluster.store.find("jobs", "default") == []


def report(folder: Path, name: str, *words: str) -> Any:
    """Run a matrix of four waiting tasks in a home of its own."""
    studio = Studio(folder / name)
    waiting.place(Path(studio.environment["EDGEWRIGHT_HOME"]), 3.0)
    data = shutil.copytree(ROOT / "resources" / "samples" / "digits", folder / f"{name}-data")
    pipeline = waiting.pipeline(Path(data), waiting.METHODS[:4])
    ended = studio.run("run", pipeline, *words, "--json", timeout=500)
    assert ended.code == 0, ended.err[-2000:] + ended.out[-2000:]
    return ended.json
