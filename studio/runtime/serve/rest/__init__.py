"""HTTP endpoints of a server: inference, repository, metrics, status."""
