"""What deployment adds to the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from studio.api import TargetSpec
from studio.deployment.history import TargetHistory
from studio.deployment.liveness import SERVING
from studio.deployment.trial import error_of_trial
from studio.jobs import Arguments, Result
from studio.packages import record as packages
from studio.registry import Registry, VersionRecord
from studio.registry.endpoints import endpoint_of

_ADDRESS = (
    *("endpoint", "host", "port", "root", "scheme"),
    *("fingerprint", "certificate_file", "token_required"),
)
_OF_ROLLOUT = ("rows", "known_bundles", "packaged")


def prepare(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Find the endpoint that is named, and number the bundle that a model is going to need."""
    if arguments.get("endpoint"):
        target = endpoint_of(TargetSpec(**arguments["target"]), str(arguments["endpoint"]))
        arguments = {**arguments, "target": asdict(target)}
    if arguments.get("model") and not arguments.get("bundle"):
        return packages.with_numbering(registry, arguments)
    return dict(arguments)


def probed(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep what was learned of a target."""
    registry.set_facts(result["name"], result)
    return result


def looked(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the facts of each target, and how they were."""
    for row in result["targets"]:
        if row["facts"]:
            registry.set_facts(row["target"], row["facts"])
        elif row["state"] == SERVING and not row["endpoint"]:  # a platform's, as it said then
            row["endpoint"] = str(_address(registry, row["target"])["endpoint"])
            row["scheme"] = urlsplit(row["endpoint"]).scheme
    registry.add_run("target-look", None, {}, result)
    return result


def deployed(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the bundle as a version, and the release.

    Raises:
        TakenBack: after that, when the release was worse on trial.
    """
    packaged = result.pop("packaged")
    if result["state"] == "planned":
        return result
    version = packages.keep_document(registry, arguments, packaged) if packaged else None
    version = version or _version(registry, result["release"])
    if arguments["target"].get("endpoint_name") and result["state"] != "failed":
        registry.endpoints.add(result["target"])
    details = {key: value for key, value in result.items() if key not in ("target", "hint")}
    details["variant_name"] = _variant_name(registry, version)
    registry.add_release(
        result["target"],
        version.id if version else None,
        result["release"],
        result["state"],
        details,
        result.get("at"),
    )
    _chain(registry, result["target"], result["release"], result["state"], result)
    if result["state"] == "failed":  # its number stays its own: the target's record names it
        raise error_of_trial(result)
    registry.add_run("deploy", version.variant if version else None, _given(arguments), result)
    return result


def rolled_back(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Note what was taken back, then what serves again."""
    return _moved(registry, "rollback", "rolled back", arguments, result)


def promoted(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Note what the canary replaced, then that it has all requests."""
    return _moved(registry, "promote", "replaced", arguments, result)


def _moved(
    registry: Registry, step: str, left_state: str, arguments: Arguments, result: Result
) -> Result:
    target, left = result["target"], _version(registry, result["left"])
    version = _version(registry, result["release"])
    facts = {"by": result["by"], "seconds": result["seconds"]}
    address = _address(registry, target)
    if result.get("endpoint"):
        address["endpoint"] = result["endpoint"]
    registry.add_release(
        target,
        left.id if left else None,
        result["left"],
        left_state,
        {**facts, "version": result["from"]},
        result.get("at"),
    )
    registry.add_release(
        target,
        version.id if version else None,
        result["release"],
        "serving",
        {
            **facts,
            "version": result["to"],
            "name": result["name"],
            "variant_name": _variant_name(registry, version),
            **address,
        },
        result.get("at"),
    )
    _chain(registry, target, result["left"], left_state, {"by": result["by"]})
    _chain(registry, target, result["release"], "serving", result)
    registry.add_run(step, version.variant if version else None, _given(arguments), result)
    return result


def undeployed(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Note that nothing is served any more; an endpoint whose files are gone is forgotten."""
    version = _version(registry, result["release"])
    if result["release"]:
        registry.add_release(
            result["target"],
            version.id if version else None,
            result["release"],
            "removed",
            {"by": result["by"], "version": version.number if version else None},
            result.get("at"),
        )
        _chain(registry, result["target"], result["release"], "removed", result)
    if arguments.get("purge"):
        registry.endpoints.forget(result["target"])
    return result


def anchors(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Where the target's chain stood after each change that the registry knows of."""
    history = TargetHistory(registry.folder)
    name = arguments["target"]["name"]
    return {**arguments, "anchors": history.anchors(name), "registry": history.facts()}


def _chain(
    registry: Registry, target: str, release: str, state: str, result: Mapping[str, Any]
) -> None:
    """Note it in the chain, with where the target's own chain stands."""
    stand = result.get("log") or {}
    facts = {
        "by": str(result.get("by") or ""),
        "entries": int(stand.get("entries") or 0),
        "head": str(stand.get("head") or ""),
    }
    TargetHistory(registry.folder).add(target, release, state, facts)


def _version(registry: Registry, digest: str) -> VersionRecord | None:
    """The version of a release, unless its bundle was made elsewhere."""
    return next((one for one in registry.versions() if one.digest == digest), None)


def _variant_name(registry: Registry, version: VersionRecord | None) -> str | None:
    return registry.variant(version.variant).name if version else None


def _address(registry: Registry, target: str) -> dict[str, Any]:
    """Where the target answers, and whom: on a machine a rollback does not change that."""
    for release in registry.releases(target):
        if release.details.get("endpoint"):
            return {name: release.details[name] for name in _ADDRESS if name in release.details}
    return {"endpoint": ""}


def _given(arguments: Arguments) -> dict[str, Any]:
    """The options, with the target by its name."""
    hidden = ("model", "numbering", "target", *_OF_ROLLOUT)
    options = {key: value for key, value in arguments.items() if key not in hidden}
    return {**options, "target": arguments["target"]["name"]}
