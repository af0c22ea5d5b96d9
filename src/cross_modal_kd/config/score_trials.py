"""What `kedro run --pipeline=score_trials` scores."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from cross_modal_kd.config.strict import EachOnce, Strict

Rate = Annotated[float, Field(gt=0, lt=1)]
Measure = Literal["duration", "magnitude", "cohort_mean"]
MEASURES: tuple[Measure, ...] = ("duration", "magnitude", "cohort_mean")


MADE = {
    "embeddings": "; `kedro run --pipeline=evaluation` saves the students'",
    "teacher": "; `kedro run --pipeline=evaluation` saves it as 07_model_output/<task>/teacher/embeddings",
    "speakers.table": "; `kedro run --pipeline=ingestion` makes that of the samples, null goes without",
}


class AsNormConfig(Strict):
    """Adaptive s-norm: each score beside those of its two sides with a cohort of training speakers.

    Attributes:
        top: speakers of the cohort that count, the nearest of each side (300 is usual); 0 leaves scores as they are.
        embeddings: of the training samples, of the kinds of ``score_trials.embeddings``; null takes those themselves.
        labels: whose they are: the table of samples (its training rows), a table of the columns ``name`` and
            ``speaker``, or a text file with ``utterance speaker`` on each line.
        centre: whether the mean of these embeddings is subtracted from every one first, with ``top: 0`` too.
            WeSpeaker's figures are so, with the mean of VoxCeleb2's dev set.
    """

    top: int = Field(0, ge=0)
    embeddings: str | None = None
    labels: str | None = None
    centre: bool = False

    @field_validator("top")
    @classmethod
    def _none_or_two(cls, top: int) -> int:
        if top == 1:
            raise ValueError("expected 0 or at least 2, found 1: one score has no spread")
        return top


class CalibrationConfig(Strict):
    """Quality-aware calibration: scores as log-likelihood ratios that know how good their two sides are.

    Attributes:
        drawn: trials of training speakers that are drawn to fit it on (WeSpeaker: 30,000 for VoxCeleb), whose
            embeddings and labels are those of ``as_norm``; 0 leaves scores as they are, but for ``trials``.
        trials: a list of one's own to fit it on, with labels, of speakers who are not tested; null draws one.
        measures: of the two sides: ``duration`` in seconds, 20 at most; ``magnitude``, the length of the embedding less
            the mean that ``as_norm.centre`` subtracts; ``cohort_mean``, the mean cosine with the ``as_norm.top``
            nearest speakers.
        durations: a table of the columns ``sample_id`` (or ``name``) and ``duration_s``, such as the samples table, or
            a text with ``utterance seconds`` on each line (Kaldi's ``utt2dur``), of trained on and tested alike.
        seed: of the draw.
    """

    drawn: int = Field(0, ge=0)
    trials: str | None = None
    measures: Annotated[list[Measure], EachOnce, Field(min_length=1)] = Field(default_factory=lambda: [*MEASURES])
    durations: str | None = None
    seed: int = Field(0, ge=0)

    @field_validator("drawn")
    @classmethod
    def _none_or_enough(cls, drawn: int) -> int:
        if 0 < drawn < 300:
            raise ValueError(f"expected 0 or at least 300, found {drawn}: fewer trials fit nothing")
        return drawn

    @property
    def wanted(self) -> bool:
        """Whether scores are calibrated."""
        return self.drawn > 0 or self.trials is not None

    def lacks(self, norm: AsNormConfig) -> Iterator[str]:
        """What a calibration has not that it is to be fitted on.

        Args:
            norm: the cohort.

        Yields:
            A sentence for each.
        """
        if not self.wanted:
            return
        if norm.labels is None:
            yield "score_trials.calibration: score_trials.as_norm.labels is null; it says who the training speakers are"
        if "cohort_mean" in self.measures and not norm.top:
            yield (
                "score_trials.calibration.measures has cohort_mean, and there is no cohort: set "
                "score_trials.as_norm.top (300 is usual), or take it out"
            )
        if "duration" in self.measures and self.durations is None:
            yield (
                "score_trials.calibration.measures has duration, and score_trials.calibration.durations is null: give "
                "the table of samples or Kaldi's utt2dur, or take it out"
            )


class SpeakersConfig(Strict):
    """Whose the names of a list are: intervals, errors by condition, and no speaker in training.

    Attributes:
        table: of samples, .parquet or .csv with the columns ``sample_id`` and ``label``, and where they are known
            ``split`` and ``condition_<name>``: the one that ingestion makes, or one's own. null: there are no
            intervals.
        bootstrap: resamples of the speakers.
        level: of the intervals.
        min_speakers: that a part of the list needs for an error of its own, and an interval.
        seed: of the resamples.
    """

    table: str | None = None
    bootstrap: int = Field(1000, ge=1)
    level: float = Field(0.95, gt=0, lt=1)
    min_speakers: int = Field(10, ge=5)
    seed: int = Field(0, ge=0)


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
        teacher: embeddings of the teacher's samples in the student's space, as evaluation saves them
            (``07_model_output/<task>/teacher/embeddings``), for a list across two modalities: one side of it, or the
            candidates of each probe, then are of the teacher. null: both sides are the student's.
        probes: of vfal-eva's files of matching (``test_matching.pkl``), whose items are of both: ``voices``, each among
            faces, or ``faces``; null takes voices. Other lists say it themselves.
        vox1_meta: ``vox1_meta.csv``, for a list of VoxCeleb1 by the names of 2017 (``voxceleb1_test.txt`` of OpenSLR's
            SLR49, vfal-eva's), which embeddings have by id. null: names are as the embeddings have them.
        as_norm: normalisation by a cohort.
        calibration: by the quality of both sides.
        speakers: whose the names are, for intervals and errors by condition.
        p_targets: how likely a target is in use, of each minDCF.
        far: false-acceptance rates for which thresholds are found.
        min_errors: false acceptances that a threshold rests on, at least.
    """

    trials: str | None = None
    embeddings: str
    models: str | None = None
    teacher: str | None = None
    probes: Literal["voices", "faces"] | None = None
    vox1_meta: str | None = None
    as_norm: AsNormConfig = Field(default_factory=AsNormConfig)
    calibration: CalibrationConfig = Field(default_factory=CalibrationConfig)
    speakers: SpeakersConfig = Field(default_factory=SpeakersConfig)
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
        paths |= {"teacher": self.teacher}
        paths |= {"vox1_meta": self.vox1_meta}
        paths |= {"speakers.table": self.speakers.table}
        if self.as_norm.top or self.as_norm.centre:
            paths |= {"as_norm.embeddings": self.as_norm.embeddings, "as_norm.labels": self.as_norm.labels}
            if self.as_norm.labels is None:
                yield "score_trials.as_norm.labels is null: give the table or list that says whose embeddings they are"
        yield from self.calibration.lacks(self.as_norm)
        if self.calibration.wanted:
            paths |= {"as_norm.embeddings": self.as_norm.embeddings, "as_norm.labels": self.as_norm.labels}
            paths |= {"calibration.trials": self.calibration.trials}
            if "duration" in self.calibration.measures:
                paths |= {"calibration.durations": self.calibration.durations}
        yield from self._across()
        for name, path in paths.items():
            if path is not None and not Path(path).exists():
                made = MADE.get(name, "")
                yield f"score_trials.{name}: there is no {path}{made}"

    def _across(self) -> Iterator[str]:
        """What a list across two modalities cannot have, and what no other has."""
        if self.teacher is None and self.probes is not None:
            yield "score_trials.probes is of a list across two modalities: give score_trials.teacher, or leave it out"
        if self.teacher is not None and (
            self.models is not None or self.as_norm.top or self.as_norm.centre or self.calibration.wanted
        ):
            yield (
                "score_trials.teacher: a list across two modalities has no models, as_norm or calibration; leave "
                "them out"
            )
