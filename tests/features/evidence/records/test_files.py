"""Records without the folders of this computer."""

from __future__ import annotations

from studio.features.evidence.records.files import without_paths


def test_absolute_paths_become_names_at_any_depth() -> None:
    document = {"data": "/home/ann/acme/held out.npz", "rows": [{"file": "/a/b.json", "n": 1}]}
    assert without_paths(document) == {"data": "held out.npz", "rows": [{"file": "b.json", "n": 1}]}


def test_texts_that_are_no_paths_stay() -> None:
    texts = ["a/b", "p50 / p90", "/* note */\nof two lines", "", "local/sample"]
    assert without_paths(texts) == texts
