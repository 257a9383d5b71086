"""Amazon SageMaker as a platform: endpoints, canaries, guardrails, autoscaling, costs."""
