"""How each plot is to be read."""

from cross_modal_kd.config.task import TaskConfig

DET = (
    "Every threshold at once",
    "False rejections against false acceptances, both on normal deviate axes: the curve nearer to the lower left is "
    "better; the dot on the diagonal is the equal error rate. Dashed: the projected teacher on its own modality.",
)
SCORES = (
    "The scores behind it",
    "How the scores of target and impostor pairs are spread. The less they overlap the better; the line is the "
    "threshold of the equal error rate. Dotted: impostors that share artist or recording channel.",
)
RELIABILITY = (
    "Can its confidence be believed?",
    "Of the answers given with a confidence, the share that is right: on the diagonal the confidence can be taken at "
    "its word, below it the student is too sure. Underneath, how many samples have that confidence.",
)
CLASSES = (
    "Classes that gain or lose",
    "Accuracy of the classes that change most between the two students, and what the distilled one most often takes "
    "for what. Single classes are small: read the pattern, not one row.",
)
SUMMARY = (
    "Both students, and the gain",
    "Left: every figure with its interval. Right: what the distilled student gains; right of the line is better, grey "
    "where the interval includes zero. The gain is paired, so it may be clear although the two intervals on the left "
    "overlap.",
)
TRAINING = (
    "How the training went",
    "The loss of the task (the constraints' own losses are not in it), the measure on the dev split that chose the "
    "checkpoint, and the share of samples that lie outside the margins and are still pulled.",
)
QUALITY = (
    "Quality of the samples",
    "Each measure by split, and the score that weighs the samples. A test split to the left of the training split is "
    "worse than what was trained on.",
)


def captions(task: TaskConfig) -> list[tuple[str, str, str]]:
    """(image, heading, caption) in the order of the page."""
    matching = (
        "Does a sample find its counterpart?",
        f"Given one {task.student} sample, the {task.teacher} that belongs to it is to be picked among N by the cosine "
        "of the embeddings. Alone, the student knows nothing of the teacher's space: it lies about chance (dashed), a "
        "little to one side as the two spaces happen to be turned.",
    )
    operating, scores = (DET, SCORES) if task.kind == "verification" else (RELIABILITY, CLASSES)
    return [
        ("summary", *SUMMARY),
        ("operating", *operating),
        ("scores", *scores),
        ("matching", *matching),
        ("training", *TRAINING),
        ("quality", *QUALITY),
    ]
