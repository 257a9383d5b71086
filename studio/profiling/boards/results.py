"""The result of a study over boards, as the window, the command line and pipelines read it."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass
from studio.profiling.results import ProfileResult

MEASURING = "measuring"
"""The state in a live message of a board whose turn has come; no result has it."""

MEASURED = "measured"
INCOMPLETE = "incomplete"
RESERVED = "reserved"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BoardFigure:
    """The median latency of a variant on a board.

    Attributes:
        id: Label of the variant, the same on all boards.
        p50_ms: In milliseconds; None where it was not measured.
        low, high: Its 95 % confidence interval; None where the rounds are too few.
        state, reason: As in the profile of the board.
    """

    id: str
    p50_ms: float | None = None
    low: float | None = None
    high: float | None = None
    state: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BoardVerdict:
    """A variant against the baseline on one board, at the level of the whole table.

    Attributes:
        a, b: Labels of the baseline and of the variant.
        ratio: Time of b over time of a; below 1, b is the faster one.
        low, high: Its interval at the confidence; None where the rounds are too few.
        verdict: ``faster``, ``slower``, ``equal`` or ``undecided``, with one risk for all verdicts
            of the table (Holm's procedure).
        alone: The verdict of the board's own profile, which is tested without the other boards.
    """

    a: str
    b: str
    ratio: float | None
    low: float | None
    high: float | None
    verdict: str
    margin: float
    confidence: float
    rounds: int
    alone: str


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One board of a study.

    Attributes:
        state: ``measured``, ``incomplete`` (cut short), ``reserved`` (another user measures on it)
            or ``failed``.
        reason: One sentence for the last three.
        chip: Its kind of board or its processor.
        kept: Whether its figures come from an earlier attempt at the same study.
        run: Number of its profile in the registry.
        profile: All that was measured; None where nothing was.
    """

    target: str
    state: str
    reason: str = ""
    arch: str = ""
    chip: str = ""
    kept: bool = False
    seconds: float = 0.0
    run: int | None = None
    figures: tuple[BoardFigure, ...] = ()
    verdicts: tuple[BoardVerdict, ...] = ()
    profile: ProfileResult | None = None


@dataclass(frozen=True, slots=True)
class OverallVerdict:
    """A variant against the baseline over all boards.

    Attributes:
        boards: Number of boards with a comparison.
        slower_on, faster_on: Boards where the verdict of the table is that one.
        ratio: Mean ratio of a random-effects model; None with fewer than two boards.
        low, high: Its interval at the confidence.
        spread: Standard deviation of the logarithm of the ratio between boards.
        heterogeneity: Share of the variance that lies between boards rather than within (I²).
        next_low, next_high: Where the ratio of another such board is expected; None with fewer
            than three boards.
        verdict: ``faster``, ``slower``, ``equal``, ``mixed`` or ``undecided``.
        text: One sentence.
    """

    a: str
    b: str
    boards: int
    slower_on: tuple[str, ...]
    faster_on: tuple[str, ...]
    ratio: float | None
    low: float | None
    high: float | None
    confidence: float
    margin: float
    spread: float | None
    heterogeneity: float | None
    next_low: float | None
    next_high: float | None
    verdict: str
    text: str


@dataclass(frozen=True, slots=True)
class StudyResult:
    """A study over boards.

    Attributes:
        study: Its name, by which it is resumed.
        complete: Whether every board was measured to the end.
        reference: Label of the baseline.
        method: How the verdicts were made, with the sources.
        run: Its number in the registry.
    """

    study: str
    complete: bool
    reference: str
    boards: tuple[StudyRow, ...]
    overall: tuple[OverallVerdict, ...]
    method: str
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    run: int | None = None
