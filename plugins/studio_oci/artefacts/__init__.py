"""Documents and layers of a bundle in an OCI registry."""
