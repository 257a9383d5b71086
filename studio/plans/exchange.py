"""Files with which a plan travels to an approver at another computer, and the approval back."""

from __future__ import annotations

import json
from pathlib import Path

from studio.api import InvalidData, StudioError
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.plans.record import Approval, ChangePlan
from studio.settings.files import write_atomically

_MOST_BYTES = 16 << 20
"""Size of a file that is read: a plan names each of thousands of targets."""

_PRIVATE = 0o600
_UNREADABLE = (ValueError, TypeError, KeyError, RecursionError, InvalidDocument)


def write_plan(path: Path, plan: ChangePlan) -> None:
    """Write a plan; the SHA-256 of the file is its digest.

    Raises:
        StudioError: when the file cannot be written.
    """
    _write(path, plan.text)


def read_plan(path: Path) -> ChangePlan:
    """Return the plan of a file.

    Raises:
        InvalidData: when the file is no plan, or cannot be read.
    """
    text = _text_of(path)
    try:
        return ChangePlan.read(text)
    except _UNREADABLE:
        raise InvalidData(f"{path} is not the file of a plan.") from None


def write_approval(path: Path, approval: Approval) -> None:
    """Write a signed approval.

    Raises:
        StudioError: when the file cannot be written.
    """
    _write(path, json.dumps(to_json(approval)))


def read_approval(path: Path) -> Approval:
    """Return the approval of a file; whether it counts is found later.

    Raises:
        InvalidData: when the file is no approval, or cannot be read.
    """
    text = _text_of(path)
    try:
        return from_json(Approval, json.loads(text))
    except _UNREADABLE:
        raise InvalidData(f"{path} is not the file of an approval.") from None


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode(), _PRIVATE)
    except OSError as error:
        raise StudioError(f"{path} cannot be written: {error.strerror}.") from None


def _text_of(path: Path) -> str:
    try:
        if not path.is_file():
            raise InvalidData(f"{path} does not exist, or is no file.")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InvalidData(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > _MOST_BYTES:
        raise InvalidData(f"{path} is too large for a plan.")
    return content.decode("utf-8", "replace")
