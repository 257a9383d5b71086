"""The notebooks of examples/, executed by a real kernel of Jupyter in a fresh home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
_CELL_S = 600


def outputs(notebook: Any, kind: str) -> list[str]:
    """What the cells show, in one media type."""
    return [
        output["data"][kind]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if kind in output.get("data", ())
    ]


def printed(notebook: Any) -> str:
    """The text that the cells print."""
    streams = (out for cell in notebook.cells for out in cell.get("outputs", ()) if "text" in out)
    return "".join(out["text"] for out in streams)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_is_stored_without_outputs(path: Path) -> None:
    import nbformat  # a second of work, which each process that collects the tests would do

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client.*")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:zmq.*")
@pytest.mark.long
def test_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    for variable, folder in (("EDGEWRIGHT_HOME", "home"), ("HOME", "user"), ("IPYTHONDIR", "py")):
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / folder))
    notebook = nbformat.read(ROOT / "examples" / "digits.ipynb", as_version=4)
    client = NotebookClient(
        notebook,
        timeout=_CELL_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()  # raises at the first cell that fails
    tables = outputs(notebook, "text/html")
    assert sum("<table>" in text for text in tables) >= 9
    assert any("digits:int8" in text and "ratio" in text for text in tables)
    assert len(outputs(notebook, "image/png")) == 5
    assert "Quantize digits fp32: succeeded" in printed(notebook), "the progress line"
    assert "Traceback" not in printed(notebook)
