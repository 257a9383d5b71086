"""A plan of one change, its digest, and the approval of a person."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import field, replace

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue, from_json, optional, to_json
from studio.lazy_dataclass import dataclass

AGENT, COMMAND = "agent", "command"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A request for a plan: a step with its options.

    Attributes:
        source: ``agent`` or ``command``.
    """

    step: str
    options: Mapping[str, JsonValue]
    source: str = COMMAND


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """A change that was planned, with all that it depends on.

    Attributes:
        seal: Digest of the step's resolved options, files, models, targets and tools.
        state: Digest of the recorded releases of its targets.
        live: Digest of the current release of each target that was read, by its name.
        targets: Names of the targets that it changes.
        lines: The plan for people, a line each.
        author: Who made it (``ann@desk``), for people: nothing is decided by it.
        uid: Number of the user who made it; None in a plan of an older studio.
        signature: SSH signature of its author; empty where no key is set.
        made, expires: Seconds since 1970.
        nonce: Random, so that the digest of a new plan is a new one.
        is_protected: Whether it changes the release of a protected target.
    """

    step: str
    options: Mapping[str, JsonValue]
    seal: str
    state: str
    live: Mapping[str, str]
    targets: tuple[str, ...]
    lines: tuple[str, ...]
    author: str
    source: str
    made: float
    expires: float
    nonce: str
    is_protected: bool = optional(False)
    uid: int | None = optional(None)
    signature: str = optional("")
    format: int = 1

    @property
    def needs_second(self) -> bool:
        """Whether only another person than its author may approve it."""
        return self.is_protected or bool(self.options.get("needs_approval"))

    @property
    def needs_other(self) -> bool:
        """Whether a named approver must be another person than its author."""
        return self.source == COMMAND or self.needs_second

    @property
    def statement(self) -> bytes:
        """The text that its author signs."""
        return replace(self, signature="").text.encode()

    @property
    def text(self) -> str:
        """The plan as canonical JSON, of which the digest is made."""
        return json.dumps(to_json(self), sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def read(cls, text: str) -> ChangePlan:
        """Return the plan of a text.

        Raises:
            ValueError: when the text is no plan.
        """
        return from_json(cls, json.loads(text))


@dataclass(frozen=True, slots=True)
class Approval:
    """The approval of one plan by a person.

    Attributes:
        by: Login name at a terminal, or name of the key in the file of approvers.
        expires: Seconds since 1970.
        signature: SSH signature of the statement; empty for an approval at a terminal.
        uid: Number of the user at the terminal; None where a key or a server names the approver.
    """

    digest: str
    by: str
    at: float
    expires: float
    signature: str = ""
    uid: int | None = optional(None)

    @property
    def statement(self) -> bytes:
        """The text that an approver signs."""
        return f"edgewright plan approval\n{self.digest}\n{self.expires:.0f}\n".encode()


@dataclass(frozen=True, slots=True)
class Rejection:
    """The decision of a person that a plan is not carried out.

    Attributes:
        at: Seconds since 1970.
    """

    digest: str
    rejected_by: str
    at: float


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A stored plan with its state.

    Attributes:
        state: ``waiting``, ``approved``, ``rejected``, ``expired``, ``running``, ``done`` or
            ``failed``.
        by: Who approved or rejected it; empty without either.
        outcome: What came of it, in a sentence; empty before its end.
        result: The result of the step, after success.
        is_foreign: Another studio of the shared registry made it, and carries it out.
    """

    digest: str
    plan: ChangePlan
    state: str
    by: str = ""
    outcome: str = ""
    result: Mapping[str, JsonValue] = field(default_factory=dict)
    is_foreign: bool = optional(False)


def checked_digest(text: str) -> str:
    """Return a digest as it was given, or refuse any other text.

    Raises:
        UsageError: when it is not 64 hexadecimal digits; such a text never becomes a file name.
    """
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise UsageError(
            "A digest of a plan has 64 hexadecimal digits.", hint="studio plan list shows them."
        )
    return text
