"""Pages of the feature, and its views in pages of the core."""
