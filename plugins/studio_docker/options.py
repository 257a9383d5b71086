"""The options of an engine, and of a container that serves a release, as data."""

from __future__ import annotations

from studio.api import Kind, Option

ENGINE_OPTIONS = (
    Option(
        "engine",
        title="Engine",
        help="Where it listens (unix:///PATH, ssh://USER@HOST); by default DOCKER_HOST, else "
        "Docker's or Podman's own socket.",
    ),
    Option("base", title="Base image", help="Of the images that are built for it."),
)

CONTAINER_OPTIONS = (
    Option(
        "port",
        Kind.INTEGER,
        default=8477,
        minimum=1,
        maximum=65535,
        help="Where it answers on the engine's machine.",
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
        title="Open to all",
        help="Yes, everybody who reaches the address may ask the model.",
        advanced=True,
        spelling="allow_unauthenticated",
    ),
    Option(
        "token_file",
        Kind.FILE,
        default="",
        title="Token",
        help="File on this computer with the tokens, one a line, of which callers must send one.",
        advanced=True,
    ),
    Option(
        "network",
        Kind.CHOICE,
        default="bridge",
        choices=("bridge", "host"),
        choice_titles=("a published port", "the machine's own"),
        title="Network",
        help="How the port is reached; the model's container itself has no network.",
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
        help="Most that it may use.",
    ),
    Option(
        "cpus",
        Kind.NUMBER,
        default=0,
        minimum=0,
        title="Processors",
        zero="no limit",
        help="Most that it may use; 1.5 is one and a half.",
    ),
    Option(
        "restart",
        Kind.CHOICE,
        default="unless-stopped",
        choices=("unless-stopped", "on-failure", "no"),
        choice_titles=("always", "after a crash", "never"),
        title="Start again",
        advanced=True,
    ),
    Option(
        "wait_s",
        Kind.INTEGER,
        default=120,
        minimum=1,
        maximum=3600,
        title="Patience",
        unit="s",
        help="How long a new container may take until it answers.",
        advanced=True,
    ),
    Option(
        "keep",
        Kind.INTEGER,
        default=2,
        minimum=0,
        maximum=20,
        title="Earlier releases kept",
        help="Stopped containers and their images, for a rollback.",
        advanced=True,
    ),
)
