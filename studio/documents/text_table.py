"""Tables and amounts as lines of text, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from studio.documents.plain import one_line


def table(head: Sequence[str], rows: Iterable[Sequence[object]], right: str = "") -> list[str]:
    """Aligned columns; ``right`` has an ``r`` at the position of each right-aligned one."""
    texts = [[one_line(str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(head), *texts]) for i in range(len(head))]
    lines = []
    for row in [list(head), *texts]:
        cells = [
            cell.rjust(width) if right[i : i + 1] == "r" else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def megabytes(size: float) -> str:
    """Return a number of bytes in the unit that people read it in."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def count(number: float) -> str:
    """Return a large number in thousands, millions or billions."""
    for unit in ("", " k", " M", " G"):
        if number < 1000:
            return f"{number:.4g}{unit}"
        number /= 1000
    return f"{number:.4g} T"


def counted(number: int, noun: str) -> str:
    """``1 thread``, ``2 threads``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
