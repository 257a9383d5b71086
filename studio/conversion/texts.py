"""Messages of the step convert."""

from __future__ import annotations

from studio.conversion.results import ConversionCheck, ConversionResult
from studio.documents.text_table import counted

_DIFFERS = 3
_CARRIED = {"labels": "labels.txt", "preprocess": "preprocess.toml"}


def converted(result: ConversionResult) -> list[str]:
    """Say what was made, and how close it is to the original."""
    lines = [f"Converted in {result.seconds:.1f} s: {result.output}"]
    lines += [_check(check) for check in result.checks]
    for name, axes in result.dynamic.items():
        lines.append(f"dynamic   {name}: {', '.join(axes)}")
    if result.carried:
        lines.append(f"project   {' and '.join(map(_CARRIED.__getitem__, result.carried))}")
    lines += [f"written   {path}" for path in result.written]
    return lines + [f"warning   {text}" for text in result.warnings]


def _check(check: ConversionCheck) -> str:
    verdict = "equal to" if check.equal else "differs from"
    if check.limit is None:  # a metric on data says more
        verdict = "next to"
    argmax = ""
    if check.argmax_equal is not None:
        argmax = f", argmax equal in {check.argmax_equal:.1%}"
    return (
        f"{verdict} {check.against} on {counted(check.samples, 'sample')}: "
        f"largest relative error {check.max_error:.1e}{argmax}"
    )


def exit_code(result: ConversionResult) -> int:
    """Return the exit code: a model with other numbers than its original is a missed gate."""
    return 0 if result.equal else _DIFFERS
