"""Tasks as Jobs against Kubernetes' own API server; no controller and no node takes them up."""

from __future__ import annotations

import json
from pathlib import Path

from studio.api import TaskOrder, TaskPhase
from studio_kubernetes.jobs.executor import KubernetesExecutor
from tests.integration.kubernetes.conftest import Lab
from tests.rigs.boards import until

FAILED = json.dumps(
    {
        "status": {
            "startTime": "2026-01-01T00:00:00Z",
            "failed": 1,
            "conditions": [
                {
                    "type": kind,
                    "status": "True",
                    "reason": "BackoffLimitExceeded",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }
                for kind in ("FailureTarget", "Failed")
            ],
        }
    }
)


def test_the_api_server_keeps_a_job_and_its_end(lab: Lab, namespace: str, tmp_path: Path) -> None:
    target = lab.target(namespace)
    address = (
        f"kubernetes:{tmp_path / 'shared'}?claim=work&image=lab/studio:1&cpus=1&mem=1Gi"
        f"&namespace={namespace}&kubeconfig={target.settings['kubeconfig']}&context=admin"
    )
    session = KubernetesExecutor().open(address)
    try:
        session.submit(TaskOrder("a1b2-1", "Quantize digits", b"{}", {}))
        text = lab.kubectl("-n", namespace, "get", "job", "edgewright-a1b2-1", "-o", "json")
        pod = json.loads(text)["spec"]["template"]["spec"]
        assert pod["containers"][0]["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}
        assert pod["automountServiceAccountToken"] is False
        until(lambda: session.look("a1b2-1").reason == "a pod", "the Job is listed", 30)
        words = ("patch", "job", "edgewright-a1b2-1", "--subresource=status", "--type=merge")
        lab.kubectl("-n", namespace, *words, "-p", FAILED)
        until(lambda: session.look("a1b2-1").phase is TaskPhase.LOST, "the end is seen", 30)
        session.forget("a1b2-1")
        listed = lab.kubectl("-n", namespace, "get", "jobs", "-o", "name")
        assert "edgewright-a1b2-1" not in listed
    finally:
        session.close()
