"""The checks of ``studio plugins check``: manifest, imports, permissions, conformance."""
