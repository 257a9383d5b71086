"""The real Netron page in Qt WebEngine, in an environment of its own (700 MB)."""
