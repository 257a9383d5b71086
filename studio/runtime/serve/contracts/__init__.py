"""Contracts of clouds and other servers: more rows of the one routes table.

SageMaker, Vertex AI, Azure ML, KServe's first protocol and MLflow's scoring server differ in
addresses and in the form of instances, not in the inference. Each of them is a few rows;
``call`` reads and answers for all, and its requests share the queue with all others.
"""
