"""How a student is measured."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from cross_modal_kd.config.strict import EachOnce, Strict


class EvaluationConfig(Strict):
    """What is measured of a student, and how sure it is.

    Attributes:
        folds: 1 measures on the test split alone. k, 3 or more, is for small sets: the split as it is is the first
            fold, and the clusters that it does not test are dealt to the tests of k - 1 more, each with a teacher's
            projection (and a teacher, where that is trained) and students of its own, trained without its test. Scores
            are pooled, so that every cluster is tested once, by the student of one fold. It takes about k times as
            long.
        bootstrap: resamples of the clusters (concepts or speakers).
        level: of the intervals.
        min_clusters: clusters that an interval needs, and with it every verdict: resampling fewer says little of how
            others would do (``metrics.Least``). 5 at least.
        min_resamples: resamples that differ and in which the metric is defined, that an interval needs.
        max_impostors: impostor trials drawn (seeded) for verification; every target trial is kept.
        impostors: drawn from ``any`` pair, or from those of the ``same_domain`` only (one artist, one recording
            channel: harder, no such cue). With ``any`` the impostors that happen to share a domain are also measured by
            themselves.
        seed: of the resamples and of every draw.
        gallery: the N of 1:N matching, each at least 2.
        vocabulary: among how many classes, each at least 2, one that training has not seen is to be picked out, by its
            words or by a few samples; among all of them it is picked in any case.
        shots: by how many samples such a class is shown, where it is not named; each at least 1.
        train_subset: training samples that are embedded too, at most, for matching on them and the gap between train
            and test.
        batch_size: samples that are embedded at a time.
    """

    folds: int = Field(1, ge=1, le=50)
    bootstrap: int = Field(1000, ge=1)
    level: float = Field(0.95, gt=0, lt=1)
    min_clusters: int = Field(10, ge=5)
    min_resamples: int = Field(40, ge=10)
    max_impostors: int = Field(200_000, ge=100)
    impostors: Literal["any", "same_domain"] = "any"
    seed: int = Field(0, ge=0)
    gallery: Annotated[list[Annotated[int, Field(ge=2)]], EachOnce] = Field(default_factory=lambda: [2, 5, 10, 50])
    vocabulary: Annotated[list[Annotated[int, Field(ge=2)]], EachOnce] = Field(default_factory=lambda: [2, 10, 50])
    shots: Annotated[list[Annotated[int, Field(ge=1)]], EachOnce] = Field(default_factory=lambda: [1, 5])
    train_subset: int = Field(1000, ge=0)
    batch_size: int = Field(512, ge=1)

    @field_validator("folds")
    @classmethod
    def _one_or_three(cls, folds: int) -> int:
        if folds == 2:
            raise ValueError(
                "expected 1 or at least 3, found 2: the second would test what the split does not test, most of the "
                "data, by a student that is trained on the rest"
            )
        return folds
