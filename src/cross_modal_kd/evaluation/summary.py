"""What was measured on what: the head of metrics.json."""

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.objective import DistillationConfig
from cross_modal_kd.evaluation.protocol import Protocol


def summarise(setting: Protocol, arms: ArmsConfig, distillation: DistillationConfig) -> dict:
    """{task, arms, protocol}: plain values."""
    task, evaluation, test = setting.task, setting.evaluation, setting.test
    target = setting.trials["target"]
    summary = {
        "task": task.model_dump(),
        "arms": {
            "student_alone": {"arm": distillation.baseline, "title": arms.get(distillation.baseline).title},
            "distilled": {"arm": distillation.arm, "title": arms.get(distillation.arm).title},
        },
        "protocol": {
            "test_samples": len(test.rows),
            "test_labels": int(test.rows["label"].nunique()),
            "train_subset_samples": 0 if setting.train is None else len(setting.train.rows),
            "bootstrap": {
                "unit": "label" if task.kind == "verification" else "group",
                "units": len(test.names),
                "resamples": evaluation.bootstrap,
                "level": evaluation.level,
                "seed": evaluation.seed,
            },
            "matching": {
                "pairing": task.pairing,
                "gallery_unseen": len(setting.unseen.keys),
                "gallery_seen": len(setting.seen.keys),
            },
        },
    }
    if task.kind == "verification":
        summary["protocol"]["trials"] = {
            "targets": int((target == 1).sum()),
            "impostors": int((target == 0).sum()),
            "impostors_same_domain": int(((target == 0) & setting.trials["same_domain"]).sum()),
            "impostors_drawn_from": evaluation.impostors,
        }
    return summary
