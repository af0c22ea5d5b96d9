"""What was measured on what: the first part of metrics.json."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cross_modal_kd.config import ArmConfig, ArmsConfig, DistillationConfig
from cross_modal_kd.evaluation.few_shot import too_few
from cross_modal_kd.evaluation.folds import Folds
from cross_modal_kd.evaluation.protocol import Protocol
from cross_modal_kd.samples import counted_labels, split_rows
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import hold_labels_back


def alone_name(metrics: Mapping[str, Any]) -> str:
    """What stands where one expects the student alone.

    Args:
        metrics: the content of metrics.json.

    Returns:
        ``student alone``, or the name of what takes its place.
    """
    return str(metrics.get("arms", {}).get("student_alone", {}).get("name", "student alone"))


def is_bound(metrics: Mapping[str, Any]) -> bool:
    """Whether what stands in the place of the student alone is bound to the teacher as well.

    Args:
        metrics: the content of metrics.json.

    Returns:
        False of a student alone, and of one that learns from its own samples by itself.
    """
    return bool(metrics.get("arms", {}).get("student_alone", {}).get("bound", False))


def summarise(
    protocol: Protocol,
    folds: Folds,
    samples: pd.DataFrame,
    arms: ArmsConfig,
    distillation: DistillationConfig,
    weights: Mapping[str, str],
) -> dict:
    """What was learnt, by which arms, and on what it was measured.

    Args:
        protocol: what both students were measured on.
        folds: and in which folds, where there are several; counts are then over all of them.
        samples: the table, whose training samples may be without a label.
        arms: all arms, for their titles.
        distillation: names the two that were compared, and says which labels were known.
        weights: of the two, by role, by which a reader knows whether a student is the one that was measured.

    Returns:
        {task, arms, protocol}: plain values, ready for JSON; and {labels} where some training samples have none. A
        baseline that is no student alone has a ``name`` among ``arms``, and one that a teacher binds is ``bound``.
    """
    known = hold_labels_back(samples, protocol.task, distillation.labelled)
    labels = counted_labels(split_rows(known, protocol.task.student, "train")["label"])
    protocols = list(folds.protocols) or [protocol]
    task, evaluation, kind = protocol.task, protocol.evaluation, kind_of(protocol.task)
    tests = [each.test for each in protocols]
    compared = {"student_alone": distillation.baseline, "distilled": distillation.arm}
    summary = {
        "task": task.model_dump(),
        "arms": {
            role: {"arm": arm, "title": arms.get(arm).title, "weights": weights[role]} for role, arm in compared.items()
        },
        **({"labels": labels} if labels else {}),
        "protocol": {
            "test_samples": sum(len(test.rows) for test in tests),
            "test_labels": len({label for test in tests for label in test.rows["label"]}),
            "train_subset_samples": 0 if protocols[0].train is None else len(protocols[0].train.rows),
            "bootstrap": {
                "cluster": kind.design.cluster,
                "clusters": len(tests[0].names),
                "resamples": evaluation.bootstrap,
                "level": evaluation.level,
                "seed": evaluation.seed,
            },
            "matching": {
                "pairing": task.pairing,
                "gallery_unseen": len(protocols[0].unseen.keys),
                "gallery_seen": len(protocols[0].seen.keys),
            },
        },
    }
    if name := _in_its_place(distillation.baseline, arms.get(distillation.baseline), labels):
        bound = {"bound": True} if arms.get(distillation.baseline).constraints else {}
        summary["arms"]["student_alone"] |= {"name": name, **bound}
    named = [(each.test.rows, each.named) for each in protocols if each.named is not None]
    if named:
        summary["protocol"]["unseen_classes"] = {
            "named": sum(len(classes.keys) for _, classes in named),
            "without_few_shot": {
                str(shots): sum(too_few(rows, classes, shots) for rows, classes in named) for shots in evaluation.shots
            },
        }
    if kind.uses_trials:
        summary["protocol"]["trials"] = _trials(protocols)
    if folds:
        summary["protocol"]["folds"] = [
            {
                "fold": number,
                "clusters": len(set(test.clusters.tolist())),
                "samples": len(test.rows),
                kind.metric: {role: values[number - 1] for role, values in folds.each.items()},
            }
            for number, test in enumerate(tests, start=1)
        ]
    return summary


def _in_its_place(name: str, baseline: ArmConfig, labels: Mapping[str, int]) -> str:
    """The name of a baseline that is no student alone; empty where it is one."""
    if baseline.constraints:
        return baseline.title or name
    if baseline.self_supervised is None:
        return ""
    return "SimCLR" if labels.get("labelled", 1) else "SimCLR, no labels"


def _trials(protocols: Sequence[Protocol]) -> dict:
    trials = pd.concat([each.trials for each in protocols])
    target, same_domain = trials["target"], trials["same_domain"]
    return {
        "targets": int((target == 1).sum()),
        "impostors": int((target == 0).sum()),
        "impostors_same_domain": int(((target == 0) & same_domain).sum()),
        "impostors_drawn_from": protocols[0].evaluation.impostors,
    }
