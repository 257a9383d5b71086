"""Language models as folders of onnxruntime-genai and OpenVINO GenAI, made by transformers."""
