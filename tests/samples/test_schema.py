import pandas as pd
import pytest
from pandera.errors import SchemaError, SchemaErrors

from cross_modal_kd.samples.schema import DTYPES, REJECTED, REJECTED_DTYPES, SAMPLES, conform
from sample_tables import sound_table


def test_a_sound_table_passes_and_survives_parquet(tmp_path):
    table = sound_table()
    SAMPLES.validate(table)
    table.to_parquet(tmp_path / "samples.parquet")
    pd.testing.assert_frame_equal(SAMPLES.validate(pd.read_parquet(tmp_path / "samples.parquet")), table)


def test_conform_keeps_missing_strings_missing():
    table = conform(pd.DataFrame({"sample_id": ["a", "b"], "text": [None, "words"]}))
    assert list(table) == list(DTYPES)
    assert table["text"].isna().tolist() == [True, False]
    assert table["group"].isna().all()


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("sample_id", "l00/1", "field_uniqueness"),
        ("modality", "video", "registered_modality"),
        ("split", "validation", "isin"),
        ("split", None, "not_nullable"),
        ("path", "../secret.png", "stays_inside_root"),
        ("path", "/etc/passwd", "stays_inside_root"),
        ("path", None, "exactly_one_of_path_or_text"),
        ("text", "both path and text", "exactly_one_of_path_or_text"),
        ("sha256", "abc", "str_matches"),
        ("duration_s", -1.0, "greater_than"),
        ("width", 0, "greater_than"),
    ],
)
def test_a_wrong_cell_is_refused(column, value, named):
    table = sound_table()
    table.loc[0, column] = value
    with pytest.raises(SchemaErrors, match=named):
        SAMPLES.validate(conform(table), lazy=True)


def test_conditions_are_kept_where_any_row_has_one():
    table = sound_table().assign(condition_genre="song", condition_gender=None)
    kept = SAMPLES.validate(conform(table))
    assert list(kept) == [*DTYPES, "condition_genre"] and str(kept["condition_genre"].dtype) == "str"
    assert list(conform(table, REJECTED_DTYPES)) == list(REJECTED_DTYPES)
    with pytest.raises(SchemaErrors, match="condition_"):
        SAMPLES.validate(kept.assign(condition_Genre="song"), lazy=True)


def test_an_unknown_column_is_refused():
    with pytest.raises(SchemaErrors, match="colour"):
        SAMPLES.validate(sound_table().assign(colour="red"), lazy=True)


def test_a_rejection_needs_a_reason():
    rejected = conform(pd.DataFrame([{"source": "s", "path": "p", "reason": ""}]), REJECTED_DTYPES)
    with pytest.raises(SchemaError, match="reason"):
        REJECTED.validate(rejected)


def test_the_catalog_validator_is_a_pandera_schema():
    from kedro.validation import DataValidationError, ValidatorSpec, resolve_validator

    validator = resolve_validator(ValidatorSpec("cross_modal_kd.samples.schema.SAMPLES"))
    table = sound_table()
    pd.testing.assert_frame_equal(validator.validate(table), table)
    with pytest.raises(DataValidationError, match="split: isin"):
        validator.validate(table.assign(split="all"))


def test_a_run_checks_the_table_that_it_saves_once_and_one_that_was_there_at_every_load(project_path, tmp_path):
    import yaml
    from kedro.io import DataCatalog
    from kedro.validation import DataValidationError

    text = (project_path / "conf/base/catalog_02_intermediate.yml").read_text(encoding="utf-8")
    entry = yaml.safe_load(text.replace("${_intermediate}", tmp_path.as_posix()))["samples"]
    run, later = (DataCatalog.from_config({"samples": entry}) for _ in range(2))
    table, checked = sound_table(), []
    with pytest.MonkeyPatch.context() as patch:
        validate = type(SAMPLES).validate
        patch.setattr(type(SAMPLES), "validate", lambda *given, **how: checked.append(1) or validate(*given, **how))
        run.save("samples", table)
        for _ in range(3):
            pd.testing.assert_frame_equal(run.load("samples"), table)
    assert len(checked) == 1
    with pytest.raises(DataValidationError, match="split: isin"):
        run.save("samples", table.assign(split="all"))
    later.load("samples")
    table.assign(split="all").to_parquet(tmp_path / "samples.parquet")
    for _ in range(2):
        with pytest.raises(DataValidationError, match="split: isin"):
            later.load("samples")
