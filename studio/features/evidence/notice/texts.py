"""Lines of a notice for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from studio.features.evidence.notice.results import NoticeResult
from studio.runtime.serve.about.document import NOT_STATED

_SHOWN = {
    "purpose": "What it is for",
    "not_allowed": "Not allowed",
    "limits": "Its limits",
    "provider": "Whom to ask",
    "feedback": "Problems",
    "appeal": "How a person can object",
    "oversight": "Oversight",
    "overrides": "Overrides",
    "personal_data": "Personal data",
    "retention": "Kept",
}


def lines(result: NoticeResult) -> list[str]:
    """Return the notice as text, with the questions that are open."""
    document: Mapping[str, Any] = result.notice
    served = document["serves"][0]
    packaged = "before packaging" if result.version is None else f"version {result.version}"
    found = [f"Notice for users of {result.title}, {packaged}."]
    found += [line for name, title in _SHOWN.items() for line in _section(title, served[name])]
    if result.open:
        found.append(f"Open questions: {', '.join(result.open)}.")
        found.append(f"Answer one: studio evidence answer {served['name']} {result.open[0]}")
    if result.output:
        found.append(f"{', '.join(result.files)} are in {result.output}.")
    return found


def _section(title: str, value: Any) -> Iterator[str]:
    if isinstance(value, list) and len(value) > 1:
        yield f"{title}:"
        yield from (f"  - {one}" for one in value)
        return
    text = "".join(value) if isinstance(value, list) else str(value)
    yield f"{title}: {text or NOT_STATED}"
