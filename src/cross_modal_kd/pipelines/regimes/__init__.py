"""Regimes: few labels, weak teachers, damaged inputs, narrow and wide students, short and long trainings."""

from cross_modal_kd.pipelines.regimes.pipeline import create_pipeline

__all__ = ["create_pipeline"]
