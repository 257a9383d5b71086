"""The work of the steps for many targets: finding them, and looking at all of them at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from studio.api import Cancelled, Extension, StudioError, TargetSpec, UsageError
from studio.api.discovery import Finder
from studio.deployment.liveness import IDLE, SERVING, SILENT, liveness, server_info
from studio.deployment.platform_verbs import PlatformOperation
from studio.deployment.trust import admitted
from studio.jobs import Arguments, Job, Result
from studio.plugin_host import PluginHost
from studio.targets import inventory
from studio.targets.connect import gather_facts, open_channel, target_of
from studio.targets.platforms import is_platform


def find(arguments: Arguments, job: Job) -> Result:
    """Look for targets with every connector that can; what one cannot do is told, and no failure.

    Raises:
        UsageError: when a subnet is wanted and none was named, or it is too large.
    """
    ways, subnet = list(arguments["way"]), str(arguments.get("subnet") or "")
    if subnet and "subnet" not in ways:
        ways.append("subnet")
    if "subnet" in ways and not subnet:
        raise UsageError("No subnet was named.", hint="Give --subnet 192.168.1.0/24.")
    host = PluginHost.again()
    found: list[dict[str, Any]] = []
    problems = []
    for capability in host.all(Extension.TARGET):
        try:
            finder = host.create(capability)
        except StudioError:
            continue  # what is unavailable says so on the page of plugins
        if not isinstance(finder, Finder):
            continue
        for way in ways:
            try:
                rows = finder.find([way], subnet, float(arguments["seconds"]), job)
                found += [asdict(one) for one in rows]
            except (Cancelled, UsageError):
                raise
            except StudioError as error:
                problems.append({"way": way, "text": error.message, "hint": error.hint})
    places: dict[str, dict[str, Any]] = {}
    for one in found:
        places.setdefault(str(one["url"]).rpartition("@")[2].rpartition("/")[2], one)
    return {"found": list(places.values()), "problems": problems}


def look(arguments: Arguments, job: Job) -> Result:
    """Ask every target; one that does not answer is a row of its own, and no failure."""
    targets = [target_of(one) for one in arguments["target"]]
    rows: list[dict[str, Any]] = []
    with ThreadPoolExecutor(int(arguments["parallel"])) as pool:
        for row in pool.map(lambda target: _look_at(target, job), targets):
            rows.append(row)
            job.progress(len(rows), len(targets), f"{len(rows)} of {len(targets)} targets")
            job.event("looked", target=row)
    return {"targets": rows, "serving": sum(row["state"] == SERVING for row in rows)}


def _look_at(target: TargetSpec, job: Job) -> dict[str, Any]:
    """One target's row."""
    job.check()
    began = time.monotonic()
    row: dict[str, Any] = {"target": target.name, "state": SILENT, "endpoint": "", "scheme": ""}
    row.update(text="", facts={})
    try:
        row.update(_platform(target, job) if is_platform(target) else _machine(target, job))
    except Cancelled:
        raise
    except StudioError as error:
        row["text"] = f"{error.message} {error.hint}".strip()
    row["seconds"] = round(time.monotonic() - began, 3)
    return row


def _machine(target: TargetSpec, job: Job) -> dict[str, Any]:
    channel = open_channel(target, job)
    try:
        facts = gather_facts(target, channel)
        found = inventory.take(channel, facts.root)
        server = server_info(channel, facts.root)
    finally:
        channel.close()
    live = liveness(target, server)
    current = next((one for one in inventory.history(found) if one["state"] == SERVING), {})
    known = {"facts": asdict(facts), "signers": admitted(found)}
    return {**live.to_json(), "text": live.text, **known, **_current(current)}


def _platform(target: TargetSpec, job: Job) -> dict[str, Any]:
    done = PlatformOperation(target, job, "").releases()
    current: Mapping[str, Any] = next(
        (one for one in done["releases"] if one["state"] == "serving"), {}
    )
    return {"state": SERVING if current else IDLE, **_current(current)}


def _current(release: Mapping[str, Any]) -> dict[str, Any]:
    return {key: release.get(key) for key in ("name", "version", "release", "at", "by")}
