"""The bundle: a model with all that is needed to run, test and trust it."""

from studio.packages.bundle import Bundle, is_bundle
from studio.packages.zipapp import ZipApplication, build_runtime

__all__ = ["Bundle", "ZipApplication", "build_runtime", "is_bundle"]
