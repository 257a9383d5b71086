"""The Welcome page: recent models and samples."""
