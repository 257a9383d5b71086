"""AWS as far as SageMaker needs it: moto, and on top of it endpoints that really serve."""
