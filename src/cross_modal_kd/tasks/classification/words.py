"""How classification is put into words."""

from cross_modal_kd.tasks.kind import Caption
from cross_modal_kd.tasks.legend import Legend, accuracy_legend, diagnostic_legend

LEGENDS = {
    "top1": accuracy_legend("Top-1 accuracy", "the first answer is right"),
    "top5": accuracy_legend("Top-5 accuracy", "the right class is among the first five"),
    "macro_f1": accuracy_legend("Macro F1", "F1 averaged over the classes, each counting the same"),
    "calibration_error": Legend(
        "Calibration error",
        "core",
        "lower",
        percent=True,
        reducible=False,
        explains=(
            "mean gap between confidence and accuracy (ECE, 15 bins); chance adds to it, which its interval takes off"
        ),
    ),
    "top1_train": diagnostic_legend(
        "Top-1 on training samples", "the same metric on a subset of the training split", percent=True
    ),
    "top1_gap": diagnostic_legend(
        "Top-1 gap", "train less test: what does not carry over to unseen samples", percent=True
    ),
}  # fmt: skip

CAPTIONS = (
    Caption(
        "Can its confidence be believed?",
        "Of the answers given with a confidence, the share that is right: on the diagonal the confidence can be taken "
        "at its word, below it the student is too sure. Underneath, how many samples have that confidence.",
    ),
    Caption(
        "Classes that gain or lose",
        "Accuracy of the classes that change most between the two students, and what the distilled one most often "
        "takes for what. Single classes are small: read the pattern, not one row.",
    ),
)
