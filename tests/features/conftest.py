"""What the tests of the window use, for the pages of features."""

from tests.gui.conftest import (
    digits_home,
    digits_window,
    dressed,
    make_window,
    no_spare_worker,
    patient,
    window,
)

__all__ = (
    "digits_home",
    "digits_window",
    "dressed",
    "make_window",
    "no_spare_worker",
    "patient",
    "window",
)
