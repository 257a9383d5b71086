"""The bundle: a model with all that is needed to run, test and trust it."""

from typing import TYPE_CHECKING

from studio.lazy_names import lazy_names

if TYPE_CHECKING:
    from studio.packages.bundle import Bundle, is_bundle
    from studio.packages.zipapp import ZipApplication, build_runtime

__getattr__ = lazy_names(
    __name__,
    {"Bundle": "bundle", "ZipApplication": "zipapp"}
    | {"build_runtime": "zipapp", "is_bundle": "bundle"},
)
