"""The chains of exported decisions in an evidence folder."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator

from studio.api import InvalidData
from studio.deployment.decisions.export_file import CheckedExport
from studio.deployment.decisions.results import RecordFault
from studio.features.evidence.results import Alteration

_NAME = "/decisions.jsonl"


def read_export(name: str, content: bytes) -> CheckedExport:
    """Return an exported record, checked line by line.

    Raises:
        InvalidData: when it is no export.
    """
    return CheckedExport(name, io.BytesIO(content))


def place_of(fault: RecordFault) -> str:
    """Return where a chain is broken, when, and why."""
    at = f" ({fault.at})" if fault.at else ""
    return f"{fault.file}, line {fault.line}{at}: {fault.reason}"


def broken_chains(names: Iterable[str], read: Callable[[str], bytes]) -> Iterator[Alteration]:
    """Yield the exported records whose chain is broken, with the place.

    A list that was written again after a change agrees with the file; the chain does not.

    Args:
        read: Returns the bytes of a file of the folder, or raises InvalidData.
    """
    for name in names:
        if not name.endswith(_NAME):
            continue
        try:
            fault = read_export(name, read(name)).fault
        except InvalidData as error:
            yield Alteration(name, f"no record of decisions: {error.message}")
            continue
        if fault is not None:
            yield Alteration(name, f"a broken chain at {place_of(fault)}")
