"""What ``student.json`` of a packaged student may hold."""

from typing import Any, Literal

from pydantic import Field

from cross_modal_kd.config import Strict, TaskConfig

FORMAT: Literal[1] = 1
NO_PAIRS = "it was trained to name classes and measured on no pairs; a task of kind: verification has thresholds"


class Threshold(Strict):
    """One operating point of verification, found on the dev split.

    Attributes:
        name: ``eer``, ``min_dcf_01``, ``far_0.01`` ...
        value: score from which a pair is accepted; None where the dev split cannot bear it.
        far: false-acceptance rate there, on dev trials.
        far_upper: 95 % upper bound of that rate between other labels, if those of dev are a draw of them: of as many
            independent trials as dev's tell as much as, which share labels. Students packaged before it was so have
            that of Clopper and Pearson as if all trials were independent, which is too low.
        frr: false-rejection rate there, likewise.
        test_far: the same rate on test trials, which had no part in finding it; None where there are none.
        test_frr: likewise.
        far_enrolled: by how many samples one is enrolled with, the rate at which that one takes in a stranger, on dev
            or on test, where it is the higher.
        reason: why there is no value.
    """

    name: str
    value: float | None = None
    far: float | None = Field(None, ge=0, le=1)
    far_upper: float | None = Field(None, ge=0, le=1)
    frr: float | None = Field(None, ge=0, le=1)
    test_far: float | None = Field(None, ge=0, le=1)
    test_frr: float | None = Field(None, ge=0, le=1)
    far_enrolled: dict[int, float] = {}
    reason: str = ""


class ScoreCalibration(Strict):
    """P(same | score) = sigmoid(slope * score + intercept), at even odds; its exponent is the log-likelihood ratio.

    Attributes:
        slope: a; None where there is no calibration.
        intercept: b.
        loss: balanced log-loss on dev, in bits: 0 is certain and right, 1 says nothing.
        reason: why there is none.
    """

    slope: float | None = None
    intercept: float | None = None
    loss: float | None = None
    reason: str = ""


class Temperature(Strict):
    """softmax(logits / T) of the classes.

    Attributes:
        value: T, found on dev; None where there is none, and the logits are taken as they are.
        samples: of dev that it rests on.
        before: mean log-loss on dev without it, in nats.
        after: with it.
        reason: why there is none.
    """

    value: float | None = Field(None, gt=0)
    samples: int = 0
    before: float | None = None
    after: float | None = None
    reason: str = ""


class DevMetric(Strict):
    """The metric that the task is judged by, on the dev split.

    Attributes:
        name: of the metric.
        value: a share in [0, 1]; None where it is not defined.
        larger_is_better: of the metric.
        data: fingerprint of the dev samples: values of others are not comparable.
    """

    name: str
    value: float | None
    larger_is_better: bool
    data: str


class Operating(Strict):
    """How scores and logits become decisions and probabilities, all of it found on the dev split.

    Attributes:
        thresholds: of verification; none where the task's kind compares no pairs.
        targets: dev trials of one label.
        impostors: dev trials of two labels.
        labels: labels of dev that the trials are of.
        calibration: of verification scores.
        temperature: of class probabilities.
        logit_scale: of cosine logits (a verification student's); None where the classifier is linear.
        dev: the metric that decides between versions.
        student: ``weights`` of the student that all of it was found with.
    """

    thresholds: list[Threshold] = Field(default_factory=list)
    targets: int = 0
    impostors: int = 0
    labels: int = 0
    calibration: ScoreCalibration = ScoreCalibration(reason=NO_PAIRS)
    temperature: Temperature = Temperature(reason="not fitted")
    logit_scale: float | None = None
    dev: DevMetric
    student: str = ""


class QualityRecord(Strict):
    """How the quality of an input is found; the training ranks are in ``quality.safetensors``.

    Attributes:
        measures: names of the measures that count.
        combine: by the ``mean`` of their ranks or by the ``worst``.
        poor_below: quality under which an input is called poor.
        samples: of the training split that the ranks are of.
        reason: why no quality is given, where there is none.
    """

    measures: list[str] = Field(default_factory=list)
    combine: Literal["mean", "worst"] = "worst"
    poor_below: float = Field(0.05, ge=0, le=1)
    samples: int = 0
    reason: str = ""


class StudentRecord(Strict):
    """All of a packaged student that is no tensor and no table.

    Attributes:
        format: of the folder.
        task: name, kind, modalities, pairing.
        role: ``distilled`` or ``student_alone``.
        classes: of the student, in the order of its classifier's outputs.
        operating: thresholds and calibration.
        quality: of inputs.
        teacher_weights: SHA-256 of the weights of a teacher that stays in its package; empty for one that is stored.
        weights: SHA-256 of the student's configuration and tensors, by which enrolments are known to be its own.
        provenance: what it was made from: arm, seed, fingerprint of the samples; plain values. What differs from run to
            run (command, commit, versions) is in ``facts`` of the package.
    """

    format: Literal[1] = FORMAT
    task: TaskConfig
    role: str
    classes: list[str]
    operating: Operating
    quality: QualityRecord
    teacher_weights: str = ""
    weights: str
    provenance: dict[str, Any] = Field(default_factory=dict)
