"""The result of ``studio plugins check``."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PluginFinding:
    """A rule that a plugin breaks, or a remark.

    Attributes:
        level: ``error`` or ``warning``.
    """

    level: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class CheckedPlugin:
    """A plugin as a list of plugins shows it.

    Attributes:
        state: ``available`` or ``broken``.
        reason: Why it is broken.
        capabilities: Extension points and ids.
    """

    id: str
    version: str
    state: str
    reason: str
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PluginCheckResult:
    """The findings about a plugin's folder."""

    id: str
    version: str
    ok: bool
    findings: tuple[PluginFinding, ...]
    plugins: tuple[CheckedPlugin, ...]

    @property
    def errors(self) -> int:
        """Number of findings that must be fixed."""
        return sum(one.level == "error" for one in self.findings)
