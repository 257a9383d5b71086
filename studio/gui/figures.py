"""Figures as the window writes them: sizes, times, ratios, differences, ages."""

from __future__ import annotations

from datetime import UTC, datetime

NOTHING = "—"
NARROW = 0.02
MINUS = "−"  # a true minus sign, as wide as the digits


def number(value: object) -> float | None:
    """Return the value as a float, None where it is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    result = float(value)
    return result if result - result == 0 else None


def size(value: object) -> str:
    """Bytes in decimal units: ``16.5 MB``."""
    amount = number(value)
    if amount is None:
        return NOTHING
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return NOTHING


def megabytes(value: object) -> str:
    """Return a number of megabytes, as gigabytes from 1000 on."""
    amount = number(value)
    if amount is None:
        return NOTHING
    return f"{amount:.0f} MB" if amount < 1000 else f"{amount / 1000:.1f} GB"


def milliseconds(value: object) -> str:
    """Milliseconds with three figures that mean something, without the unit."""
    amount = number(value)
    if amount is None:
        return NOTHING
    for least, decimals in ((100, 0), (10, 1), (1, 2)):
        if abs(amount) >= least:
            return f"{amount:.{decimals}f}"
    return f"{amount:.3f}"


def seconds(value: object) -> str:
    """Return a duration: ``0.42 s``, ``12 s``, ``1 min 10 s``, ``6 days``."""
    amount = number(value)
    if amount is None:
        return NOTHING
    if amount < 10:
        return f"{amount:.2g} s" if amount < 1 else f"{amount:.1f} s"
    whole = round(amount)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    if whole < 2 * 86400:
        return f"{whole // 3600} h"
    return f"{whole // 86400} days"


def ratio(value: object, decimals: int = 2) -> str:
    """Return a ratio: ``0.64``."""
    amount = number(value)
    return NOTHING if amount is None else f"{amount:.{decimals}f}"


def ratio_with_interval(value: object, low: object, high: object) -> str:
    """Return a ratio with its interval: ``0.64 [0.63–0.65]``; a narrow one with more decimals."""
    a, b = number(low), number(high)
    if a is None or b is None:
        return ratio(value)
    decimals = 3 if b - a < NARROW else 2
    return f"{ratio(value, decimals)} [{a:.{decimals}f}–{b:.{decimals}f}]"


def rate(value: object) -> str:
    """Requests a second: ``31.0``; 100 and more without a decimal."""
    amount = number(value)
    if amount is None:
        return NOTHING
    return f"{amount:.0f}" if amount >= 100 or amount == 0 else f"{amount:.1f}"


def whole(value: object) -> str:
    """Return a count with a thin gap between thousands."""
    amount = number(value)
    return NOTHING if amount is None else f"{amount:,.0f}".replace(",", "\u2009")


def error(value: object) -> str:
    """Return an error as its order: ``4e-3``; 0 is ``0``."""
    amount = number(value)
    if amount is None:
        return NOTHING
    if amount == 0:
        return "0"
    mantissa, exponent = f"{amount:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def signed(value: float, decimals: int, unit: str = "") -> str:
    """Return a difference with its sign: ``−0.5 pt``; one that rounds to nothing has none."""
    shown = round(value, decimals)
    sign = "+" if shown > 0 else MINUS if shown < 0 else "±"
    return f"{sign}{abs(shown):.{decimals}f}{f' {unit}' if unit else ''}"


def metric_value(value: object) -> str:
    """Return a metric: ``98.1 %``. A score between 0 and 1 is a share and shown in per cent."""
    amount = number(value)
    if amount is None:
        return NOTHING
    return f"{100 * amount:.1f} %" if 0 <= amount <= 1 else f"{amount:.3g}"


def metric_change(first: object, last: object) -> str:
    """Return a metric before and after, with the difference: ``98.1 → 97.8 % (−0.3 pt)``.

    Scores between 0 and 1 are shares and shown in per cent.
    """
    before, after = number(first), number(last)
    if before is None or after is None:
        return NOTHING
    if 0 <= before <= 1 and 0 <= after <= 1:
        difference = signed(100 * (after - before), 1, "pt")
        return f"{100 * before:.1f} → {100 * after:.1f} % ({difference})"
    return f"{before:.3g} → {after:.3g} ({signed(after - before, 3)})"


def moment(value: object) -> str:
    """Return a time stamp (ISO 8601, or seconds since 1970) in local time: ``18 Nov 14:02``."""
    point = _point(value)
    return NOTHING if point is None else point.astimezone().strftime("%d %b %H:%M").lstrip("0")


def age(value: object, now: datetime | None = None) -> str:
    """Return how long ago a time stamp was: ``10 min``."""
    point = _point(value)
    if point is None:
        return NOTHING
    passed = ((now or datetime.now(UTC)) - point).total_seconds()
    return "just now" if passed < 10 else seconds(passed)


def count(amount: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 variant``, ``3 variants``."""
    return f"{amount} {singular if amount == 1 else plural or singular + 's'}"


def _point(value: object) -> datetime | None:
    seconds_since = number(value)
    if seconds_since is not None:
        return datetime.fromtimestamp(seconds_since, UTC)
    try:
        point = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return point if point.tzinfo else point.replace(tzinfo=UTC)
