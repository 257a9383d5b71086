"""The model of a server: where it lies, and how it is loaded by the options."""

from __future__ import annotations

from ..backends.loader import version_of
from ..backends.providers import AUTO, Acceleration
from ..shared.threads import usable_cores
from .engine.served_model import ServedModel, load
from .engine.source import ModelSource, from_bundle, from_file
from .engine.tuning import TuningCache
from .options import Options
from .release_root import engines_of, run_folder_of


def load_model(options: Options, source: ModelSource) -> ServedModel:
    """Load a model from its source.

    Raises:
        LoadError: when it cannot be served.
    """
    if source.backend.generates:  # nothing of it is chosen by measuring
        text = options.limited(source.text)
        return load(source._replace(text=text), options.threads)
    source = source._replace(acceleration=_acceleration(options, source))
    return load(source, options.threads, options.max_batch, _tried(options, source))


def _acceleration(options: Options, source: ModelSource) -> Acceleration:
    folder = options.engine_cache or engines_of(source.path)
    return Acceleration(options.providers, None if folder is None else folder / source.digest)


def _tried(options: Options, source: ModelSource) -> TuningCache:
    run = run_folder_of(source.path)
    words = (
        version_of(source.backend),
        usable_cores(),
        options.threads,
        options.max_batch,
        *([] if options.providers == AUTO else [options.providers]),
    )
    return TuningCache(run / "tried.json" if run is not None else None, " ".join(map(str, words)))


def locate_model(options: Options) -> ModelSource:
    """Return the source that the options name.

    Raises:
        LoadError: when it cannot be read.
    """
    if options.bundle is not None:
        source = from_bundle(options.bundle)
        if options.gate is None:
            return source
        from ..shared.trial_note import root_of

        return source._replace(beside=root_of(options.gate))
    assert options.model is not None
    return from_file(options.model)
