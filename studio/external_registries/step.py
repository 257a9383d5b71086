"""The steps of registries outside the studio."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.deployment.step import DEPLOY as _DEPLOY
from studio.jobs import Arguments, Effect, Limits, Result, Step, Use

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})
_DEFAULT = "mlflow"
_WHERE = "A name that was added, an address (http://host:5000), or mlflow for MLFLOW_TRACKING_URI."
_REGISTRY = Option("registry", default=_DEFAULT, help=_WHERE)
_REFERENCE = Option(
    "name",
    title="Version",
    positional=True,
    required=True,
    help="NAME, NAME/VERSION or NAME@ALIAS.",
)
_NOT_OF_FOLLOW = ("model", "endpoint", "bundle", "dry_run", "data", "labels", "preprocess")

REGISTRY_PUSH: Step[Arguments, Result] = Step(
    name="registry-push",
    title="Push",
    summary="Register a model's bundle in a registry, with its figures and where it comes from.",
    options=(
        Option("model", Kind.MODEL, positional=True, help="A model or a bundle's folder."),
        Option("registry", default=_DEFAULT, title="To", help=_WHERE),
        Option("name", title="Registered name", help="By default the model's."),
        Option("alias", many=True, title="Aliases", help="champion, challenger ..."),
        Option("description", help="Shown beside the version."),
        Option(
            "version",
            Kind.INTEGER,
            minimum=1,
            help="One of the model's versions here, instead of a new one.",
            advanced=True,
        ),
        Option("bundle", Kind.FOLDER, help="A bundle, instead of a model.", advanced=True),
        Option(
            "data",
            Kind.DATA,
            title="Golden samples",
            help="Data for golden samples.",
            advanced=True,
        ),
        Option("labels", Kind.FILE, help="Class names, one per line.", advanced=True),
        Option(
            "preprocess",
            Kind.FILE,
            help="Input preprocessing, a preprocess.toml.",
            advanced=True,
        ),
        Option(
            "set",
            many=True,
            title="Options of the registry",
            help="NAME=VALUE: experiment.",
            advanced=True,
        ),
    ),
    work="studio.external_registries.work:push",
    prepare="studio.external_registries.record:prepare_push",
    record="studio.external_registries.record:pushed",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    use=Use.SERVE,
)

REGISTRY_PULL: Step[Arguments, Result] = Step(
    name="registry-pull",
    title="Pull",
    summary="Fetch a version of a registry: a variant and a version here.",
    options=(_REFERENCE, _REGISTRY),
    work="studio.external_registries.work:pull",
    prepare="studio.external_registries.record:prepare_pull",
    record="studio.external_registries.record:pulled",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    effect=Effect.LOOKS,
)

REGISTRY_LIST: Step[Arguments, Result] = Step(
    name="registry-list",
    title="List",
    summary="The models of a registry, or one model's versions and history.",
    options=(Option("name", title="Model", positional=True, help="One of them."), _REGISTRY),
    work="studio.external_registries.work:list_models",
    prepare="studio.external_registries.record:prepare",
    needs=_NEEDS,
    limits=Limits(seconds=600),
    effect=Effect.LOOKS,
    in_history=False,
)

REGISTRY_ALIAS: Step[Arguments, Result] = Step(
    name="registry-alias",
    title="Move an alias of",
    summary="Let an alias (champion) stand for a version; targets that follow it change with it.",
    options=(
        Option("name", title="Model", positional=True, required=True, help="A registered model."),
        Option("alias", positional=True, required=True, help="champion, challenger ..."),
        Option("version", positional=True, help="The version's number."),
        Option("remove", Kind.FLAG, default=False, help="Take the alias away."),
        _REGISTRY,
    ),
    work="studio.external_registries.work:alias",
    prepare="studio.external_registries.record:prepare",
    record="studio.external_registries.record:aliased",
    needs=_NEEDS,
    limits=Limits(seconds=600),
)

REGISTRY_DEPLOY: Step[Arguments, Result] = Step(
    name="registry-deploy",
    title="Deploy",
    summary="Deploy the version an alias points to: a deployment, or a rollback.",
    options=(
        _REFERENCE,
        _REGISTRY,
        Option(
            "unless",
            title="Tried before",
            help="Do nothing while it still is this version.",
            advanced=True,
            spelling="skip_version",
        ),
        *(option for option in _DEPLOY.form if option.name not in _NOT_OF_FOLLOW),
    ),
    work="studio.external_registries.alias_deploy:follow",
    prepare="studio.external_registries.alias_deploy:prepare",
    record="studio.external_registries.alias_deploy:followed",
    needs=_NEEDS,
    limits=Limits(seconds=7200),
)
