"""Names of execution providers and of parts of the runtime, as a user gives them."""

from __future__ import annotations

from studio.api import UsageError
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.runtime.backends.providers import check
from studio.runtime.parts import PARTS
from studio.runtime.shared.errors import LoadError


@dataclass(frozen=True, kw_only=True)
class PartsOptions:
    """The parts of the runtime on a machine; a rollout sends those of the bundle."""

    parts: str | None = option(
        None,
        title="Runtime parts",
        placeholder="those of the bundle",
        help="Further parts of the runtime for the target, such as grpc,otlp (default: those of "
        "the bundle alone). A running release gets them at its next start.",
        advanced=True,
    )


def refuse_unknown_providers(text: str) -> None:
    """Refuse a text that does not name providers.

    Raises:
        UsageError: with the known names.
    """
    try:
        check(text)
    except LoadError as error:
        raise UsageError(str(error)) from None


def named_parts(text: str | None) -> frozenset[str]:
    """Return the parts of a comma-separated list; none for no text.

    Raises:
        UsageError: with the known names.
    """
    found = frozenset(name.strip() for name in (text or "").split(",")) - {""}
    for name in sorted(found - frozenset(PARTS)):
        raise UsageError(
            f"The runtime has no part {name[:40]!r}.", hint=f"Its parts: {', '.join(PARTS)}."
        )
    return found
