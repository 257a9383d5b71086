"""The page of the parts of apps is that of the code."""

from __future__ import annotations

import importlib.util

from tests.architecture.checkout import ROOT


def test_the_page_of_parts_is_made_from_the_code() -> None:
    path = ROOT / "packaging" / "app_reference.py"
    spec = importlib.util.spec_from_file_location("app_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "app-parts.md").read_text(encoding="utf-8")
    assert page == module.page(), "python packaging/app_reference.py > docs/app-parts.md"
