"""An address as a QR code in SVG."""

from __future__ import annotations

from urllib.parse import urlsplit

from studio.api import UsageError

MOST_ADDRESS = 500
_QUIET = 4
"""Modules of white around the code, which readers need (ISO/IEC 18004)."""
_HINT = "Write the address of the page, such as https://camera-7.example/about."


def check_address(address: str) -> str:
    """Return an address of a page that may be on a sign.

    Raises:
        UsageError: when it is no web address, is too long, or has a login.
    """
    is_plain = address.isascii() and address.isprintable() and " " not in address
    if not is_plain or len(address) > MOST_ADDRESS:
        text = f"The address must be printable ASCII of up to {MOST_ADDRESS} characters."
        raise UsageError(text, hint=_HINT)
    try:
        parts = urlsplit(address)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        known = False
    if not known:
        raise UsageError("The address must begin with https:// or http://.", hint=_HINT)
    if parts.username is not None or parts.password is not None:
        raise UsageError("The address has a login, which everyone could read.", hint=_HINT)
    return address


def qr_svg(address: str) -> str:
    """Return an address as an SVG picture, dark on white, with 15 % of error correction."""
    from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel

    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(address)
    code.make()
    size = code.getModuleCount() + 2 * _QUIET
    marks = "".join(
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z"
        for y, row in enumerate(code.modules)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size * 8}" '
        f'height="{size * 8}" shape-rendering="crispEdges"><rect width="{size}" height="{size}" '
        f'fill="#fff"/><path d="{marks}" fill="#000"/></svg>\n'
    )
