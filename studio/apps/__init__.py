"""Apps on the desk: their files read and checked, run, and tested on recordings."""

from studio.apps.files import AppFiles

__all__ = ["AppFiles"]
