"""External registries: push and pull of versions, aliases, and deploys that follow an alias."""
