"""What a plugin's source imports and reaches for, read from its syntax; nothing is run."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from studio.api import Finding, Level, Manifest, Permission
from studio.lazy_dataclass import dataclass

_PANEL = "panel"
_RUNNER = "runner"
_ELSEWHERE = frozenset({_RUNNER, "tool"})
"""Modules of a plugin with an environment that run in it, not here; so do those named after them
(``runner_table``), which they load from beside them."""

_QT = frozenset({"PySide6", "shiboken6", "PyQt5", "PyQt6", "PySide2"})
_UNKNOWN = "belongs to none of the plugin's requirements"
_QT_API = frozenset({"studio.api.qt", "studio.api.qt_platform", "studio.api.testing_panels"})

_SIGNS = {
    Permission.NETWORK: r"socket|ssl|urllib\.request|http\.client|ftplib|smtplib|requests|httpx"
    r"|aiohttp|paramiko|grpc|docker|kubernetes|boto3|botocore",
    Permission.PROCESSES: r"subprocess|multiprocessing|pty"
    r"|os\.(system|fork|exec\w*|spawn\w*|popen|posix_spawn\w*)",
    Permission.HOME: r"(pathlib\.)?Path\.home|os\.path\.expanduser",
    Permission.SECRETS: r"keyring|getpass\.getpass|netrc|secretstorage",
}
"""Names whose use hints at a permission. A hint is no proof, and its absence none either."""


@dataclass(frozen=True, slots=True)
class Use:
    """A name that a file imports or calls."""

    file: str
    line: int
    name: str


def check_imports(package: Path, manifest: Manifest) -> Iterator[Finding]:
    """Imports that a plugin may not have, and permissions that it seems to need."""
    calls: list[Use] = []
    modules = _InstalledModules()
    direct = modules.of(_names((*manifest.requires, *manifest.optional)))
    beyond = modules.of(_closure(_names(manifest.requires)))
    for file in sorted(package.rglob("*.py")):
        name = file.relative_to(package).as_posix()
        if name.startswith("tests/"):
            continue
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, OSError) as error:
            yield Finding(Level.ERROR, "syntax", f"{name} cannot be read as Python: {error}.")
            continue
        imports = list(_imports(tree, name))
        inside = manifest.environment is not None and file.stem.partition("_")[0] in _ELSEWHERE
        more = _locked(package, manifest, modules) if inside else frozenset()
        yield from _judge(imports, manifest, file.stem, direct | more, beyond)
        if not inside:
            calls += [*imports, *_calls(tree, name)]
    yield from _permissions(calls, manifest.permissions)


def _locked(package: Path, manifest: Manifest, modules: _InstalledModules) -> frozenset[str]:
    """Modules in the environment: those of its distributions, and those that it must have."""
    assert manifest.environment is not None
    named = {name.partition(".")[0] for name in manifest.environment.imports}
    try:
        text = (package / manifest.environment.requirements).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # which is a finding of its own
        return frozenset(named)
    pinned = _names(line for line in text.splitlines() if line[:1].isalnum())
    return modules.of(pinned) | named


def _judge(
    imports: Iterable[Use],
    manifest: Manifest,
    module: str,
    direct: frozenset[str],
    beyond: frozenset[str],
) -> Iterator[Finding]:
    for use in imports:
        sentence = _objection(use.name, manifest.id, module, direct)
        text = f"{use.file}, line {use.line}: {use.name} {sentence}."
        if sentence == _UNKNOWN and use.name.partition(".")[0] in beyond:
            text = text.replace(_UNKNOWN, "comes with a requirement, but is none itself")
            yield Finding(Level.WARNING, "import", text)
        elif sentence:
            yield Finding(Level.ERROR, "import", text)


def _objection(name: str, plugin: str, module: str, allowed: frozenset[str]) -> str:
    """Return why a module may not import a name; empty where it may."""
    top = name.partition(".")[0]
    in_panel = module == _PANEL
    if not top:  # relative: the plugin's own
        return "imports the panel, which needs Qt" if _PANEL in name.split(".")[1:3] else ""
    if module.partition("_")[0] == _RUNNER and top in ("studio", plugin):
        return "cannot be imported by a runner, which travels alone"
    if top == "studio":
        if _within(name, _QT_API):
            return "" if in_panel else "needs Qt, which only panel.py may import"
        return "" if _within(name, {"studio.api"}) else "is not public; a plugin has studio.api"
    if top in _QT:
        if top not in ("PySide6", "shiboken6"):
            return "is not the window's Qt, which is PySide6"
        return "" if in_panel else "may be imported by panel.py alone"
    if top == plugin:
        return "imports the panel, which needs Qt" if _panel(name, plugin) else ""
    if top in sys.stdlib_module_names or top in allowed:
        return ""
    return _UNKNOWN


def _within(name: str, places: Iterable[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def _panel(name: str, plugin: str) -> bool:
    return name == f"{plugin}.{_PANEL}" or name.startswith(f"{plugin}.{_PANEL}.")


def _names(requires: Iterable[str]) -> frozenset[str]:
    """Return the distributions that requirements name."""
    return frozenset(_normal(re.split(r"[^A-Za-z0-9._-]", text.strip())[0]) for text in requires)


def _closure(names: frozenset[str]) -> frozenset[str]:
    """Distributions with all that they require in turn, as far as they are installed."""
    from importlib import metadata

    found: set[str] = set()
    ahead = set(names)
    while ahead:
        found.add(name := ahead.pop())
        try:
            needs = [text for text in metadata.requires(name) or () if "extra ==" not in text]
        except metadata.PackageNotFoundError:
            continue
        ahead |= _names(needs) - found
    return frozenset(found)


class _InstalledModules:
    """The top-level modules of each distribution; all files of all of them are listed for it."""

    def __init__(self) -> None:
        from importlib import metadata

        self._owners = {
            module: frozenset(map(_normal, distributions))
            for module, distributions in metadata.packages_distributions().items()
        }

    def of(self, names: frozenset[str]) -> frozenset[str]:
        """Return the top-level modules of distributions, as far as these are installed."""
        # One that is not installed shows no modules: ``nats-py`` has ``nats``.
        found = {
            short.replace("-", "_") for name in names for short in (name, name.removesuffix("-py"))
        }
        found.update(module for module, owners in self._owners.items() if names & owners)
        return frozenset(found)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imports(tree: ast.AST, file: str) -> Iterator[Use]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Use(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                yield Use(file, node.lineno, f".{node.module or ''}.{alias.name}")
        elif isinstance(node, ast.ImportFrom) and node.module:
            deeper = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in deeper if name in _QT_API or name.endswith(f".{_PANEL}")]
            for name in modules or [node.module]:
                yield Use(file, node.lineno, name)


def _calls(tree: ast.AST, file: str) -> Iterator[Use]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if re.fullmatch(r"[\w.()'\"]+", name):
                yield Use(file, node.lineno, name)


def _permissions(uses: Iterable[Use], declared: frozenset[Permission]) -> Iterator[Finding]:
    uses = list(uses)
    for permission, pattern in _SIGNS.items():
        sign = re.compile(rf"({pattern})(\..*)?")
        first = next((use for use in uses if sign.fullmatch(use.name)), None)
        if first is not None and permission not in declared:
            where = f"{first.file}, line {first.line}: {first.name}"
            text = f"{where} seems to need the permission {permission.value!r}, which is not asked."
            yield Finding(Level.WARNING, "permission", text)
        elif first is None and permission in declared:
            text = f"The permission {permission.value!r} is asked for; its use is not to be seen."
            yield Finding(Level.INFO, "permission", text)
