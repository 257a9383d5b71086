"""Sentences about results of the deployment steps, for people."""

from __future__ import annotations

from studio.deployment.results import (
    DeployResult,
    DeployStep,
    LogsResult,
    ServerResult,
    SwitchResult,
    TrustResult,
    UndeployResult,
)
from studio.documents.text_table import megabytes


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
        lines.append(f"Endpoint: {result.endpoint}")
    return lines + _credentials(result)


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
        lines.append(f"Its certificate is SHA-256 {result.fingerprint}")
    if result.token_required:
        kept = f", which is kept in {result.token_kept}" if result.token_kept else ""
        lines.append(f"Requests need the token{kept}")
    return lines


def rollback(result: SwitchResult) -> list[str]:
    """Return the release after a rollback."""
    return [
        f"{result.target} serves version {result.to} again, "
        f"not {result.left_version}, after {result.seconds:.2f} s."
    ]


def promotion(result: SwitchResult) -> list[str]:
    """Return the release after a promotion."""
    return [f"{result.target} serves version {result.to} alone."]


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
    return list(result.lines) or ["Nothing was logged there yet."]


def trust(result: TrustResult) -> list[str]:
    """Return the allowed signers of a target."""
    if not result.signers:
        return [f"{result.target} accepts unsigned releases."]
    names = ", ".join(result.signers)
    return [f"{result.target} takes releases only that one of these has signed: {names}."]
