"""A small set of real samples, images and texts, for the tests of this room."""

import pandas as pd

from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.samples.schema import conform

SOURCES = SourcesConfig.model_validate(
    {
        "emoji": {"layout": "emoji", "root": "data/01_raw/emoji"},
        "voices": {"layout": "voices", "root": "data/01_raw/voices"},
    }
)
MEASURES = {"image": ["sharpness", "noise"], "speech": ["snr_wada", "decay"], "text": ["information", "length"]}
SCORE = {"image": ["sharpness"], "speech": ["snr_wada", "decay"], "text": ["information"]}
TASK = TaskConfig(name="t", title="", kind="verification", student="image", teacher="text")


def emoji_samples(n_concepts: int = 24) -> pd.DataFrame:
    """Two drawings and the text of each concept; a third of the concepts a split."""
    concepts = pd.read_csv("data/01_raw/emoji/concepts.csv").iloc[100 : 100 + 8 * n_concepts : 8]
    rows = []
    for place, (code, name, keywords) in enumerate(concepts[["code", "name", "keywords"]].itertuples(index=False)):
        split = ("train", "dev", "test")[place % 3]
        shared = {"label": code, "group": code, "split": split, "source": "emoji", "sha256": "0" * 64}
        text = f"{name} {keywords}".replace("|", " ")
        rows.append({"sample_id": f"text/{code}", "modality": "text", "text": text, **shared})
        rows += [
            {
                "sample_id": f"image/{code}/{style}",
                "modality": "image",
                "path": f"images.parquet#{code}/{style}",
                **shared,
            }
            for style in ("noto", "twemoji")
        ]
    return conform(pd.DataFrame(rows)).sort_values("sample_id", ignore_index=True)


def voice_samples() -> pd.DataFrame:
    """Two clips each of nine speakers."""
    clips = pd.read_csv("data/01_raw/voices/clips.csv")
    chosen = clips.groupby("speaker").head(2).iloc[:36:2].reset_index(drop=True)
    rows = chosen[["path", "duration_s"]].assign(
        sample_id=chosen["path"],
        modality="speech",
        label=chosen["speaker"],
        source="voices",
        sha256="0" * 64,
        sample_rate=16000,
        split=[("train", "dev", "test")[place % 3] for place in range(len(chosen))],
    )
    return conform(rows).sort_values("sample_id", ignore_index=True)
