"""gRPC of the Open Inference Protocol; an optional part, which needs the package grpcio."""
