"""Plans of changes: shown to a person, approved once, and then carried out exactly."""

from studio.plans.plans import Plans
from studio.plans.record import Approval, ChangePlan, PlanEntry, PlanRequest

__all__ = ["Approval", "ChangePlan", "PlanEntry", "PlanRequest", "Plans"]
