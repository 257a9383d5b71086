"""What clouds and other servers expect: more rows of the one routes table.

SageMaker, Vertex AI, Azure ML, KServe's first protocol and MLflow's scoring server differ in
addresses and in how instances are written, not in what a model does. So each of them is a few
rows; ``call`` reads and answers for all, and runs through the queue of every other request.
"""
