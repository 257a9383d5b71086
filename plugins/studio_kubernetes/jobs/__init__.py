"""Tasks as Jobs of a cluster: their address, their manifest, their state."""
