"""Ray's own daemons: a head without processors, and three nodes of one processor each."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.patience import patience
from tests.rigs.spread.namespace import kill_family

ADDRESS = "ray://127.0.0.1:10001"
NODES = 3
_STORE = 200_000_000
_SLOW_STARTS = ("RAY_DASHBOARD_STARTUP_TIMEOUT_S",)
"""Seconds that a loaded machine may take."""

_CHECK = """
import sys, ray
ray.init("ray://127.0.0.1:10001", log_to_driver=False, logging_level="ERROR")
alive = [one for one in ray.nodes() if one["Alive"] and one["Resources"].get("CPU")]
sys.exit(0 if len(alive) == int(sys.argv[1]) else 3)
"""


class RayCluster:
    """The daemons, each a child of this process.

    Attributes:
        python: The Python that has Ray.
        under: Words before a command that shall reach it.
    """

    def __init__(
        self,
        python: Path,
        folder: Path,
        under: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self.python, self.under = python, list(under)
        self._folder = folder
        quick = {"health_check_period_ms": "1000", "health_check_failure_threshold": "3"}
        self._environment = {
            **environment,
            "RAY_USAGE_STATS_ENABLED": "0",
            **dict.fromkeys(_SLOW_STARTS, "600"),
            **{f"RAY_{name}": value for name, value in quick.items()},
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, nodes: int) -> None:
        """Start all, and wait until every node is there."""
        head = ["--head", "--port=46379", "--ray-client-server-port=10001", "--num-cpus=0"]
        # Sockets lie below it, and their paths must be short.
        head += ["--include-dashboard=false", f"--temp-dir={self._folder / 'r'}"]
        self._start(head)
        self._wait(0)
        for number in range(1, nodes + 1):  # one by one, as Ray gives each 30 seconds and no more
            self.start_node()
            self._wait(number)

    def start_node(self) -> None:
        """Start one more node."""
        self._start(["--address=127.0.0.1:46379", "--num-cpus=1"])

    def kill_node(self, number: int) -> None:
        """Kill a node, counted from 1, with all that runs there."""
        kill_family(self._processes[number].pid)
        self._processes[number].wait()

    def kill_head(self) -> None:
        """Kill the head, and with it the whole cluster."""
        kill_family(self._processes[0].pid)
        self._processes[0].wait()

    def close(self) -> None:
        """End all."""
        for process in reversed(self._processes):
            if process.poll() is None:
                kill_family(process.pid)
                process.wait()

    def _start(self, words: Sequence[str]) -> None:
        ray = str(self.python.with_name("ray"))
        same = ["--block", "--node-ip-address=127.0.0.1", "--disable-usage-stats"]
        log = self._folder / f"ray-{len(self._processes)}.log"
        with log.open("ab") as out:
            self._processes.append(
                subprocess.Popen(
                    [*self.under, ray, "start", *same, f"--object-store-memory={_STORE}", *words],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    env=self._environment,
                )
            )

    def _wait(self, nodes: int) -> None:
        until = time.monotonic() + patience(120)
        while True:
            done = subprocess.run(
                [*self.under, self.python, "-c", _CHECK, str(nodes)],
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                return
            assert all(one.poll() is None for one in self._processes), self._logs()
            assert time.monotonic() < until, done.stderr[-2000:] + self._logs()
            time.sleep(1)

    def _logs(self) -> str:
        return "\n".join(one.read_text()[-800:] for one in sorted(self._folder.glob("*.log")))


@contextmanager
def ray_cluster(
    python: Path,
    folder: Path,
    under: Sequence[str],
    environment: Mapping[str, str],
    nodes: int = NODES,
) -> Iterator[RayCluster]:
    """A cluster of some nodes."""
    cluster = RayCluster(python, folder, under, environment)
    try:
        cluster.start(nodes)
        yield cluster
    finally:
        cluster.close()
