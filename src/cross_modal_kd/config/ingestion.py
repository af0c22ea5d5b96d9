"""Where samples come from, and how they are split."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, RootModel, model_validator

from cross_modal_kd.config.strict import Strict, without_null


class SourceConfig(Strict):
    """One source of raw files.

    layout: a key of ``cross_modal_kd.sources.LAYOUTS``.
    root: a folder (relative ones start at the project's folder) or ``package:NAME/FOLDER`` for data that an installed
    package carries.
    options: whatever that layout takes.
    licence: of the data, in words, for the student's card; of those that ship with the project it is known.
    shards: a folder in which the source's files lie in tar shards with an index, for network file systems: ingestion
    writes them there (``ingestion.shards``), and all that comes after it reads from them. null reads the files.
    """

    layout: str
    root: str
    options: dict[str, Any] = Field(default_factory=dict)
    licence: str = ""
    shards: str | None = Field(None, min_length=1)


class SourcesConfig(RootModel[Annotated[dict[str, SourceConfig], BeforeValidator(without_null)]]):
    """The block ``sources``: a name of your choice for each source of raw files.

    Those of an environment take the place of conf/base's. A source that is null is left out.
    """

    @model_validator(mode="before")
    @classmethod
    def _given_whole(cls, data: Any) -> Any:
        for name, source in data.items() if isinstance(data, dict) else ():
            if not isinstance(source, dict) or not source.keys() <= SourceConfig.model_fields.keys():
                continue  # the source's own model says so
            if lacking := [key for key in ("layout", "root") if not source.get(key)]:
                raise ValueError(
                    f"sources.{name}: {' and '.join(lacking)} lacking; a source is given whole, with layout, root and "
                    "the layout's options (one of an environment, or of another layout, takes nothing of conf/base's)"
                )
        return data

    @model_validator(mode="after")
    def _named(self) -> "SourcesConfig":
        if not self.root:
            raise ValueError("sources is empty: name at least one, with its layout and root")
        return self


class SplitConfig(Strict):
    """Shares of the *clusters* (labels for verification, groups for classification), drawn with a seed.

    A cluster is drawn by a hash of its name and the seed, so that none moves when data is added; the sizes follow the
    shares as those of a random draw do.

    train: share of the training split. dev: share of the split that checkpoints, hyper-parameters and thresholds are
    chosen on. test: share of the split that is measured once. The three sum to 1.
    seed: of the draw.
    frozen: a CSV file (cluster, split, and the seed that it was drawn with, if any) of a split that was drawn once,
    relative to the project's folder: what it names is not drawn. Every run saves its split so, as ``drawn_split``. With
    another seed than the file's, all is drawn anew; so it is with null. Of a chimeric task, its column ``teacher``
    gives the teacher's label of each ``label:``, where there is one.
    """

    train: float = Field(0.6, gt=0, lt=1)
    dev: float = Field(0.1, gt=0, lt=1)
    test: float = Field(0.3, gt=0, lt=1)
    seed: int = Field(0, ge=0)
    frozen: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _sums_to_one(self) -> "SplitConfig":
        total = self.train + self.dev + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"split.train + split.dev + split.test must be 1, is {total:g}")
        return self


class ShardsConfig(Strict):
    """Tar shards of those sources that name a folder for them (``sources.<name>.shards``).

    mb: size of a shard.
    """

    mb: int = Field(1024, ge=1)


class IngestionConfig(Strict):
    """Raw files to the samples table.

    max_labels: keep only that many labels (drawn with the split's seed), for trials and tests; null keeps all.
    min_duration_s: shorter sounds are rejected, with the reason in ``rejected_samples``.
    join_s: sounds that are shorter and that their source gives to training are joined with others of the same label,
    domain and folder until they last so long together; no file is written. null joins none.
    max_rejected_share: more rejected samples than this share of a source stop the run.
    workers: threads that decode.
    without_partner: a training sample of the student to which the task's pairing gives no teacher sample stops the run
    (``error``), or goes to ``rejected_samples`` (``reject``).
    conflicting_copies: files that lie, byte for byte, under two labels (of no common family) all go to
    ``rejected_samples`` (``reject``), or are kept with a warning (``keep``).
    shards: writes files that are new or have changed into tar shards, where a source names a folder for them
    (``sources.<name>.shards``); null writes none.
    """

    split: SplitConfig = SplitConfig()
    max_labels: int | None = Field(None, ge=2)
    min_duration_s: float = Field(0.4, ge=0)
    join_s: float | None = Field(None, gt=0, le=60)
    max_rejected_share: float = Field(0.05, ge=0, le=1)
    workers: int = Field(2, ge=1, le=256)
    without_partner: Literal["error", "reject"] = "error"
    conflicting_copies: Literal["reject", "keep"] = "reject"
    shards: ShardsConfig | None = None
