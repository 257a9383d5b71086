"""Container images of bundles: layers, settings, list of parts and archive."""
