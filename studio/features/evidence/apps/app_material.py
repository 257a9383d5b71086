"""The material of an app, put together in the parent process, which has the registry."""

from __future__ import annotations

from dataclasses import replace

from studio.features.evidence.apps.app_collect import app_of_bundle, app_of_folder
from studio.features.evidence.apps.app_record import AppMaterial, AppRecord, FurtherModel
from studio.features.evidence.records.collect import collect
from studio.features.evidence.records.subject import Named
from studio.features.evidence.step import EvidenceOptions
from studio.registry import ModelRef, Registry


def app_material(registry: Registry, options: EvidenceOptions, named: Named) -> AppMaterial | None:
    """Return what is known of the app of a subject; None for a model without one.

    Raises:
        InvalidData: when the app cannot be used.
    """
    digest = named.variant.digest
    if options.app is not None:
        record = app_of_folder(options.app, digest)
        folder = options.app if options.app.is_dir() else options.app.parent
        return AppMaterial(*_with_variants(registry, record, options.further), folder)
    if named.version is None or not named.version.path.is_dir():
        return None
    found = app_of_bundle(named.version.path, digest)
    if found is None:
        return None
    return AppMaterial(*_with_variants(registry, found, _known(registry, found)))


def _known(registry: Registry, record: AppRecord) -> tuple[ModelRef, ...]:
    """Return the further models of a bundle that this registry has."""
    found = [registry.variant_by_digest(one.digest) for one in record.models if not one.served]
    return tuple(ModelRef.of(one) for one in found if one is not None)


def _with_variants(
    registry: Registry, record: AppRecord, further: tuple[ModelRef, ...]
) -> tuple[AppRecord, tuple[FurtherModel, ...]]:
    """Return the record with the names of its variants, and the models with their records."""
    refs = {one.digest: one for one in further}
    models, found = [], []
    for one in record.models:
        ref = refs.get(one.digest)
        variant = registry.variant(ref.variant) if ref else registry.variant_by_digest(one.digest)
        name = "" if variant is None else f"{variant.model_name}:{variant.name}"
        models.append(replace(one, variant=name))
        if ref is not None and variant is not None and not one.served:
            found.append(FurtherModel(one.name, collect(registry, Named(variant))))
    return replace(record, models=tuple(models)), tuple(found)
