"""Sentences for people about packaging and signing."""

from __future__ import annotations

from studio.documents.text_table import megabytes
from studio.packages.results import PackageResult, SignResult


def package(result: PackageResult) -> list[str]:
    """Return the bundle's place and size, and what its maker should know."""
    lines = [result.bundle, f"digest {result.digest}, {megabytes(result.bytes)}"]
    if result.embedding:
        lines.append(f"drift detection also uses {result.embedding}, which clients do not receive")
    lines += [*result.notes, *result.hints]
    lines += [f"{finding.level}: {finding.text}" for finding in result.findings or ()]
    if result.outputs_draft:
        lines.append(f"{result.outputs_draft} written: check it, then give it with --outputs.")
    if result.preprocess_draft:
        lines.append(
            f"{result.preprocess_draft} written: check color, scale, mean and std in it, then "
            "give it with --preprocess."
        )
    return lines


def sign(result: SignResult) -> list[str]:
    """Return the files that were written."""
    files = [path for path in (result.signature, result.openssf) if path]
    return [*files, f"digest {result.digest}"]
