"""Registries outside the studio: versions pushed and pulled, aliases, deploys that follow them."""
