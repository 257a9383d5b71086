"""A video, camera or folder of pictures sent to an endpoint at the pace of its frames."""
