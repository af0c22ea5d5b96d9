"""The stages from raw data to an evaluated student: thin nodes over the rooms of the method."""

from cross_modal_kd.pipelines.stage import bound, stage

__all__ = ["bound", "stage"]
