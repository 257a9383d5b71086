"""Container images of bundles, and container engines (Docker, Podman) as targets."""
