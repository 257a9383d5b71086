"""Names of execution providers as a user gives them."""

from __future__ import annotations

from studio.api import UsageError
from studio.runtime.backends.providers import check
from studio.runtime.shared.errors import LoadError


def refuse_unknown_providers(text: str) -> None:
    """Refuse a text that does not name providers.

    Raises:
        UsageError: with the known names.
    """
    try:
        check(text)
    except LoadError as error:
        raise UsageError(str(error)) from None
