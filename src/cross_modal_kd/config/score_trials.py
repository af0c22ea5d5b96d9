"""What `kedro run --pipeline=score_trials` scores."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from cross_modal_kd.config.strict import EachOnce, Strict

Rate = Annotated[float, Field(gt=0, lt=1)]


class AsNormConfig(Strict):
    """Adaptive s-norm: each score beside those of its two sides with a cohort of training speakers.

    Attributes:
        top: speakers of the cohort that count, the nearest of each side (300 is usual); 0 leaves scores as they are.
        embeddings: of the training samples, of the kinds of ``score_trials.embeddings``; null takes those themselves.
        labels: whose they are: the table of samples (its training rows), a table of the columns ``name`` and
            ``speaker``, or a text file with ``utterance speaker`` on each line.
    """

    top: int = Field(0, ge=0)
    embeddings: str | None = None
    labels: str | None = None

    @field_validator("top")
    @classmethod
    def _none_or_two(cls, top: int) -> int:
        if top == 1:
            raise ValueError("expected 0 or at least 2, found 1: one score has no spread")
        return top


class ScoreTrialsConfig(Strict):
    """A list of trials, and the saved embeddings that it is scored with.

    Attributes:
        trials: the list: a text file with ``label enrol test`` on each line (VoxCeleb), ``enrol test label`` (CN-Celeb,
            Kaldi) or ``enrol test``, labels being 1 and 0 or target and nontarget; or a .csv or .parquet file with the
            columns ``enrol``, ``test`` and ``label`` (or ``enrol_id``, ``test_id``, ``target``).
        embeddings: a folder that the evaluation saves, a .parquet file with one column of names and either one of lists
            or columns of numbers, or an .npz file with names and vectors.
        models: a text file with ``model utterance utterance ...`` on each line; enrolments of the list then are these
            models. null: they are utterances themselves.
        as_norm: normalisation by a cohort.
        p_targets: how likely a target is in use, of each minDCF.
        far: false-acceptance rates for which thresholds are found.
        min_errors: false acceptances that a threshold rests on, at least.
    """

    trials: str | None = None
    embeddings: str
    models: str | None = None
    as_norm: AsNormConfig = Field(default_factory=AsNormConfig)
    p_targets: Annotated[list[Rate], EachOnce] = Field(default_factory=lambda: [0.01, 0.05])
    far: Annotated[list[Rate], EachOnce] = Field(default_factory=lambda: [0.01, 0.001])
    min_errors: int = Field(10, ge=1)

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:  # noqa: ARG002
        """Files that are not there.

        Args:
            blocks: All blocks by name.

        Yields:
            A sentence for each.
        """
        if self.trials is None:
            yield "score_trials.trials names no list: give a file, --params='score_trials.trials=veri_test2.txt'"
        paths = {"trials": self.trials, "embeddings": self.embeddings, "models": self.models}
        if self.as_norm.top:
            paths |= {"as_norm.embeddings": self.as_norm.embeddings, "as_norm.labels": self.as_norm.labels}
            if self.as_norm.labels is None:
                yield "score_trials.as_norm.labels is null: give the table or list that says whose embeddings they are"
        for name, path in paths.items():
            if path is not None and not Path(path).exists():
                made = "; `kedro run --pipeline=evaluation` saves the students'" if name == "embeddings" else ""
                yield f"score_trials.{name}: there is no {path}{made}"
