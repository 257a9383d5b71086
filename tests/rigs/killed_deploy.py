"""A deploy in a process of its own that is killed in a phase."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.api import TargetSpec
from studio.deployment.options import DeployOptions
from studio.deployment.work import deploy
from studio.documents.dataclass_json import from_json
from tests.rigs.bundles import QuietJob


class KilledJob(QuietJob):
    """A job whose process is killed some time after a step of the deploy has begun."""

    def __init__(self, folder: Path, step: str, delay_s: float) -> None:
        super().__init__(folder)
        self._step = step
        self._delay_s = delay_s

    def event(self, name: str, **values: Any) -> None:
        """Set the clock when the step begins."""
        super().event(name, **values)
        if name == "step" and values["steps"][-1]["name"] == self._step:
            threading.Timer(self._delay_s, os.kill, (os.getpid(), signal.SIGKILL)).start()


def deploy_killed(
    target: TargetSpec, bundle: Path, folder: Path, step: str, delay_s: float
) -> bool:
    """Deploy; return whether the deploy was killed, not done before."""
    given = {"bundle": str(bundle), "soak_s": 0.3, "target": asdict(target)}
    words = [json.dumps(given), str(folder), step, str(delay_s)]
    ended = subprocess.run([sys.executable, "-m", __name__, *words], timeout=300, check=False)
    assert ended.returncode in (0, -signal.SIGKILL), ended.returncode
    return ended.returncode != 0


def main(given: str, folder: str, step: str, delay_s: str) -> None:
    """Deploy in this process, until it is killed."""
    options = from_json(DeployOptions, json.loads(given))
    deploy(options, KilledJob(Path(folder), step, float(delay_s)))
    os._exit(0)  # a clock that still runs comes too late


if __name__ == "__main__":
    main(*sys.argv[1:])
