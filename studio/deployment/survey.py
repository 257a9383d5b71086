"""The work of the steps for many targets: discovery, and a poll of all targets in parallel."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, replace

from studio.api import (
    Cancelled,
    Extension,
    PlatformRelease,
    StudioError,
    TargetSpec,
    UsageError,
)
from studio.api.discovery import Candidate, Finder
from studio.deployment.liveness import IDLE, SERVING, SILENT, liveness, server_info
from studio.deployment.machine.releases import current_release, machine_releases
from studio.deployment.platform_verbs import PlatformOperation
from studio.deployment.results import (
    FindProblem,
    FindResult,
    MachineRelease,
    StatusResult,
    TargetStatus,
)
from studio.deployment.step import FindOptions, StatusOptions
from studio.deployment.trust import admitted
from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.plugin_host import PluginHost
from studio.targets import inventory
from studio.targets.connect import gather_facts, open_channel
from studio.targets.target import open_target


def find(options: FindOptions, job: Job) -> FindResult:
    """Discover targets with every connector that supports it; failed methods become problems.

    Raises:
        UsageError: when a subnet search has no subnet, or the subnet is too large.
    """
    ways: list[str] = list(options.source)
    subnet = options.subnet or ""
    if subnet and "subnet" not in ways:
        ways.append("subnet")
    if "subnet" in ways and not subnet:
        raise UsageError("Missing subnet.", hint="Pass --subnet 192.168.1.0/24.")
    host = PluginHost.again()
    candidates: list[Candidate] = []
    problems = []
    for capability in host.all(Extension.TARGET):
        try:
            finder = host.create(capability)
        except StudioError:
            continue  # the page of plugins reports unavailable connectors
        if not isinstance(finder, Finder):
            continue
        for way in ways:
            try:
                candidates += finder.find([way], subnet, options.seconds, job)
            except (Cancelled, UsageError):
                raise
            except StudioError as error:
                problems.append(FindProblem(way, error.message, error.hint))
    places: dict[str, Candidate] = {}
    for one in candidates:
        places.setdefault(one.url.rpartition("@")[2].rpartition("/")[2], one)
    return FindResult(tuple(places.values()), tuple(problems))


def poll(options: StatusOptions, job: Job) -> StatusResult:
    """Poll all targets; an unreachable target becomes a row, and no failure."""
    rows: list[TargetStatus] = []
    total = len(options.target)
    with ThreadPoolExecutor(options.parallel) as pool:
        for row in pool.map(lambda target: _status(target, job), options.target):
            rows.append(row)
            job.progress(len(rows), total, f"{len(rows)} of {total} targets")
            job.event("looked", target=to_json(row))
    return StatusResult(tuple(rows), sum(row.state == SERVING for row in rows))


def _status(target: TargetSpec, job: Job) -> TargetStatus:
    """Return the state of one target, machine or platform."""
    job.check()
    began = time.monotonic()
    try:
        row = open_target(target).choose(_machine, _platform)(target, job)
    except Cancelled:
        raise
    except StudioError as error:
        row = TargetStatus(target.name, SILENT, text=f"{error.message} {error.hint}".strip())
    return replace(row, seconds=round(time.monotonic() - began, 3))


def _machine(target: TargetSpec, job: Job) -> TargetStatus:
    with closing(open_channel(target, job)) as channel:
        facts = gather_facts(target, channel)
        found = inventory.read(channel, facts.root)
        server = server_info(channel, facts.root)
    live = liveness(target, server)
    status = TargetStatus(
        target.name,
        live.state,
        live.endpoint,
        live.scheme,
        live.text,
        asdict(facts),
        admitted(found),
    )
    return _with_release(status, current_release(machine_releases(found)))


def _platform(target: TargetSpec, job: Job) -> TargetStatus:
    current = current_release(PlatformOperation(target, job, "").releases().releases)
    state = SERVING if current else IDLE
    return _with_release(TargetStatus(target.name, state), current)


def _with_release(
    status: TargetStatus, current: MachineRelease | PlatformRelease | None
) -> TargetStatus:
    """Add the current release to a status; without one, set its fields to None."""
    if current is None:
        return replace(status, name=None, version=None, release=None, at=None, by=None)
    return replace(
        status,
        name=current.name,
        version=current.version,
        release=current.release,
        at=current.at,
        by=current.by,
    )
