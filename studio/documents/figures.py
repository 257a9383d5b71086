"""Figures by matplotlib in a light theme, without a window and without the state of pyplot.

Importing this module loads matplotlib.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

from matplotlib import get_data_path, rc_context
from matplotlib.axes import Axes as Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Figure
from matplotlib.typing import RcKeyType

from studio.documents.palette import DIM, LINE, SURFACE, TEXT

FORMATS = ("png", "pdf", "svg")

_WIDTH = 6.5
"""Inches: the width of a text column on A4 and on Letter paper."""
_DOTS_PER_INCH = 300
_DOTS_IN_NOTEBOOK = 110
_SETTINGS: dict[RcKeyType, object] = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "pdf.fonttype": 42,  # whole fonts, as publishers ask for
    "svg.fonttype": "none",  # text stays text: it can be searched, and read aloud
    "svg.hashsalt": "edgewright",  # the same figure gives the same bytes
    "text.color": TEXT,
    "text.parse_math": False,  # names come from model files
    "axes.edgecolor": LINE,
    "axes.labelcolor": DIM,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": DIM,
    "ytick.labelcolor": TEXT,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
}
_METADATA: Mapping[str, Mapping[str, str | None]] = {
    "png": {"Software": "Edgewright"},
    "pdf": {"Creator": "Edgewright", "Producer": None, "CreationDate": None},
    "svg": {"Creator": "Edgewright", "Date": None},
}
"""No dates: the same data gives the same bytes."""


class NotebookFigure(Figure):
    """A figure that a notebook shows as the value of a cell."""

    def _repr_png_(self) -> bytes:
        """Return the figure as PNG."""
        file = io.BytesIO()
        with rc_context(_SETTINGS):
            self.savefig(file, format="png", dpi=_DOTS_IN_NOTEBOOK)
        return file.getvalue()


def font_folder() -> Path:
    """Return the folder of the fonts that come with the library, DejaVu among them."""
    return Path(get_data_path(), "fonts", "ttf")


def new_figure(draw: Callable[[Axes], None], height: float) -> Figure:
    """Return a figure of one plot.

    Args:
        draw: Draws into the axes of the plot.
        height: In inches.
    """
    with rc_context(_SETTINGS):
        figure = NotebookFigure(figsize=(_WIDTH, height), facecolor=SURFACE, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure.subplots())
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure into a file in the format of its suffix: png, pdf or svg."""
    form = path.suffix.lower().removeprefix(".")
    with rc_context(_SETTINGS):
        figure.savefig(path, format=form, dpi=_DOTS_PER_INCH, metadata=dict(_METADATA[form]))
