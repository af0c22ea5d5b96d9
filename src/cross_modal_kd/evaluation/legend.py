"""What each figure is called, in which unit it is shown, and which way is better."""

import re
from dataclasses import dataclass, replace
from typing import Literal

SECTIONS = {
    "core": "The task, on the test split",
    "matching": "Cross-modal matching: the student's embedding against the teacher's",
    "diagnostics": "Diagnostics",
}


@dataclass(frozen=True)
class Legend:
    """percent: shown as a percentage, its differences in points. reducible: 1 - it, or it, is an error rate."""

    title: str
    section: str
    better: Literal["lower", "higher"] | None
    percent: bool
    reducible: bool
    explains: str


def _error(title: str, explains: str, percent: bool = True) -> Legend:
    return Legend(title, "core", "lower", percent, True, explains)


def _accuracy(title: str, explains: str) -> Legend:
    return Legend(title, "core", "higher", True, True, explains)


def _matching(title: str, explains: str, percent: bool = True) -> Legend:
    return Legend(title, "matching", "higher", percent, False, explains)


def _diagnostic(title: str, explains: str, percent: bool = False) -> Legend:
    return Legend(title, "diagnostics", None, percent, False, explains)


LEGENDS = {
    "eer": _error("EER", "equal error rate: as many pairs wrongly accepted as wrongly rejected"),
    "eer_same_domain": _error(
        "EER, impostors of one domain", "impostor pairs share artist or recording channel: no such cue helps"
    ),
    "min_dcf_01": _error("minDCF (p = 0.01)", "least detection cost if 1 pair in 100 is a target; 1 is useless", False),
    "min_dcf_05": _error("minDCF (p = 0.05)", "least detection cost if 1 pair in 20 is a target; 1 is useless", False),
    "identification_rank1": _accuracy(
        "Identification, rank 1", "closed set: each label enrolled with one sample, the others are looked up"
    ),
    "top1": _accuracy("Top-1 accuracy", "the first answer is right"),
    "top5": _accuracy("Top-5 accuracy", "the right class is among the first five"),
    "macro_f1": _accuracy("Macro F1", "F1 averaged over the classes, each counting the same"),
    "calibration_error": Legend(
        "Calibration error", "core", "lower", True, False,
        "mean gap between confidence and accuracy (ECE, 15 bins); resampling adds to it, so the interval leans upward",
    ),
    "matching_auc": _matching("AUC of all pairs", "a matching pair scores above one that does not match", False),
    "retrieval_map": _matching("Retrieval mAP", "mean average precision of the teacher's items ranked for a sample"),
    "distance": _diagnostic("Distance to the teacher", "1 less the cosine to the projected teacher of its pair"),
    "distance_gap": _diagnostic("Distance gap", "test less train: how much farther from the teacher on unseen samples"),
    "eer_train": _diagnostic("EER on training samples", "the same measure on a subset of the training split", True),
    "eer_gap": _diagnostic("EER gap", "test less train: what does not carry over to unseen samples", True),
    "top1_train": _diagnostic("Top-1 on training samples", "the same measure on a subset of the training split", True),
    "top1_gap": _diagnostic("Top-1 gap", "train less test: what does not carry over to unseen samples", True),
}  # fmt: skip

SEEN = "_seen"


def legend(name: str) -> Legend:
    """Legend of a figure's name; ``_seen`` and ``_train`` stand for the training split, matching_1_N for any N."""
    if name.endswith(SEEN):
        found = legend(name.removesuffix(SEEN))
        return replace(found, title=f"{found.title}, seen classes")
    number = re.fullmatch(r"matching_1_(\d+)", name)
    if number:
        n = number.group(1)
        return _matching(f"1:{n} matching", f"the match is picked out of {n} items of the teacher's modality")
    if name in LEGENDS:
        return LEGENDS[name]
    raise KeyError(f"no figure is called {name!r}; there are: {', '.join(LEGENDS)}, matching_1_N")


def shown(name: str, value: float) -> str:
    """A figure in its unit.

    >>> shown("eer", 0.0856), shown("matching_auc", 0.5)
    ('8.6\\xa0%', '0.500')
    """
    return typeset(f"{100 * value:.1f}") + "\N{NO-BREAK SPACE}%" if legend(name).percent else typeset(f"{value:.3f}")


def shown_change(name: str, value: float) -> str:
    """A difference, with its sign; of percentages in points.

    >>> shown_change("eer", -0.0071)
    '−0.7'
    """
    return typeset(f"{100 * value:+.1f}" if legend(name).percent else f"{value:+.3f}")


def typeset(text: str) -> str:
    """The text with a true minus sign, and no sign before a zero."""
    return re.sub(r"^[+-](?=0(\.0+)?$)", "", text).replace("-", "\N{MINUS SIGN}")
