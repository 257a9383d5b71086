"""An explanation as a page: the drawing, and a table for each sample."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from studio.documents.html import Html, page, paragraph, section, table
from studio.documents.palette import DIM, LINE, TEXT
from studio.features.evidence.explanations.results import ExplainResult, SampleExplanation
from studio.features.evidence.explanations.texts import METHODS, adding_up

_STYLE = f"""
body {{ font: 14px/1.5 sans-serif; color: {TEXT}; margin: 2rem; }}
main {{ max-width: 72rem; margin: auto; }}
img {{ max-width: 100%; }}
table {{ border-collapse: collapse; margin: 0.5rem 0; }}
th, td {{ padding: 0.2rem 0.7rem; border-bottom: 1px solid {LINE}; text-align: left; }}
.n {{ text-align: right; }}
.dim {{ color: {DIM}; }}
"""


def report(result: ExplainResult, drawing: bytes) -> str:
    """Return the page; it loads nothing and runs nothing.

    Args:
        drawing: A PNG picture.
    """
    return page(f"Explanation of {result.model}", _STYLE, _body(result, drawing))


def _body(result: ExplainResult, drawing: bytes) -> Iterator[str]:
    yield Html("<h1>") + Html(f"Explanation of {_safe(result.model)}") + Html("</h1>")
    data = base64.b64encode(drawing).decode()
    yield Html(f'<img alt="Maps of the explained samples" src="data:image/png;base64,{data}">')
    yield paragraph("Red raises the score, blue lowers the score.", "dim")
    for sample in result.samples:
        title = f"{sample.name}: {sample.label}"
        yield section(title, table(("", ""), _facts(sample)), *_features(sample))
    rows = [
        ("Model", result.model),
        ("Digest of the model", result.digest),
        ("Digest of the data", result.data_digest),
        ("Runtime", f"{result.backend.title} on {result.target}"),
        ("Seed", result.seed),
        ("Reference", result.reference),
        ("Evaluations", f"{result.evaluations:,}"),
    ]
    yield section("Origin", table(("", ""), rows))


def _facts(sample: SampleExplanation) -> list[tuple[object, object]]:
    rows: list[tuple[object, object]] = [
        ("Method", METHODS[sample.method]),
        ("Score", f"{sample.score:.4g}"),
        ("Score of the reference", f"{sample.reference_score:.4g}"),
        ("Evaluations", f"{sample.evaluations:,}"),
    ]
    if sample.curves is not None:
        rows.append(("Area below the deletion curve", f"{sample.curves.deletion:.3f}"))
        rows.append(("Area below the insertion curve", f"{sample.curves.insertion:.3f}"))
    if sample.stability is not None:
        rows.append(("Stability", f"{sample.stability:.2f}"))
    if sample.completeness is not None:
        rows.append(("Completeness", adding_up(sample.completeness)))
    if sample.counterfactual is not None:
        other = sample.counterfactual
        rows.append(("Most similar sample of another class", f"{other.name}: {other.label}"))
    for one in sample.against:
        agreement = f"rank correlation {one.rank_correlation:.2f}, same top {one.top_overlap:.2f}"
        rows.append((one.model, agreement))
    if sample.sanity is not None:
        word = "passed" if sample.sanity.passed else "failed"
        rows.append(("Shuffled weights", f"{word}, rank correlation {sample.sanity.mean:.2f}"))
    return rows


def _features(sample: SampleExplanation) -> Iterator[str]:
    if sample.features:
        rows = sorted(sample.features, key=lambda one: -abs(one.share))
        cells = [(one.name, f"{one.value:.4g}", f"{one.share:+.4f}") for one in rows]
        yield table(("Feature", "Value", "Share"), cells, " nn")


def _safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
