"""All checks of one plugin's folder, a finding for each thing that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from studio.api import Finding, Level, Manifest, UsageError
from studio.documents.toml_text import loads
from studio.plugin_host.check.conformance import check_capabilities
from studio.plugin_host.check.imports import check_imports
from studio.plugin_host.check.results import CheckedPlugin, PluginCheckResult, PluginFinding
from studio.plugin_host.digest import content_digest
from studio.plugin_host.discovery import GROUP
from studio.plugin_host.environments.declaration import lock_problem
from studio.plugin_host.manifest import FILE_NAME, ManifestError, read_manifest, supported
from studio.plugin_host.requirements import missing


def package_of(folder: Path) -> Path:
    """Return the folder with the ``plugin.toml``: this one, or the only one inside or in ``src``.

    Raises:
        UsageError: when no folder has one, or several do.
    """
    if (folder / FILE_NAME).is_file():
        return folder
    found = sorted(
        path.parent for pattern in ("*", "src/*") for path in folder.glob(f"{pattern}/{FILE_NAME}")
    )
    if len(found) == 1:
        return found[0]
    problem = "has more than one" if found else "has no"
    raise UsageError(f"{folder} {problem} {FILE_NAME}.", hint="Name the folder of one plugin.")


def check_layout(folder: Path, package: Path, manifest: Manifest) -> Iterator[Finding]:
    """Yield the errors in the names and files of a plugin."""
    if package.name != manifest.id:
        text = f"The folder is named {package.name}, but the plugin {manifest.id}."
        yield Finding(Level.ERROR, "name", text)
    if not (package / "__init__.py").is_file():
        yield Finding(Level.ERROR, "package", f"{package.name} has no __init__.py.")
    for capability in manifest.capabilities:
        module = capability.factory.partition(":")[0]
        if module != manifest.id and not module.startswith(f"{manifest.id}."):
            text = f"The factory {capability.factory} lies outside the package {manifest.id}."
            yield Finding(Level.ERROR, "factory", text)
    if manifest.environment is not None:
        yield from _check_lock(package / manifest.environment.requirements)
    if not manifest.capabilities:
        yield Finding(Level.ERROR, "capabilities", "The manifest offers nothing.")
    try:
        content_digest(package)
    except ManifestError as error:
        yield Finding(Level.ERROR, "files", str(error))
    project = folder / "pyproject.toml"
    if project.is_file() and folder != package:
        yield from _check_project(project, manifest)


def _check_lock(file: Path) -> Iterator[Finding]:
    try:
        problem = lock_problem(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problem = f"it cannot be read: {error}"
    if problem:
        yield Finding(Level.ERROR, "environment", f"{file.name} is no lock: {problem}.")


def _check_project(file: Path, manifest: Manifest) -> Iterator[Finding]:
    try:
        project = loads(file.read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError) as error:
        yield Finding(Level.ERROR, "project", f"pyproject.toml cannot be used: {error}.")
        return
    entries = project.get("entry-points", {}).get(GROUP, {})
    if manifest.id not in entries.values():
        text = f'pyproject.toml has no entry point for {manifest.id} in the group "{GROUP}".'
        yield Finding(Level.ERROR, "entry-point", text)
    version = project.get("version")
    if version is not None and version != manifest.version:
        text = f"pyproject.toml says version {version}, plugin.toml {manifest.version}."
        yield Finding(Level.WARNING, "version", text)
    lacking = sorted(set(manifest.requires) - set(project.get("dependencies", [])))
    if lacking:
        text = f"{lacking[0]} is required by plugin.toml, but no dependency in pyproject.toml."
        yield Finding(Level.WARNING, "requires", text)


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
