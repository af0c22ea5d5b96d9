"""Small samples tables for tests."""

import hashlib

import pandas as pd

from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.samples.design import SamplingDesign
from cross_modal_kd.samples.pairing import Pairing
from cross_modal_kd.samples.schema import conform

VERIFICATION = TaskConfig(name="v", title="V", kind="verification", student="image", teacher="text")
CLASSIFICATION = TaskConfig(name="c", title="C", kind="classification", student="image", teacher="text")
OPEN_SET = SamplingDesign(cluster="label", closed_set=False, least=2)
CLOSED_SET = SamplingDesign(cluster="group", closed_set=True, least=1)
CHIMERIC = TaskConfig(
    name="f", title="F", kind="verification", student="speech", teacher="image", pairing="label", chimeric=True
)


def sample(sample_id: str, label: str, split: str | None, modality: str = "image", **more) -> dict:
    """One row; an image or sound has a path, a text its own words; the group is the label unless given."""
    body = {"text": f"about {label}"} if modality == "text" else {"path": f"{label}/{sample_id}.png"}
    row = {"sample_id": sample_id, "label": label, "split": split, "modality": modality, "group": label}
    return row | {"source": "made", "sha256": hashlib.sha256(sample_id.encode()).hexdigest()} | body | more


def sound_table() -> pd.DataFrame:
    """Twelve concepts, two pictures and one text of each; four concepts a split."""
    rows = []
    for number in range(12):
        label, split = f"l{number:02d}", ("train", "dev", "test")[number // 4]
        rows += [sample(f"{label}/{view}", label, split) for view in range(2)]
        rows.append(sample(f"{label}/text", label, split, "text"))
    return conform(pd.DataFrame(rows))


def teachers_of(pairing: Pairing) -> dict[str, list[str]]:
    """The candidates of every student sample, by id."""
    names = [[pairing.teacher_ids[row] for row in pairing.of(student)] for student in range(len(pairing.student_ids))]
    return dict(zip(pairing.student_ids, names, strict=True))
