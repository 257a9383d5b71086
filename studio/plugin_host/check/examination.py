"""All checks of one plugin's folder, a finding for each thing that is wrong."""

from __future__ import annotations

from pathlib import Path

from studio.api import Finding, Level, Manifest
from studio.plugin_host.check.conformance import check_capabilities
from studio.plugin_host.check.imports import check_imports
from studio.plugin_host.check.layout import check_layout, package_of
from studio.plugin_host.check.results import CheckedPlugin, PluginCheckResult, PluginFinding
from studio.plugin_host.manifest import FILE_NAME, ManifestError, read_manifest, supported
from studio.plugin_host.requirements import missing


def examine(folder: Path, scratch: Path) -> PluginCheckResult:
    """Examine a plugin; its code is imported and run, so this belongs into a worker.

    Args:
        scratch: An empty folder that may be written to.

    Raises:
        UsageError: when the folder holds no plugin.
    """
    package = package_of(folder)
    try:
        manifest = read_manifest(package / FILE_NAME)
    except ManifestError as error:
        return _result(package.name, None, [Finding(Level.ERROR, "manifest", str(error))])
    findings = list(_static(folder, package, manifest))
    if not any(finding.code in ("api", "requirement", "factory") for finding in findings):
        findings += check_capabilities(package, manifest, scratch)
    return _result(manifest.id, manifest, findings)


def _static(folder: Path, package: Path, manifest: Manifest) -> list[Finding]:
    found = [*check_layout(folder, package, manifest), *check_imports(package, manifest)]
    found += [Finding(Level.WARNING, "no-effect", text) for text in manifest.notes]
    if not supported(manifest):
        text = f"It was written for version {manifest.api} of the plugin API."
        found.append(Finding(Level.ERROR, "api", text))
    try:
        lacking = missing(manifest.requires)
    except ValueError as error:
        return [*found, Finding(Level.ERROR, "requirement", f"requires is wrong: {error}.")]
    for text in lacking:
        sentence = f"{text} is not installed here; nothing of the plugin was run."
        found.append(Finding(Level.ERROR, "requirement", sentence))
    return found


def _result(name: str, manifest: Manifest | None, findings: list[Finding]) -> PluginCheckResult:
    problems = [finding.text for finding in findings if finding.level is Level.ERROR]
    version = manifest.version if manifest else ""
    capabilities = manifest.capabilities if manifest else ()
    listed = CheckedPlugin(
        name,
        version,
        "broken" if problems else "available",
        problems[0] if problems else "",
        tuple(f"{one.extension.value}/{one.id}" for one in capabilities),
    )
    rows = tuple(PluginFinding(one.level.value, one.code, one.text) for one in findings)
    return PluginCheckResult(name, version, not problems, rows, (listed,))
