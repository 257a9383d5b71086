"""The numbers of a chip: compared with those of the given model, refused beyond the chip's limit.

The artefact of a refused model is dropped: it would compute something else on the device.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import Compiled, Feeds, Session
from studio.conversion.chips.catalogue import ChipSpec
from studio.conversion.chips.results import ChipNumbers, ChipResult, Verdict
from studio.conversion.comparison import write_request
from studio.documents.text_table import counted

_GOLDEN = 4
_LIST = "samples.json"


def gated(chip: ChipSpec, result: ChipResult, numbers: ChipNumbers) -> ChipResult:
    """Return the result with the numbers; refused where they are beyond the limit of the chip."""
    found = replace(result, numbers=numbers)
    if chip.gate is None or numbers.max_error <= chip.gate.max_error:
        return found
    argmax = ""
    if numbers.argmax_equal is not None:
        argmax = f", argmax equal in {numbers.argmax_equal:.1%}"
    error = f"{numbers.max_error:.1e}" if math.isfinite(numbers.max_error) else "not finite"
    return refused(
        chip,
        found,
        f"{chip.title} answers with other numbers, without an error: largest relative error "
        f"{error} on {counted(numbers.samples, 'sample')}{argmax}.",
    )


def refused(chip: ChipSpec, result: ChipResult, reason: str) -> ChipResult:
    """Return the refusal of a model whose numbers are wrong or missing."""
    remedy = f" {chip.gate.remedy}" if chip.gate else ""
    return replace(
        result, verdict=Verdict.REFUSED.value, reason=f"{reason}{remedy}", artefact="", bytes=0
    )


def write_golden(
    compiled: Compiled, chip: ChipSpec, session: Session, feeds: Sequence[Feeds]
) -> None:
    """Write the first samples and the outputs of the given model into the artefact."""
    folder = compiled.samples
    if folder is None:
        return
    folder.mkdir()
    chosen = feeds[:_GOLDEN]
    for at, feed in enumerate(chosen):
        outputs = session.run(feed)
        expected = {str(one): outputs[name] for one, name in enumerate(session.output_names)}
        write_request(folder / f"{at}.npz", feed)
        write_request(folder / f"{at}.expected.npz", expected)
    about: dict[str, float] = {"samples": len(chosen)}
    if chip.gate:
        about["max_error"] = chip.gate.max_error
    (folder / _LIST).write_text(json.dumps(about), encoding="utf-8")


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    parts = path.rglob("*") if path.is_dir() else (path,)
    return sum(one.stat().st_size for one in parts if one.is_file())
