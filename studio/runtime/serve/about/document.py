"""The notice of a server as plain data: what it serves, its limits, whom to ask, what is kept."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ...shared.user_notice import GroupNotice, UserNotice

NOT_STATED = "Not stated by the provider."
MOST_MODELS = 50

_AI = "An AI system makes the answers here. They can be wrong."
_OVERRIDE = (
    "The operator can replace a decision of this app. This is recorded with the reason and the "
    "name that the operator gives."
)


class AppNotice(NamedTuple):
    """The app of a release, as its notice shows it.

    Attributes:
        title: For people; empty: its name.
        notice: A sentence of the provider on each page of the app.
    """

    name: str
    title: str = ""
    notice: str = ""


class ServedNotice(NamedTuple):
    """One served release with its notice.

    Attributes:
        version: Its number; empty before it was packaged.
        release: The first characters of its digest.
        bands: Ends of the probabilities that are left to a person, each with the model's name.
    """

    name: str
    version: str
    release: str
    notice: UserNotice
    app: Optional[AppNotice] = None
    bands: Tuple[Tuple[str, float, float], ...] = ()


class KeptData(NamedTuple):
    """Content that the server keeps now.

    Attributes:
        samples: Most requests that are stored for labelling; 0 for none.
        decisions_days: Days for which answers are recorded; 0 where they are not.
        events_days: Days for which delivered events of an app are kept; None without an app.
        events_to: Types of the sinks that events go to.
        log_rate: Lines of the log about requests, at most, each second; 0 for none.
    """

    samples: int = 0
    decisions_days: int = 0
    events_days: Optional[float] = None
    events_to: Tuple[str, ...] = ()
    log_rate: float = 0.0


def about(served: Sequence[ServedNotice], kept: KeptData) -> Dict[str, Any]:
    """Return the document of a server."""
    return {
        "ai": True,
        "statement": _AI,
        "serves": [_served(one) for one in served[:MOST_MODELS]],
        "recorded": recorded(kept),
    }


def _served(one: ServedNotice) -> Dict[str, Any]:
    notice, app = one.notice, one.app
    title = one.name if app is None else app.title or app.name
    return {
        "title": title,
        "name": one.name,
        "version": one.version,
        "release": one.release,
        "app": None if app is None else app.name,
        "notice": "" if app is None else app.notice,
        "purpose": notice.purpose,
        "not_allowed": notice.misuse,
        "limits": limits(one),
        "provider": notice.provider,
        "feedback": notice.feedback,
        "oversight": notice.oversight,
        "appeal": notice.appeal,
        "overrides": _OVERRIDE if app is not None else "",
        "personal_data": notice.personal,
        "retention": notice.retention,
        "worst_group": None if notice.worst is None else dict(notice.worst._asdict()),
    }


def limits(one: ServedNotice) -> List[str]:
    """Return the known limits of a release, a sentence or paragraph each."""
    notice = one.notice
    found = [notice.limits] if notice.limits else []
    found += notice.known_limits
    if notice.worst is not None:
        found.append(_worst(notice.worst))
    for name, low, high in one.bands:
        text = "A probability of {} between {:g} and {:g} is left to a person."
        found.append(text.format(name, low, high))
    return found


def _worst(worst: GroupNotice) -> str:
    text = "Lowest measured quality of a group: {} {:.3g} for {}: {} ({:,} samples)".format(
        worst.title, worst.value, worst.column, worst.group, worst.samples
    )
    if worst.low is not None and worst.high is not None:
        text += ", 95 % interval {:.3g} to {:.3g}".format(worst.low, worst.high)
    return text + "; {:.3g} for all samples.".format(worst.overall)


def recorded(kept: KeptData) -> List[str]:
    """Return what the server keeps about its users, a sentence each."""
    found = []
    if kept.samples:
        found.append("Up to {:,} requests are stored, to be labelled.".format(kept.samples))
    if kept.decisions_days:
        found.append("Answers are recorded for {:,} days.".format(kept.decisions_days))
    if kept.events_days is not None:
        text = "Events of the app are kept until they are delivered, and for {:g} days after."
        found.append(text.format(kept.events_days))
    if kept.events_to:
        found.append("Events of the app also go to: {}.".format(", ".join(kept.events_to)))
    if not found:
        found.append("No request and no answer is stored.")
    if kept.log_rate:
        found.append(
            "The log has a line about some requests, at most {:g} a second: time, address of the "
            "client, path, size and error. It has no inputs and no answers.".format(kept.log_rate)
        )
    return found
