"""Slurm's own daemons: a controller and three nodes of one processor, with munge for the keys."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.patience import patience

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "unshare", "nsenter")
NODES = ("n1", "n2", "n3")
_CONF = """
ClusterName=rig
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmdTimeout=6
SlurmctldTimeout=10
KillWait=5
MinJobAge=300
SchedulerParameters=bf_interval=1,sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName=n[1-3] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17001-17003] CPUs=1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class SlurmCluster:
    """The daemons in the foreground, each a child of this process.

    Attributes:
        shared: The folder that the nodes share.
        variables: With which Slurm's commands find it.
        under: Words before a command that shall reach it.
    """

    def __init__(self, folder: Path, under: Sequence[str], environment: Mapping[str, str]) -> None:
        self.shared = folder / "shared"
        self.under = list(under)
        self.variables = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._folder = folder
        self._environment = {**environment, **self.variables}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start all, and wait until every node is idle."""
        folder = self._folder
        munge = folder / "munge"
        for place in (munge, folder / "state", self.shared):
            place.mkdir(parents=True)
        munge.chmod(0o755)
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        host = platform.node().partition(".")[0]
        (folder / "slurm.conf").write_text(_CONF.format(host=host, folder=folder))
        (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
        names = {"key": "key-file", "socket": "socket", "pid": "pid-file", "log": "log-file"}
        flags = [f"--{flag}={munge / name}" for name, flag in names.items()]
        self._start("munged", ["--foreground", "--force", f"--seed-file={munge / 'seed'}", *flags])
        self._wait(lambda: (munge / "socket").exists())
        self._start("slurmctld", ["-D", "-i"])
        for name in NODES:
            self.start_node(name)
        self._wait(lambda: self._states().count("idle") == len(NODES))

    def start_node(self, name: str) -> None:
        """Start a node with processes of its own: it is the first of them."""
        words = ["--pid", "--fork", "--kill-child", "--mount-proc", "slurmd", "-D", "-N", name]
        self._start("unshare", words, name)

    def kill_node(self, name: str) -> None:
        """Kill a node with all that runs there, at once."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def close(self) -> None:
        """End all."""
        for process in reversed(self._processes.values()):
            process.kill()
            process.wait()

    def _start(self, program: str, words: Sequence[str], name: str = "") -> None:
        path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or program
        with (self._folder / f"{name or program}.log").open("ab") as log:
            self._processes[name or program] = subprocess.Popen(
                [*self.under, path, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )

    def _states(self) -> list[str]:
        try:
            done = subprocess.run(
                [*self.under, "sinfo", "--noheader", "-N", "--format=%T"],
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=20,
            )
        except subprocess.TimeoutExpired:
            return []
        return done.stdout.split()

    def _wait(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + patience(60)
        while not is_so():
            assert time.monotonic() < until, self._logs()
            time.sleep(0.2)

    def _logs(self) -> str:
        return "\n".join(one.read_text()[-800:] for one in sorted(self._folder.glob("*.log")))


@contextmanager
def slurm_cluster(
    folder: Path, under: Sequence[str], environment: Mapping[str, str]
) -> Iterator[SlurmCluster]:
    """A cluster of three nodes."""
    cluster = SlurmCluster(folder, under, environment)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
