"""Sources of apps: pictures and readings, from cameras, files and sensors."""
