"""What a student answers. Every answer names its input; what could not be read has an ``error`` and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Quality:
    """How good an input is beside the training samples.

    Attributes:
        score: rank in [0, 1] among the training samples; None where it cannot be told.
        poor: whether the answer should be doubted for it.
        why: the measure that is worst, or why there is no score.
        measures: raw values by measure, higher is better.
    """

    score: float | None
    poor: bool
    why: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Embedding:
    """An input as the student sees it.

    Attributes:
        name: of the input.
        error: why there is nothing; None where there is.
        vector: (D,) float32 of length 1: the dot product of two is their score.
        quality: of the input.
    """

    name: str
    error: str | None = None
    vector: np.ndarray | None = field(default=None, repr=False, compare=False)
    quality: Quality | None = None


@dataclass(frozen=True)
class Prediction:
    """The class of an input.

    Attributes:
        name: of the input.
        error: why there is no answer; None where there is.
        label: the most probable class.
        probability: its probability in [0, 1].
        calibrated: whether the probabilities were fitted on the dev split.
        top: the k most probable classes with their probabilities, falling.
        quality: of the input.
        embedding: (D,) float32 of length 1.
    """

    name: str
    error: str | None = None
    label: str | None = None
    probability: float | None = None
    calibrated: bool = False
    top: tuple[tuple[str, float], ...] = ()
    quality: Quality | None = None
    embedding: np.ndarray | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Verification:
    """Are two inputs of the same label?

    Attributes:
        names: of the two.
        error: why there is no score; None where there is.
        score: cosine in [-1, 1], higher is more alike.
        accepted: whether it reaches the threshold; None without one.
        threshold: its name.
        value: the score that it asks for; None where the dev split could not bear it.
        far: the false-acceptance rate that it stands for, on dev.
        far_upper: 95 % upper bound of it between other labels, if those of dev are a draw of them; trials without a
            false acceptance do not make it 0. The fewer labels dev has, the further it lies above ``far``.
        probability: of the same label at even odds, calibrated on dev; None without a calibration.
        reason: why there is no threshold.
        qualities: of the two.
    """

    names: tuple[str, str]
    error: str | None = None
    score: float | None = None
    accepted: bool | None = None
    threshold: str = ""
    value: float | None = None
    far: float | None = None
    far_upper: float | None = None
    probability: float | None = None
    reason: str = ""
    qualities: tuple[Quality | None, Quality | None] = (None, None)


@dataclass(frozen=True)
class Identification:
    """Who of the enrolled is it?

    Attributes:
        name: of the input.
        error: why there is no answer; None where there is.
        best: the enrolled name with the highest score.
        score: that score, a cosine.
        accepted: whether it reaches the threshold: without it, none of the enrolled; None without a threshold.
        threshold: its name.
        far: the rate at which a stranger is taken for one given enrolled name.
        far_any: the rate at which a stranger is taken for any of them, as far as dev and test tell
            (``strangers.rate_of_any``).
        probability: of the best being right, against a stranger at even odds; None without a calibration.
        candidates: names and scores, falling.
        reason: why there is no threshold.
        quality: of the input.
    """

    name: str
    error: str | None = None
    best: str | None = None
    score: float | None = None
    accepted: bool | None = None
    threshold: str = ""
    far: float | None = None
    far_any: float | None = None
    probability: float | None = None
    candidates: tuple[tuple[str, float], ...] = ()
    reason: str = ""
    quality: Quality | None = None


@dataclass(frozen=True)
class Match:
    """One item that a search has found.

    Attributes:
        name: of the item.
        score: cosine in [-1, 1].
        quality: of the item; None of what is stored with the student.
    """

    name: str
    score: float
    quality: Quality | None = None


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        query: its words, or the name of its file.
        across: whether it went through the teacher's modality.
        matches: the best first.
        searched: items that were looked at.
        errors: by name, the items that could not be read.
        error: why nothing was looked for, where a command says so in a line; ``StudentModel.search`` raises it.
    """

    query: str
    across: bool
    matches: tuple[Match, ...]
    searched: int
    errors: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
