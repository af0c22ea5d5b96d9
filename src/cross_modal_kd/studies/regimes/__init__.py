"""Regimes: few labels, weak teachers, damaged inputs, the width of the student, the length of training, heavy terms."""

from cross_modal_kd.studies.regimes.pipeline import create_pipeline

__all__ = ["create_pipeline"]
