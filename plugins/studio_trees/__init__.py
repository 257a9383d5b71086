"""Tree ensembles of LightGBM and XGBoost as ONNX."""
