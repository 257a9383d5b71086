"""What a worker has to know of protected targets before it changes one."""

from __future__ import annotations

from typing import ClassVar

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True)
class ProtectionGuard:
    """The protected targets of a registry, for the worker of one step.

    Attributes:
        is_change: The step changes a release, and is not started from an approved plan.
        protected: Names of the step's targets that are protected.
        identities: Host keys and addresses of all protected targets.
        current: That of this worker; None in another process.
    """

    is_change: bool
    protected: tuple[str, ...]
    identities: tuple[str, ...]

    current: ClassVar[ProtectionGuard | None] = None
