"""The table ``[environment]`` of a manifest, and the lock that it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api.toolchains import EnvironmentNeed
from studio.plugin_host.environments.npm_packages import read_packages

_KEYS = frozenset({"requirements", "python", "imports", "megabytes", "licences", "terms", "npm"})
_MOST_MEGABYTES = 1 << 20
_MODULE = re.compile(r"[A-Za-z_][\w.]*")


def read_need(table: Mapping[str, Any]) -> EnvironmentNeed:
    """Read and check the table.

    Raises:
        KeyError, ValueError: naming the key at fault.
    """
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise ValueError(f"environment has an unknown key {unknown[0]!r}")
    name = str(table["requirements"])
    if Path(name).name != name:
        raise ValueError("the requirements of the environment are a file beside plugin.toml")
    imports = table.get("imports", [])
    if not all(isinstance(one, str) and _MODULE.fullmatch(one) for one in imports):
        raise ValueError("imports of the environment must be a list of modules")
    return EnvironmentNeed(
        requirements=name,
        python=_specifier(str(table.get("python", ">=3.8"))),
        imports=tuple(imports),
        megabytes=_megabytes(table.get("megabytes", 0)),
        licences=str(table.get("licences", "")),
        terms=str(table.get("terms", "")),
        npm=read_packages(table.get("npm", [])),
    )


def _megabytes(value: object) -> int:
    if not isinstance(value, int | float) or not 0 <= value < _MOST_MEGABYTES:
        raise ValueError(f"megabytes of the environment is no number of them: {value!r}")
    return int(value)


def _specifier(text: str) -> str:
    if not re.fullmatch(r"\s*[<>=!~]=?\s*[\d.*]+(\s*,\s*[<>=!~]=?\s*[\d.*]+)*\s*", text):
        raise ValueError(f"python of the environment is no range of versions: {text!r}")
    return text


def lock_problem(text: str) -> str:
    """Return the error in a file of requirements; empty when it names, pins and hashes all.

    A lock that names a host, or a file somewhere, would decide where things come from; that is
    the user's business.
    """
    lines = text.replace("\\\n", " ").splitlines()
    wanted = [line.partition("#")[0].strip() for line in lines]
    for line in filter(None, wanted):
        if "://" in line or line.startswith("-"):
            return f"the line {line[:60]!r} is no pinned requirement"
        if not re.match(r"[A-Za-z0-9][\w.-]*(\[[\w,-]+\])?==\S+", line):
            return f"{line.split()[0]!r} is not pinned with =="
        if "--hash=sha256:" not in line:
            return f"{line.split()[0]!r} has no hash"
    return "" if any(wanted) else "nothing is required"
