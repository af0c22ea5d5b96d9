"""How each plot is to be read."""

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.tasks import kind_of

SUMMARY = (
    "Both students, and the gain",
    "Left: every metric, with its interval where it has one. Right: what the distilled student gains; right of the "
    "line is better, grey where the interval includes zero or there is none; an arrow goes on, to more than twice the "
    "errors. The gain is paired, so it may be clear although the two intervals on the left overlap.",
)
TRAINING = (
    "How the training went",
    "The loss of the task (the constraints' own losses are not in it), the metric on the dev split that chose the "
    "checkpoint, and the share of samples that lie outside the margins and are still pulled.",
)
QUALITY = (
    "Quality of the samples",
    "Each measure by split, and the score that weighs the samples. A test split to the left of the training split is "
    "worse than what was trained on.",
)
BOTH = "Both students were bound to the teacher; chance is dashed."
ALONE = (
    "Alone, the student knows nothing of the teacher's space: it lies about chance (dashed), a little to one side as "
    "the two spaces happen to be turned."
)
REPEATED = (
    " Where several samples have the same counterpart (one caption for many pictures), nothing tells its copies "
    "apart: which of them is picked is left to chance, and only a sample's own copy counts as right."
)


def captions(task: TaskConfig, bound: bool = False) -> list[tuple[str, str, str]]:
    """How each plot is to be read, in the order of the page.

    Args:
        task: its modalities, and its kind, which words two of the captions.
        bound: whether the student that the distilled one is compared with is bound to the teacher as well.

    Returns:
        (name of the image, heading, caption) of the six plots.
    """
    matching = (
        "Does a sample find its counterpart?",
        f"Given one {task.student} sample, the {task.teacher} that belongs to it is to be picked among N by the cosine "
        f"of the embeddings. {BOTH if bound else ALONE}" + (REPEATED if task.pairing == "instance" else ""),
    )
    operating, scores = kind_of(task).captions
    return [
        ("summary", *SUMMARY),
        ("operating", operating.heading, operating.text),
        ("scores", scores.heading, scores.text),
        ("matching", *matching),
        ("training", *TRAINING),
        ("quality", *QUALITY),
    ]
