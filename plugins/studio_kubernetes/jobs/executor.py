"""A cluster as an executor: a Job for each task, files by a folder that its pods mount."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import closing
from pathlib import Path

from studio.api import ExecutorSession, ProgramStart, SharedFolder, TaskOrder, TaskPhase, TaskSight
from studio_kubernetes.cluster.client import Cluster
from studio_kubernetes.jobs.job_address import JobAddress, parse_job_address
from studio_kubernetes.jobs.job_manifest import JOB, job_manifest, job_name
from studio_kubernetes.jobs.job_state import JobStates
from studio_kubernetes.platform import open_cluster

_LATE_S = 15.0
"""What a node has written may be seen here later than the end of its Job."""

_BEARING_S = 60.0
_PATIENCE_S = 20.0


class KubernetesExecutor:
    """Clusters of the kubeconfig that run tasks as Jobs."""

    id = "kubernetes"
    title = "Kubernetes Jobs"
    schemes = ("kubernetes",)

    def open(self, address: str, start: ProgramStart | None = None) -> ExecutorSession:
        """Make the folder of this session's tasks, and connect to the cluster."""
        found = parse_job_address(address)
        cluster = open_cluster(found.context, found.kubeconfig, found.namespace, _PATIENCE_S)
        try:
            cluster.version()
            return JobSession(cluster, found)
        except BaseException:
            cluster.close()
            raise


class JobSession:
    """The Jobs of one run of the studio in one namespace."""

    def __init__(self, cluster: Cluster, address: JobAddress) -> None:
        self._cluster = cluster
        self._address = address
        self._shared = SharedFolder(address.folder)
        self._session = uuid.uuid4().hex[:12]
        self._states = JobStates(cluster, self._session)
        self._tasks: set[str] = set()
        self._done: dict[str, float] = {}
        self._lock = threading.Lock()

    def submit(self, order: TaskOrder) -> None:
        """Write the inputs and create a Job."""
        with self._lock:
            self._shared.lay(order)
            self._tasks.add(order.id)
            manifest = job_manifest(order, self._address, self._session)
            with self._cluster.bearing(_BEARING_S):
                self._cluster.apply(JOB, manifest, force=True)

    def look(self, task: str) -> TaskSight:
        """Return what is known of a task: its Job's state first, then what it has written."""
        with self._lock:
            found = self._states.state(job_name(task))
            events = self._shared.events(task)
        if events or found.phase is TaskPhase.RUNNING:
            return TaskSight(TaskPhase.RUNNING, node=found.node, events=events)
        if found.phase is TaskPhase.WAITING:
            return TaskSight(TaskPhase.WAITING, reason=found.reason)
        late = self._done.setdefault(task, time.monotonic() + _LATE_S)
        if found.phase is TaskPhase.ENDED and time.monotonic() < late:
            return TaskSight(TaskPhase.RUNNING, node=found.node)
        return TaskSight(TaskPhase.LOST, node=found.node, reason=found.reason)

    def cancel(self, task: str) -> None:
        """Delete the Job; its running pod gets SIGTERM."""
        with self._lock, self._cluster.bearing(_BEARING_S):
            self._cluster.delete(JOB, job_name(task))

    def fetch(self, task: str, file: Path) -> None:
        """Copy the output."""
        self._shared.fetch(task, file)

    def forget(self, task: str) -> None:
        """Delete the Job and the folder of an attempt."""
        if task in self._tasks:
            self.cancel(task)
        with self._lock:
            self._tasks.discard(task)
            self._done.pop(task, None)
        self._shared.forget(task)

    def close(self) -> None:
        """End everything; the inputs stay for the next session."""
        with closing(self._cluster):
            for task in list(self._tasks):
                self.forget(task)
