"""Apps in a server: its models for their steps, their life with a release, their pages."""
