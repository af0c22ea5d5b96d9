"""Open-set verification."""

from cross_modal_kd.tasks.verification.kind import Verification

__all__ = ["Verification"]
