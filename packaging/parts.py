"""The parts that the studio is made of: what the locks pin, and the licence of each."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RUN_TIME = ROOT / "requirements.lock"
DEVELOPMENT = ROOT / "requirements-dev.lock"
_RULES = ROOT / "packaging" / "licences.toml"

_HEAD = re.compile(
    r"^([a-z0-9][a-z0-9.\-]*)(?:\[[a-z,\-]+\])?==([^\s;\\]+)\s*(?:;\s*(.*?))?\s*\\?$"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"#\s*via\s+(.*)")


@dataclass
class Part:
    """One package of a lock.

    Attributes:
        marker: Where it is installed; empty for everywhere.
        hashes: SHA-256 of each file of it that may be installed.
        via: Names of the packages that need it.
    """

    name: str
    version: str
    marker: str = ""
    hashes: list[str] = field(default_factory=list)
    via: list[str] = field(default_factory=list)

    @property
    def purl(self) -> str:
        """The package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_lock(path: Path) -> list[Part]:
    """The parts of a lock, in its order."""
    parts: list[Part] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        head = _HEAD.match(line)
        if head:
            parts.append(Part(head.group(1), head.group(2), head.group(3) or ""))
        elif parts:
            parts[-1].hashes += _HASH.findall(line)
            for names in _VIA.findall(line):
                parts[-1].via += [name for name in re.split(r",\s*", names.strip()) if name]
    return parts


@cache
def rules() -> Mapping[str, Any]:
    """What ``licences.toml`` says."""
    return tomllib.loads(_RULES.read_text(encoding="utf-8"))


def licence_of(name: str) -> str:
    """The SPDX expression of a package that is installed, or that the rules name; else empty."""
    for table in ("exceptions", "spdx"):
        known = rules()[table].get(name)
        if known is not None:
            return str(known["licence"] if isinstance(known, dict) else known)
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    said = metadata.get("License-Expression") or metadata.get("License") or ""
    said = said.strip() if len(said) < 100 else ""
    return str(rules()["spellings"].get(said, said))


def problems(parts: list[Part]) -> Iterator[str]:
    """Parts whose licence is unknown, forbidden, or in no list, each as one sentence."""
    for part in parts:
        expression = licence_of(part.name)
        if not expression:
            if not part.marker:
                yield f"{part.name} {part.version}: nothing says its licence."
        elif reason := refusal(part.name, expression):
            yield f"{part.name} {part.version}: {reason}."


def refusal(name: str, expression: str) -> str:
    """Why a licence is not accepted; empty where it is."""
    from license_expression import ExpressionError

    licensing = _spdx()
    try:
        parsed = licensing.parse(expression, validate=True)
    except ExpressionError as error:
        return f"{expression!r} is no SPDX expression ({error})"
    exception = rules()["exceptions"].get(name)
    if exception is not None and not exception.get("reason"):
        return "its exception gives no reason"
    allowed = {*rules()["allowed"], *([exception["licence"]] if exception else [])}
    ids = {str(key) for key in licensing.license_keys(parsed)}
    if _holds(parsed, allowed):
        return ""
    barred = sorted(one for one in ids if one.startswith(tuple(rules()["forbidden"])))
    return f"{barred[0]} is forbidden" if barred else f"{expression} is not in the list"


def _holds(parsed: Any, allowed: set[str]) -> bool:
    """Whether an expression is fulfilled by allowed licences alone."""
    if not parsed.args:
        return str(parsed) in allowed
    each = [_holds(one, allowed) for one in parsed.args]
    return any(each) if parsed.operator.strip() == "OR" else all(each)


@cache
def _spdx() -> Any:
    """The known licences; reading them takes a second."""
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()
