"""The browser as a target: onnxruntime-web, run in a headless Chromium on this computer."""
