"""The work of the monitor step, inside a worker."""

from __future__ import annotations

import time

from studio.deployment.connect import target_of
from studio.jobs import Arguments, Job, Result
from studio.monitoring.watch import Sample, Watch

_CHECK_S = 0.2
_HOUR_S = 3600.0


def monitor(arguments: Arguments, job: Job) -> Result:
    """Look at what a target serves, once or for a while; the last look is the result.

    Raises:
        TargetError: when the target itself cannot be reached.
    """
    seconds, interval = float(arguments["seconds"]), float(arguments["interval"])
    began = time.monotonic()
    with Watch(target_of(arguments["target"]), job) as watch:
        while True:
            looked = time.monotonic()
            sample = watch.look()
            job.event("sample", **sample)
            _tell(job, sample, looked - began, seconds)
            if looked + interval > began + seconds:
                return sample
            _wait(job, looked + interval)


def _tell(job: Job, sample: Sample, done: float, total: float) -> None:
    text = f"{sample['health']}, {sample['throughput']:.1f} requests/s"
    # A watch of days is open-ended: a bar that never moves would say nothing.
    job.progress(min(done, total), total if total <= _HOUR_S else 0.0, text)


def _wait(job: Job, until: float) -> None:
    """Sleep in small pieces, so that a cancel is heard."""
    while (left := until - time.monotonic()) > 0:
        job.check()
        time.sleep(min(left, _CHECK_S))
