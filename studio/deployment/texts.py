"""Sentences about results of the deployment steps, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.documents.text_table import megabytes, table

if TYPE_CHECKING:
    from studio.deployment.results import (
        AllowedSigners,
        DeployResult,
        DeployStep,
        FindResult,
        LogsResult,
        ResourcesResult,
        ServerResult,
        StatusResult,
        SwitchResult,
        TargetStatus,
        TrustResult,
        UndeployResult,
    )


def deployment(result: DeployResult) -> list[str]:
    """Return the steps of a deploy, then its outcome."""
    lines = [line for step in result.steps for line in _step(step)]
    if result.state == "planned":
        end = "" if result.possible else " The plan is blocked."
        return [*lines, f"Dry run: no changes made.{end}"]
    sent = f"{megabytes(result.bytes_sent)} of {megabytes(result.bytes_total)} sent"
    lines.append(
        f"Version {result.version} {result.state} on {result.target} "
        f"after {result.seconds:.1f} s, {sent}."
    )
    if result.endpoint:
        lines += _endpoint(result)
    return lines + _credentials(result)


def _endpoint(result: DeployResult) -> list[str]:
    """Return the address of a release, as the caller reaches it."""
    if not result.tunnel:
        return [f"Endpoint: {result.endpoint}"]
    return [
        f"Endpoint: {result.endpoint} on {result.target}, not reachable from other computers",
        f"Call it from here: studio call --target {result.target}, or forward it: {result.tunnel}",
        f"Serve the network: studio deploy ... --target {result.target} --expose network",
    ]


def _step(step: DeployStep) -> list[str]:
    command = [f"{'':22} $ {step.command}"] if step.command else []
    return [
        f"{step.state:<9} {step.name:<12} {step.text}",
        *(f"{file.bytes:>22,} B  {file.name}" for file in step.files or ()),
        *command,
    ]


def _credentials(result: DeployResult) -> list[str]:
    """Return the credentials for callers; never the token itself."""
    lines = []
    if result.fingerprint:
        lines.append(f"Certificate: SHA-256 {result.fingerprint}")
    if result.token_required:
        kept = f", stored in {result.token_kept}" if result.token_kept else ""
        lines.append(f"Requests need the token{kept}")
    return lines


def rollback(result: SwitchResult) -> list[str]:
    """Return the release after a rollback."""
    return [
        f"{result.target} serves version {result.to} again (was "
        f"{result.left_version}), after {result.seconds:.2f} s."
    ]


def promotion(result: SwitchResult) -> list[str]:
    """Return the release after a promotion."""
    return [f"{result.target} serves version {result.to} to all requests."]


def undeployment(result: UndeployResult) -> list[str]:
    """Return the outcome of an undeploy."""
    return [f"{result.target}: release stopped."]


def server(result: ServerResult) -> list[str]:
    """Return the state of the server, and its address."""
    if result.state == "stopped":
        return [f"{result.target} is stopped. Start it with: studio start --target {result.target}"]
    lines = [f"{result.target} is {result.state} version {result.version}."]
    return [*lines, f"Endpoint: {result.endpoint}"] if result.endpoint else lines


def log_lines(result: LogsResult) -> list[str]:
    """Return the log lines unchanged."""
    return list(result.lines) or ["The log is empty."]


def trust(result: TrustResult) -> list[str]:
    """Return the allowed signers of a target."""
    if not result.signers:
        return [f"{result.target} accepts unsigned releases."]
    names = ", ".join(result.signers)
    return [f"{result.target} accepts only releases signed by: {names}."]


def found_boards(result: FindResult) -> list[str]:
    """Return the boards as a table, and how one is added."""
    rows = [(one.name, one.url, one.text) for one in result.found]
    lines = table(("name", "address", ""), rows) if rows else ["No boards found."]
    lines += [f"{one.text} {one.hint}".strip() for one in result.problems]
    return [*lines, "Add one with: studio target add NAME ADDRESS"] if rows else lines


def status_table(result: StatusResult) -> list[str]:
    """Return the state of the targets as a table."""
    names = (
        "target",
        "state",
        "release",
        "endpoint",
        "free disk",
        "temperature",
        "allowed signers",
        "",
    )
    return table(names, list(map(_status_row, result.targets)))


def _status_row(one: TargetStatus) -> tuple[str, ...]:
    free, heat = one.condition.disk_free_mb, one.condition.temperature_c
    return (
        one.target,
        one.state,
        f"v{one.version} {one.name}" if one.version else "",
        one.endpoint,
        f"{free:,} MB" if free else "",
        f"{heat:.0f} °C" if heat is not None else "",
        _takes(one.signers),
        one.text,
    )


def _takes(signers: AllowedSigners | None) -> str:
    if signers is None:  # it did not answer, or its platform decides
        return ""
    names = ", ".join(one.name for one in signers.keys)
    return (names or "unknown (not readable)") if signers.file else "everybody"


def resources(result: ResourcesResult) -> list[str]:
    """Return what a platform holds for a target as a table."""
    rows = [
        (one.kind, one.name, "running" if one.running else "", one.since)
        for one in result.resources
    ]
    return table(("kind", "name", "", "since"), rows) if rows else ["No resources on this target."]
