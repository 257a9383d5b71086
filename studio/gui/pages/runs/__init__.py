"""The Runs page: pipelines, activity, versions."""
