"""The bench on another machine: shipped through a channel, run there, its events brought back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from studio.api import Channel, Progress, TargetSpec
from studio.plugin_host import PluginHost
from studio.profiling.boards.reservation import Claim, reserved
from studio.profiling.command import run_bench
from studio.profiling.recording import Recording
from studio.runtime.archive import write_application
from studio.runtime.backends.catalog import backend_by_id
from studio.runtime.bench.config import Config
from studio.runtime.bench.events import Event
from studio.targets.remote import absolute, check_output, connector_for, find_python, folder_on

ModelFiles = Callable[[Path], Sequence[Path]]
"""The files that make up a model, itself first."""


_APPLICATION = "edgewright.pyz"


def measure(
    host: PluginHost,
    target: TargetSpec,
    config: Config,
    shipment: Shipment,
    on_event: Callable[[Event], None],
    claim: Claim | None = None,
) -> Recording:
    """Run a bench on a target, which is reserved for that time.

    Args:
        claim: How long to wait while another user measures on it; none without one.

    Raises:
        Unavailable: when no connector answers for the target's URL.
        BoardReserved: when another user measures on it.
        TargetError: when the connection is lost before the first round, or the target's Python
            lacks what is needed.
    """
    connector = connector_for(host, target)
    with ExitStack() as open_channels:
        channels = []
        for _ in range(2):  # a channel carries one command at a time: the bench, the reservation
            channels.append(connector.connect(target, shipment.job))
            open_channels.callback(channels[-1].close)
        root = absolute(channels[0], connector.default_root(target))
        held = reserved(channels[1], root, target.name, claim or Claim(), shipment.job)
        why_lost = open_channels.enter_context(held)
        recording = run_on(channels[0], root, config, shipment, on_event)
        if recording.complete and why_lost():
            recording.remarks.append(f"{target.name} was no longer reserved: {why_lost()}")
        return recording


def run_on(
    channel: Channel,
    root: str,
    config: Config,
    shipment: Shipment,
    on_event: Callable[[Event], None],
) -> Recording:
    """Upload the bench's files, run it, and remove them again; see ``measure``."""
    root = absolute(channel, root)
    pythons = shipment.pythons(channel, root, config)
    python = pythons[config.candidates[0].runner]
    folder = f"{root}/bench-{secrets.token_hex(6)}"
    with folder_on(channel, folder):
        # A channel closes standard input at once, so that cannot mean "cancel" here; the bench
        # ends when its events can no longer be written.
        named = [
            replace(one, python=pythons[one.runner] if pythons[one.runner] != python else "")
            for one in config.candidates
        ]
        config = replace(config, candidates=tuple(named))
        there = replace(shipment.send(channel, folder, config), cancel_on_eof=False)
        return run_bench(channel, [python, f"{folder}/{_APPLICATION}", "bench"], there, on_event)


class Shipment:
    """Copies the files that a bench's configuration names to a folder on a target."""

    def __init__(
        self,
        folder: Path,
        files: ModelFiles,
        job: Progress,
        backends: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare an upload.

        Args:
            folder: For temporary files on this computer.
            files: Returns the files that make up a model.
            job: Receives the progress of the copies.
        backends: Id of the backend of each runner, by the runner's path.
        """
        self.job = job
        self._local = folder
        self._files = files
        self._backends = backends or {}

    def pythons(self, channel: Channel, root: str, config: Config) -> dict[str, str]:
        """Return an interpreter on the target for each runner, by the runner's path here.

        Raises:
            TargetError: naming the first backend that no interpreter has.
        """
        runners = dict.fromkeys(one.runner for one in config.candidates)
        return {
            one: find_python(channel, root, backend_by_id(self._backends.get(one, "")))
            for one in runners
        }

    def send(self, channel: Channel, folder: str, config: Config) -> Config:
        """Copy them; returns the configuration with the target's paths."""
        application = self._local / _APPLICATION
        generates = any(each.backend for each in config.candidates)
        parts = ("bench", "language") if generates else ("bench",)
        write_application(str(application), parts=parts)
        channel.put(application, f"{folder}/{_APPLICATION}", self.job)
        sent: dict[str, str] = {}

        def there(path: str, files: ModelFiles) -> str:
            if path not in sent:
                place = f"{folder}/{len(sent)}"
                sent[path] = self._send(channel, files(Path(path)), place)
            return sent[path]

        def alone(path: str, name: str) -> str:
            return path and self._send(channel, [Path(path)], f"{folder}/{name}")

        candidates = tuple(
            replace(each, runner=there(each.runner, _alone), model=there(each.model, self._files))
            for each in config.candidates
        )
        meter = alone(config.meter, "meter")
        feeds = replace(config.feeds, npz=alone(config.feeds.npz, "feeds"))
        return replace(config, candidates=candidates, meter=meter, feeds=feeds)

    def _send(self, channel: Channel, files: Sequence[Path], folder: str) -> str:
        """Copy files that lie together; returns the path of the first one there."""
        base = files[0].parent
        for file in files:
            self.job.check()
            place = f"{folder}/{file.relative_to(base).as_posix()}"
            check_output(channel, ["mkdir", "-p", place.rpartition("/")[0]])
            channel.put(file, place, self.job)
        return f"{folder}/{files[0].name}"


def _alone(path: Path) -> Sequence[Path]:
    return [path]
