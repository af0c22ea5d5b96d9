"""The study of few labels and ``distill`` train the same students, whichever of them holds the labels back."""

from pathlib import Path

import numpy as np
import pytest

from cross_modal_kd.models import load_bundle

PCA = {"arms": {"soft_contrast": {"projection": "pca"}}}
FEW = {"share": 0.3, "in_batch": 0.4}


def tensors_of(folder: Path) -> dict[str, np.ndarray]:
    bundle = load_bundle(folder, ["student"])
    assert bundle.tensors
    return {name: np.asarray(tensor) for name, tensor in bundle.tensors.items()}


@pytest.mark.slow
def test_the_study_and_distill_train_the_same_students_at_the_same_share(run_kedro_after):
    """At 30 % and at none: every weight that students of both have, the projection's arm and seed included."""
    arms = ["none", "simclr", "soft_contrast", "soft_both"]
    labels = {"arms": arms, "shares": [FEW["share"], 0.0], "labelled_in_batch": FEW["in_batch"]}
    run_kedro_after("regimes", tags=["labels"], params={**PCA, "regimes": {"seeds": [3], "labels": labels}})
    models = run_kedro_after.data_root / "06_models" / "test"

    for labelled, baseline, arm in ((FEW, "none", "soft_both"), ({"share": 0.0}, "simclr", "soft_contrast")):
        params = {
            **PCA,
            "distillation": {"baseline": baseline, "arm": arm, "labelled": labelled},
            "training": {"seed": 3},
        }
        for stage in ("projection", "distillation"):
            run_kedro_after(stage, params=params)
        for role, name in (("student_alone", baseline), ("distilled", arm)):
            own = tensors_of(models / role / "student")
            of_study = [tensors_of(folder / "student") for folder in (models / "regimes").glob(f"{name}-*-seed3-*")]
            assert sum(same(own, other) for other in of_study) == 1, (labelled, name)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    """Whether the network is; a classifier that no label has reached stands for nothing, and may be absent."""
    network = [name for name in one if not name.startswith("head.")]
    return all(np.array_equal(one[name], other[name]) for name in network)
