"""What was measured on what: the first part of metrics.json."""

from cross_modal_kd.config import ArmsConfig, DistillationConfig
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.tasks import kind_of


def summarise(protocol: Protocol, arms: ArmsConfig, distillation: DistillationConfig) -> dict:
    """What was learnt, by which arms, and on what it was measured.

    Args:
        protocol: what both students were measured on.
        arms: all arms, for their titles.
        distillation: names the two that were compared.

    Returns:
        {task, arms, protocol}: plain values, ready for JSON.
    """
    task, evaluation, test = protocol.task, protocol.evaluation, protocol.test
    kind = kind_of(task)
    summary = {
        "task": task.model_dump(),
        "arms": {
            "student_alone": {"arm": distillation.baseline, "title": arms.get(distillation.baseline).title},
            "distilled": {"arm": distillation.arm, "title": arms.get(distillation.arm).title},
        },
        "protocol": {
            "test_samples": len(test.rows),
            "test_labels": int(test.rows["label"].nunique()),
            "train_subset_samples": 0 if protocol.train is None else len(protocol.train.rows),
            "bootstrap": {
                "cluster": kind.design.cluster,
                "clusters": len(test.names),
                "resamples": evaluation.bootstrap,
                "level": evaluation.level,
                "seed": evaluation.seed,
            },
            "matching": {
                "pairing": task.pairing,
                "gallery_unseen": len(protocol.unseen.keys),
                "gallery_seen": len(protocol.seen.keys),
            },
        },
    }
    if kind.uses_trials:
        summary["protocol"]["trials"] = _trials(protocol)
    return summary


def _trials(protocol: Protocol) -> dict:
    target, same_domain = protocol.trials["target"], protocol.trials["same_domain"]
    return {
        "targets": int((target == 1).sum()),
        "impostors": int((target == 0).sum()),
        "impostors_same_domain": int(((target == 0) & same_domain).sum()),
        "impostors_drawn_from": protocol.evaluation.impostors,
    }
