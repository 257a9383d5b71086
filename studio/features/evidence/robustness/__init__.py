"""Quality of a model on corrupted samples."""
