"""The options of an engine, and of a container that serves a release, as data."""

from __future__ import annotations

from studio.api import Kind, Option

ENGINE_OPTIONS = (
    Option(
        "engine",
        title="Engine",
        help="Address of the engine: unix:///PATH or ssh://USER@HOST (default: "
        "DOCKER_HOST, else the socket of Docker or Podman).",
    ),
    Option("base", title="Base image", help="Base image of the images built for this target."),
)

CONTAINER_OPTIONS = (
    Option(
        "port",
        Kind.INTEGER,
        default=8477,
        minimum=1,
        maximum=65535,
        help="Port on the engine's machine.",
    ),
    Option(
        "host",
        default="127.0.0.1",
        title="Listen on",
        help="Address of the engine's machine; 0.0.0.0 opens it to the network.",
        advanced=True,
    ),
    Option(
        "open_to_all",
        Kind.FLAG,
        default=False,
        title="Allow unauthenticated access",
        help="Confirm that the endpoint accepts unauthenticated requests.",
        advanced=True,
        spelling="allow_unauthenticated",
    ),
    Option(
        "token_file",
        Kind.FILE,
        default="",
        title="Token",
        help="File on this computer with bearer tokens, one per line. Requests need one of them.",
        advanced=True,
    ),
    Option(
        "network",
        Kind.CHOICE,
        default="bridge",
        choices=("bridge", "host"),
        choice_titles=("published port", "host network"),
        title="Network",
        help="Network of the port listener. The model's container has no network.",
        advanced=True,
    ),
    Option(
        "memory_mb",
        Kind.INTEGER,
        default=0,
        minimum=0,
        title="Memory",
        unit="MB",
        zero="no limit",
        help="Memory limit of the container.",
    ),
    Option(
        "cpus",
        Kind.NUMBER,
        default=0,
        minimum=0,
        title="Processors",
        zero="no limit",
        help="CPU limit of the container, in cores (such as 1.5).",
    ),
    Option(
        "restart",
        Kind.CHOICE,
        default="unless-stopped",
        choices=("unless-stopped", "on-failure", "no"),
        choice_titles=("always", "after a crash", "never"),
        title="Restart policy",
        advanced=True,
    ),
    Option(
        "wait_s",
        Kind.INTEGER,
        default=120,
        minimum=1,
        maximum=3600,
        title="Start timeout",
        unit="s",
        help="Maximum time until a new container is ready.",
        advanced=True,
    ),
    Option(
        "keep",
        Kind.INTEGER,
        default=2,
        minimum=0,
        maximum=20,
        title="Earlier releases kept",
        help="Number of stopped releases kept for a rollback.",
        advanced=True,
    ),
)
