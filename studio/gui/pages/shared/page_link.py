"""A link to another page, which a feature adds to a page of the core."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link in the slot ``links of PAGE``.

    Attributes:
        stage: Identifier of the page that it leads to.
        tip: What the page shows.
    """

    stage: str
    text: str
    tip: str
