"""The Deploy page: plan, history, rollout, boards, signers."""
