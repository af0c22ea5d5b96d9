"""How verification is put into words."""

from cross_modal_kd.tasks.kind import Caption
from cross_modal_kd.tasks.legend import accuracy_legend, diagnostic_legend, error_legend

LEGENDS = {
    "eer": error_legend("EER", "equal error rate: as many pairs wrongly accepted as wrongly rejected"),
    "eer_same_domain": error_legend(
        "EER, impostors of one domain", "impostor pairs share artist or recording channel: no such cue helps"
    ),
    "min_dcf_01": error_legend(
        "minDCF (p = 0.01)", "least detection cost if 1 pair in 100 is a target; 1 is useless", percent=False
    ),
    "min_dcf_05": error_legend(
        "minDCF (p = 0.05)", "least detection cost if 1 pair in 20 is a target; 1 is useless", percent=False
    ),
    "identification_rank1": accuracy_legend(
        "Identification, rank 1", "closed set: each label enrolled with one sample, the others are looked up"
    ),
    "eer_train": diagnostic_legend(
        "EER on training samples", "the same metric on a subset of the training split", percent=True
    ),
    "eer_gap": diagnostic_legend(
        "EER gap", "test less train: what does not carry over to unseen samples", percent=True
    ),
}  # fmt: skip

CAPTIONS = (
    Caption(
        "Every threshold at once",
        "False rejections against false acceptances, both on normal deviate axes: the curve nearer to the lower left "
        "is better; the dot on the diagonal is the equal error rate. Dashed: the projected teacher on its own "
        "modality.",
    ),
    Caption(
        "The scores behind it",
        "How the scores of target and impostor pairs are spread. The less they overlap the better; the line is the "
        "threshold of the equal error rate. Dotted, where the data names domains (an artist, a recording channel): "
        "impostors that share one.",
    ),
)
