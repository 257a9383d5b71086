"""The notice for users of a release, as its server will show it."""
