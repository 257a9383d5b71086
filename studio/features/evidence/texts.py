"""Lines of the steps of evidence, for people."""

from __future__ import annotations

from studio.documents.text_table import table
from studio.features.evidence.results import (
    ASKED,
    MISSING,
    NOT_POSSIBLE,
    PRESENT,
    EvidenceResult,
    VerifyResult,
)

_REFUSED = 4
_MOST_ROWS = 40


def written(result: EvidenceResult) -> list[str]:
    """Return the lines of a written folder."""
    counts = ", ".join(f"{result.count(state)} {state}" for state in (PRESENT, ASKED, MISSING))
    rows = [(one.state, one.title, one.note) for one in result.sections if one.state != ASKED]
    return [
        f"Evidence about {result.subject.title} is in {result.output}.",
        *table(("state", "section", ""), rows),
        f"Sections: {counts}. Figures: {result.figures}.",
        f"List of {len(result.files)} files: SHA-256 {result.digest}"
        + (", signed." if result.signed else ", not signed (--sign KEY)."),
        *result.notes,
        f"Open questions: studio evidence ask {result.subject.model}",
        f"Verify: studio evidence verify {result.output}",
    ]


def verified(result: VerifyResult) -> list[str]:
    """Return the lines of a verification."""
    about = f"about {result.subject.title}" if result.subject.digest else f"in {result.folder}"
    lines = [f"Evidence {about}, {len(result.figures)} figures."]
    lines += [f"Altered: {one.path} ({one.what})" for one in result.altered[:_MOST_ROWS]]
    for one in result.differing[:_MOST_ROWS]:
        found = "nothing" if one.found is None else f"{one.found:.10g}"
        why = f": {one.why}" if one.why else ""
        lines.append(f"Differs: {one.id} is {one.value:.10g}, computed {found}{why}")
    impossible = [one for one in result.figures if one.state == NOT_POSSIBLE]
    lines += [f"Not computed: {one.id} ({one.why})" for one in impossible[:_MOST_ROWS]]
    lines.append(_signature(result))
    if result.run_again:
        lines.append(f"{result.run_again} figures come from measurements that were made again.")
    lines += result.notes
    lines.append(
        f"{result.recomputed} of {len(result.figures)} figures computed again with equal values; "
        + ("nothing was altered." if result.holds else "the evidence does not hold.")
    )
    return lines


def exit_code(result: VerifyResult) -> int:
    """Return the code of a refusal where something was altered or a figure differs."""
    return 0 if result.holds else _REFUSED


def _signature(result: VerifyResult) -> str:
    if result.signature == "valid":
        return f"Signed by {result.signer} ({result.key})."
    if result.signature == "unnamed":
        return (
            f"The signature fits. It is by a key that you have not named: {result.key}. "
            "To name the keys that you trust: --signers FILE"
        )
    return "Not signed." if result.signature == "none" else "The signature is not valid."
