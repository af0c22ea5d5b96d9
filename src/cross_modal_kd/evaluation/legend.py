"""What each metric is called, in which unit it is shown, and which way is better."""

import re
from dataclasses import replace

from cross_modal_kd.plotting import typeset
from cross_modal_kd.tasks import (
    KINDS,
    Legend,
    condition_legend,
    diagnostic_legend,
    matching_legend,
    unseen_legend,
)

SECTIONS = {
    "core": "The task",
    "conditions": "By condition: the pairs within one, and across two",
    "matching": "Cross-modal matching: the student's embedding against the teacher's",
    "named": "Classes never seen in training, named by their words",
    "shown": "Classes never seen in training, shown by a few samples",
    "diagnostics": "Diagnostics",
}
SEEN = "_seen"
NUMBERED = ("matching_1_N", "open_vocabulary_N", "few_shot_K", "few_shot_K_N")
OF_MATCHING = {
    "matching_auc": matching_legend(
        "AUC of all pairs", "a matching pair scores above one that does not match", percent=False
    ),
    "retrieval_map": matching_legend(
        "Retrieval mAP", "mean average precision of the teacher's items ranked for a sample"
    ),
    "open_vocabulary": unseen_legend(
        "Open vocabulary", "the label is picked out of all test labels by its words, none of which training has seen",
        "named",
    ),
    "distance": diagnostic_legend(
        "Distance to the teacher", "1 less the cosine to the projected teacher of its pair"
    ),
    "distance_gap": diagnostic_legend(
        "Distance gap", "test less train: how much farther from the teacher on unseen samples"
    ),
}  # fmt: skip


def tested_on(metrics: dict) -> str:
    """What a result was measured on, as tables name it.

    Args:
        metrics: the content of metrics.json.

    Returns:
        The test split, or the tests of all folds where there are several.
    """
    folds = metrics.get("protocol", {}).get("folds")
    return f"the tests of all {len(folds)} folds" if folds else "the test split"


def legends() -> dict[str, Legend]:
    """Of every metric: those of each kind of task, and those of matching."""
    return {name: found for kind in KINDS.values() for name, found in kind.legends.items()} | OF_MATCHING


def legend_of(name: str) -> Legend:
    """Legend of a metric; ``_seen`` stands for the training split, the names of ``NUMBERED`` for any numbers.

    Args:
        name: as in metrics.json, such as ``eer``, ``matching_1_10``, ``matching_auc_seen`` or, of any condition and
            value, ``eer_within_genre/singing``.

    Returns:
        Its title, section, unit and better way.

    Raises:
        KeyError: no metric is called that; the message lists those there are.
    """
    if name.endswith(SEEN):
        found = legend_of(name.removesuffix(SEEN))
        return replace(found, title=f"{found.title}, training samples")
    number = re.fullmatch(r"matching_1_(\d+)", name)
    if number:
        n = number.group(1)
        return matching_legend(f"1:{n} matching", f"the match is picked out of {n} items of the teacher's modality")
    number = re.fullmatch(r"open_vocabulary_(\d+)", name)
    if number:
        n = number.group(1)
        return unseen_legend(
            f"Open vocabulary, among {n}",
            f"the label is picked by its words out of {n} test labels, its own and any others",
            "named",
        )
    number = re.fullmatch(r"few_shot_(\d+)(?:_(\d+))?", name)
    if number:
        return _few_shot(*number.groups())
    if (of_condition := condition_legend(name)) is not None:
        return of_condition
    known = legends()
    if name not in known:
        raise KeyError(f"no metric is called {name!r}; there are: {', '.join([*known, *NUMBERED])}")
    return known[name]


def _few_shot(shots: str, n: str | None) -> Legend:
    samples = "1 sample" if shots == "1" else f"{shots} samples"
    others = f"{n} test labels, its own and any others" if n else "all test labels"
    return unseen_legend(
        f"{samples} a class" + (f", among {n}" if n else ""),
        f"the label is picked out of {others}, each shown by the mean of {samples} drawn from it, in the student's own "
        "space; labels without a further sample are left out",
        "shown",
    )


def shown(name: str, value: float) -> str:
    r"""A metric in its unit.

    Args:
        name: of the metric, as in metrics.json.
        value: as measured; a share, not a percentage.

    Returns:
        A percentage with one decimal, or a number with three.

    >>> shown("eer", 0.0856), shown("matching_auc", 0.5)
    ('8.6\xa0%', '0.500')
    """
    return typeset(f"{100 * value:.1f}") + "\N{NO-BREAK SPACE}%" if legend_of(name).percent else typeset(f"{value:.3f}")


def shown_change(name: str, value: float) -> str:
    """A difference, with its sign; of percentages in points.

    Args:
        name: of the metric, as in metrics.json.
        value: the difference as measured; of shares, not of percentages.

    Returns:
        Points with one decimal, or a number with three; a zero has no sign.

    >>> shown_change("eer", -0.0071)
    '−0.7'
    """
    return typeset(f"{100 * value:+.1f}" if legend_of(name).percent else f"{value:+.3f}")
