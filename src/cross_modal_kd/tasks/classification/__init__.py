"""Closed-set classification."""

from cross_modal_kd.tasks.classification.kind import Classification

__all__ = ["Classification"]
