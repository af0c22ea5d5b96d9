"""The results as pages: every number from a file, what is missing named, nothing typed by hand."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.hooks.provenance import note
from cross_modal_kd.studies.results.config import ResultsConfig
from cross_modal_kd.studies.results.findings import FindingsError, filled
from cross_modal_kd.studies.results.images import dark_png, small_png
from cross_modal_kd.studies.results.nodes import write_results
from cross_modal_kd.studies.results.numbers import number, with_interval
from cross_modal_kd.studies.results.sections import KINDS, read_sections
from evaluation_world import CHIMERIC, VERIFICATION, world

DOCS = Path(__file__).parents[2] / "docs"
ROW = {"error_metric": "eer", "error_sd_over_seeds": 0.002, "seeds": 2, "seed_list": "0 1"}
ALONE = {"arm": "none", "title": "student alone", "projection": "no teacher", "error_mean": 0.0856}
SOFT = {
    "arm": "soft_both", "title": "soft | both", "error_mean": 0.0784, "hard_arm": "hard",
    "relative_reduction_to_baseline": 0.084, "relative_reduction_to_baseline_low": 0.08,
    "relative_reduction_to_baseline_high": 0.089,
}  # fmt: skip
COMPARISON = pd.DataFrame(
    [ROW | ALONE, ROW | SOFT | {"projection": "mlp"}, ROW | SOFT | {"projection": "pca", "error_mean": 0.08}]
)


@pytest.fixture(scope="module")
def metrics() -> str:
    made = world()
    return json.dumps(made.metrics(made.embeddings(np.inf), made.embeddings(0.5)))


@pytest.fixture
def folder(tmp_path, metrics):
    """A reporting folder with some of everything."""
    reporting = tmp_path / "reporting"
    reporting.mkdir()
    (reporting / "metrics.json").write_text(metrics)
    COMPARISON.to_csv(reporting / "comparison.csv", index=False)
    study = COMPARISON.assign(
        study="noise", condition="clean test", other_arm="soft_both", relative_reduction_to_other=0.03
    )
    (reporting / "regimes").mkdir()
    study.to_csv(reporting / "regimes" / "noise.csv", index=False)
    about = {"study": "labels", "condition": "5 % labelled", "seeds": 3, "projection": "pca"}
    numbers = {f"{end}_{over}": 0.1 for end in ("low", "high", "sd") for over in ("clusters", "seeds", "both")}
    numbers |= {"share": 0.2, "share_low": 0.1, "share_high": 0.1, "sd_single_seed": 0.03}
    spread = [
        about | numbers | {"arm": arm, "title": f"{arm}!", "contrast": told, "other": other}
        for arm, told, other in (("none", "", ""), ("soft", "", ""), ("soft", "each at its own values", "none"))
    ]  # fmt: skip
    pd.DataFrame(spread).to_csv(reporting / "labels_regime_spread.csv", index=False)
    conditions = pd.DataFrame(
        {
            "arm": arm,
            "title": arm,
            "projection": "mlp",
            "kind": kind,
            "level": level,
            "unit": "SNR, dB",
            "severity": severity,
        }
        | {"error": 0.1, "error_low": 0.05, "error_high": 0.2, "error_metric": "eer", "damaged_sides": "test"}
        for kind, level, severity in [("clean", None, 0), ("white", 0.0, 1)]
        for arm in ("student_alone", "distilled")
    )
    conditions.assign(difference_to_alone=0.01).to_csv(reporting / "robustness.csv", index=False)
    trials = pd.DataFrame({"arm": "soft", "trial": [0, 1], "state": ["complete", "pruned"], "dev": [0.2, 0.1]})
    trials = trials.assign(larger_is_better=False, best=[False, True], **{"constraints.feature.margin": [0.4, 0.25]})
    trials.to_csv(reporting / "tuning_trials.csv", index=False)
    ordering = {"modality": "image", "measure": "sharpness", "degradation": "blur", "rank_correlation": 0.91}
    pd.DataFrame([ordering | {"low": 0.9, "high": 0.93}]).to_csv(reporting / "quality_ordering.csv", index=False)
    curve = {"measure": "score", "share_left_out": [0.0, 0.25], "eer": [0.1, 0.05], "eer_random_order": [0.1, 0.1]}
    pd.DataFrame(curve | {"area_over_random": 0.8}).to_csv(reporting / "error_versus_discard.csv", index=False)
    Image.new("RGB", (8, 8), "white").save(reporting / "comparison_forest.png")
    return reporting


def write(folder, docs, task=VERIFICATION, evaluation=None, **options) -> str:
    write_results(folder, task, evaluation or EvaluationConfig(), ResultsConfig(docs_root=str(docs), **options))
    return (docs / "results" / f"{task.name}.md").read_text(encoding="utf-8")


def test_every_kind_has_its_table_and_the_note_beside_it(folder, tmp_path):
    page = write(folder, tmp_path / "docs")
    for kind in KINDS:
        section = page.split(f"## {kind.title}\n")[1].split("\n## ")[0]
        assert "| --- |" in section and "> A note." in section, kind.name
    assert "## Not run" not in page
    assert "| soft \\| both | trainable | 7.8 | 0.2 | 8.4 [8.0, 8.9] | 2 |" in page
    assert "| white | 0 (SNR, dB) | 10.0 [5.0, 20.0] | 10.0 [5.0, 20.0] | 1.0 |" in page
    assert "| soft | 2 | 1 | 20.0 | 10.0 | constraints.feature.margin 0.250 |" in page
    assert "| sharpness | 0.910 [0.900, 0.930] |" in page
    assert "| score | 10.0 | 5.0 (random 10.0) | 5.0 (random 10.0) | 0.800 |" in page
    assert "trained with seeds 0 1" in page
    line = "| 20.0 | [10.0, 10.0] | [10.0, 10.0] | [10.0, 10.0] | 3.0 | 10.0 | 10.0 | 3 |"
    assert f"| none! | fixed | its errors {line}" in page
    assert f"| soft! | fixed | errors of none! that it removes (each at its own values) {line}" in page
    conditions = page.split("**Damaged training inputs")[1].split("\n\n")[1].splitlines()
    assert conditions[0].startswith("| condition | arm | projection | EER, % |") and conditions[-1].startswith(
        "| clean test | soft"
    )


def test_unseen_classes_have_a_table_of_the_arms_with_chance_below(folder, tmp_path):
    caption = "**Classes never seen in training, named by their words: accuracy, %**"
    assert caption not in write(folder, tmp_path / "docs"), "a comparison of before has none"
    named = {"open_vocabulary_50": 0.2, "open_vocabulary_50_low": 0.15, "open_vocabulary_50_high": 0.25}
    table = COMPARISON.assign(**named, open_vocabulary_50_chance=0.02, open_vocabulary_2=np.nan)
    table.assign(open_vocabulary_2_chance=np.nan).to_csv(folder / "comparison.csv", index=False)
    rows = write(folder, tmp_path / "docs").split(caption)[1].split("\n\n")[1].splitlines()
    assert rows[0] == "| arm | projection | Open vocabulary, among 50 |"
    assert rows[3] == "| soft \\| both | trainable | 20.0 [15.0, 25.0] |"
    assert rows[-1] == "| chance | – | 2.0 (1 in 50) |"
    study = pd.read_csv(folder / "regimes" / "noise.csv").assign(**named, open_vocabulary_50_chance=0.02)
    study.to_csv(folder / "regimes" / "noise.csv", index=False)
    page = write(folder, tmp_path / "docs")
    rows = page.split("## Regimes\n")[1].split(caption)[1].split("\n\n")[1].splitlines()
    assert rows[3] == "| clean test | soft \\| both | trainable | 20.0 [15.0, 25.0] |"
    assert rows[-1] == "| – | chance | – | 2.0 (1 in 50) |"
    assert page.count(caption) == 2, "a headline shows errors"


def test_a_study_says_that_it_has_no_folds_and_a_result_over_folds_is_not_called_that_of_the_split(folder, tmp_path):
    said = "On the test split alone, the first of the 3 folds of `evaluation.folds`"
    plots = "of every threshold or confidence is of the first fold alone, the others over all folds."
    page = write(folder, tmp_path / "docs")
    assert said not in page and plots not in page
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["protocol"]["folds"] = [{}, {}, {}]
    (folder / "metrics.json").write_text(json.dumps(metrics))
    page = write(folder, tmp_path / "docs", evaluation=EvaluationConfig(folds=3))  # in place of the page above
    sections = {kind.name: page.split(f"## {kind.title}\n")[1].split("\n## ")[0] for kind in KINDS}
    with_it = {name for name, section in sections.items() if said in section}
    assert with_it == {"comparison", "regimes", "spread", "robustness", "error_versus_discard"}
    assert "**Both students on the tests of all 3 folds**" in sections["metrics"]
    assert {name for name, section in sections.items() if plots in section} == {"metrics"}


def test_a_comparison_over_folds_says_so(folder, tmp_path):
    COMPARISON.assign(folds=3).to_csv(folder / "comparison.csv", index=False)
    page = write(folder, tmp_path / "docs", evaluation=EvaluationConfig(folds=3))
    section = page.split("## The arms side by side\n")[1].split("\n## ")[0]
    assert "resample clusters of the tests of all 3 folds**" in section and "the first of the 3 folds" not in section
    assert "alone, on the tests of all 3 folds**" in (tmp_path / "docs" / "RESULTS.md").read_text()


def test_a_study_over_folds_says_so_in_its_captions(folder, tmp_path):
    for name in ("regimes/noise.csv", "labels_regime_spread.csv"):
        pd.read_csv(folder / name).assign(folds=3).to_csv(folder / name, index=False)
    page = write(folder, tmp_path / "docs", evaluation=EvaluationConfig(folds=3))
    for title, caption in (("Regimes", "are worth there"), ("Seeds and clusters apart", "5 % labelled")):
        section = page.split(f"## {title}\n")[1].split("\n## ")[0]
        assert f"{caption}, on the tests of all 3 folds**" in section and "the first of the 3 folds" not in section


def test_a_study_names_the_baseline_of_a_condition_which_is_not_always_the_student_alone(folder, tmp_path):
    pd.read_csv(folder / "regimes" / "noise.csv").assign(difference_to_baseline=[np.nan, 0.01, 0.01]).to_csv(
        folder / "regimes" / "noise.csv", index=False
    )
    section = write(folder, tmp_path / "docs").split("## Regimes\n")[1].split("\n## ")[0]
    assert "| difference to the baseline, points |" in section and "difference to alone" not in section
    assert "where nothing is labelled, SimCLR" in section


def test_the_share_outside_the_margin_is_that_of_the_last_epoch_and_not_of_the_checkpoint(folder, tmp_path):
    COMPARISON.assign(active_fraction_feature=0.4).to_csv(folder / "comparison.csv", index=False)
    assert "| active in the last epoch, feature, % |" in write(folder, tmp_path / "docs")


def test_a_remark_on_the_run_stands_under_its_table(folder, tmp_path):
    made = {"command": "kedro run", "seeds": {}, "remarks": ["the student 'distilled' was made\notherwise"]}
    note(folder, folder / "robustness.csv", made)
    section = write(folder, tmp_path / "docs").split("## Robustness\n")[1].split("\n## ")[0]
    assert "\n> the student 'distilled' was made otherwise\n" in section


def test_what_was_not_run_is_listed_with_its_command(folder, tmp_path):
    (folder / "comparison.csv").unlink()
    page = write(folder, tmp_path / "docs", default_task="v")
    assert "- The arms side by side: `kedro run --pipeline=comparison`" in page and "comparison_forest" not in page
    assert "`kedro run --pipeline=comparison --env=v`" in write(folder, tmp_path / "docs", default_task="other")
    empty = tmp_path / "empty"
    empty.mkdir()
    page = write(empty, tmp_path / "other")
    assert "Nothing was measured yet." in page and page.count("- ") >= len(KINDS)


def test_an_environment_that_varies_a_task_has_a_title_and_a_note_of_its_own(folder, tmp_path):
    page = write(folder, tmp_path / "docs", title="Heavier and heavier", note="The weights are given.")
    assert "\n# Heavier and heavier\n" in page and "The weights are given." in page and VERIFICATION.title not in page
    assert "## Heavier and heavier" in (tmp_path / "docs" / "RESULTS.md").read_text(encoding="utf-8")


def test_each_study_names_its_own_seeds(folder, tmp_path):
    longer = pd.read_csv(folder / "regimes" / "noise.csv").assign(study="width", seed_list="0 1 2")
    longer.to_csv(folder / "regimes" / "width.csv", index=False)
    lines = {line.split(":")[0]: line for line in write(folder, tmp_path / "docs").splitlines()}
    assert "trained with seeds 0 1 ·" in lines["noise"] and "trained with seeds 0 1 2 ·" in lines["width"]


def test_a_task_of_studies_alone_is_led_by_its_first(folder, tmp_path):
    for made in (*folder.glob("comparison*"), folder / "metrics.json"):
        made.unlink()
    page = write(folder, tmp_path / "docs")
    top = page[page.index("<!-- headline -->") : page.index("<!-- end of headline -->")]
    assert "| clean test | student alone |" in top


def test_chimeric_pairs_are_named_wherever_a_table_is(folder, tmp_path):
    page = write(folder, tmp_path / "docs", task=CHIMERIC)
    assert page.count("> Chimeric pairs: text and image never belonged together.") == 1 + len(KINDS)
    assert "> Chimeric pairs" in (tmp_path / "docs" / "RESULTS.md").read_text(encoding="utf-8")


def test_a_line_says_how_a_file_came_about_as_long_as_it_is_that_file(folder, tmp_path):
    facts = {"command": "kedro run --pipelines=comparison", "seeds": {"evaluation.seed": 3, "tuning.seed": 1}}
    facts |= {
        "device.cpu": "A CPU",
        "device.cores": "2",
        "device.gpus": "none",
        "git.sha": "a" * 40,
        "git.dirty": "true",
    }
    note(folder, folder / "comparison.csv", facts)
    page = write(folder, tmp_path / "docs")
    line = (
        r"\*`kedro run --pipelines=comparison` · trained with seeds 0 1 · evaluation.seed 3 · A CPU, 2 cores, no GPU · "
    )
    assert re.search(line + r"20\d\d-\d\d-\d\d · commit a{10} with changes\*", page)
    facts |= {"device.threads": "1", "split": "conf/v/split.csv", "budget": {"tuning.trials": 10, "tuning.epochs": 6}}
    note(folder, folder / "comparison.csv", facts)
    note(
        folder,
        folder / "tuning_trials.csv",
        facts | {"device.cpu": "B CPU", "split": "drawn", "seeds": {"ingestion.split.seed": 4}},
    )
    page = write(folder, tmp_path / "docs")
    assert "· evaluation.seed 3 · split `conf/v/split.csv` · A CPU, 2 cores, 1 thread, no GPU ·" in page
    assert "· tuning.trials 10 · tuning.epochs 6 · split drawn with seed 4 · B CPU" in page
    COMPARISON.assign(seeds=5).to_csv(folder / "comparison.csv", index=False)
    page = write(folder, tmp_path / "docs")
    assert "A CPU" not in page and "date, machine and commit were not noted" in page


def test_the_index_holds_the_headlines_of_all_tasks_the_default_one_first(folder, tmp_path):
    docs = tmp_path / "docs"
    write(folder, docs, task=CHIMERIC.model_copy(update={"name": "a"}))
    write(folder, docs, task=VERIFICATION, default_task="v")
    index = (docs / "RESULTS.md").read_text(encoding="utf-8")
    assert index.index("results/v.md") < index.index("results/a.md")
    assert index.count("**Every arm against the student alone**") == 2
    (docs / "results" / "b.md").write_text("# mine")
    with pytest.raises(ValueError, match="b.md has no headline"):
        write(folder, docs)


def test_the_index_is_led_by_a_text_whose_numbers_are_those_of_every_task(folder, tmp_path):
    docs = tmp_path / "docs"
    lead = docs / "findings" / "RESULTS.md"
    lead.parent.mkdir(parents=True)
    lead.write_text(
        '{{ v.comparison["soft_both/mlp"].relative_reduction_to_baseline }} | {{ a.metrics.difference.eer }}'
    )
    with pytest.raises(FindingsError, match=r"RESULTS.md, line 1: 'a' is undefined; there are: v$"):
        write(folder, docs, task=VERIFICATION, default_task="v")
    write(folder, docs, task=CHIMERIC.model_copy(update={"name": "a"}), default_task="v")
    index = (docs / "RESULTS.md").read_text(encoding="utf-8")
    assert index.index("8.4 [8.0, 8.9] | ") < index.index("## How to read these pages") < index.index("results/v.md")
    for text, message in (
        ("{{ v.comparisons }}", "v: no kind of result is called 'comparisons'; did you mean 'comparison'"),
        ("{{ v }}", "v names no number; go on with a kind of result"),
        ("{{ v.tuning['x/0'].dev }} 12.5", "'12.5' is typed by hand"),
    ):
        lead.write_text(text)
        with pytest.raises(FindingsError, match=message):
            write(folder, docs, task=VERIFICATION, default_task="v")


def test_what_was_kept_beside_the_page_stays_where_nothing_new_was_reported(folder, tmp_path):
    docs, kept = tmp_path / "docs", tmp_path / "docs" / "results" / "v"
    facts = {"command": "kedro run --pipelines=comparison", "seeds": {}, "git.sha": "b" * 40}
    note(folder, folder / "comparison.csv", facts)
    page = write(folder, docs)
    assert (kept / "comparison.csv").read_bytes() == (folder / "comparison.csv").read_bytes()
    assert json.loads((kept / "provenance.json").read_text()).keys() == {"comparison.csv"}

    empty = tmp_path / "empty"
    empty.mkdir()
    assert write(empty, docs) == page, "a fresh clone writes the same page from what is kept"

    (empty / "regimes").mkdir()
    study = pd.read_csv(folder / "regimes" / "noise.csv").assign(study="width", condition="width x 2")
    study.to_csv(empty / "regimes" / "width.csv", index=False)
    pd.read_csv(folder / "comparison.csv").assign(seeds=7).to_csv(empty / "comparison.csv", index=False)
    changed = write(empty, docs)
    assert "clean test" in changed and "width x 2" in changed, "one study beside those that were kept"
    assert "| 7 |" in changed and "b" * 10 not in changed, "the old note is not the new table's"


def test_a_page_is_not_written_where_it_would_lose_what_no_table_is_kept_of(folder, tmp_path):
    docs = tmp_path / "docs"
    before = write(folder, docs)
    (docs / "results" / "v" / "regimes" / "noise.csv").unlink()
    (folder / "regimes" / "noise.csv").unlink()
    with pytest.raises(ValueError, match=r"v.md holds 'Regimes', 'Damaged training inputs.*remove the page"):
        write(folder, docs)
    assert (docs / "results" / "v.md").read_text(encoding="utf-8") == before


def test_pictures_are_copied_small_and_those_not_wanted_removed(folder, tmp_path):
    images = tmp_path / "docs" / "results" / "v"
    (images / "robustness").mkdir(parents=True)
    (images / "dark" / "robustness").mkdir(parents=True)
    olds = ("comparison_curves.png", "robustness/old.png", "dark/robustness/old.png", "width_regime.png")
    for old in olds:
        (images / old).write_bytes(b"")
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "comparison_forest.png")
    page = write(folder, tmp_path / "docs", image_kb=60)
    kept = {file.relative_to(images).as_posix() for file in images.rglob("*.png")}
    assert kept == {"comparison_forest.png", "dark/comparison_forest.png", "width_regime.png"}
    assert (images / "comparison_forest.png").stat().st_size <= 60_000
    dark = '<source media="(prefers-color-scheme: dark)" srcset="v/dark/comparison_forest.png">'
    assert f'{dark}<img alt="The arms side by side: comparison forest" src="v/comparison_forest.png">' in page
    with pytest.raises(ValueError, match="results.image_kb: .*at 200 pixels, expected at most 5; raise image_kb"):
        small_png(folder / "comparison_forest.png", 5000)


def test_a_plot_by_night_is_the_same_picture_in_other_colours(tmp_path):
    picture = Image.new("RGB", (40, 20), "white")
    picture.paste("#0072b2", (0, 0, 10, 20))
    picture.paste("#2b3138", (10, 0, 20, 20))
    picture.save(tmp_path / "plot.png")
    night = Image.open(io.BytesIO(dark_png(small_png(tmp_path / "plot.png", 5000)))).convert("RGB")
    assert night.getpixel((30, 5)) == (0x1C, 0x22, 0x28), "the paper is dark"
    assert min(night.getpixel((15, 5))) > 180, "the ink is light"
    red, _, blue = night.getpixel((5, 5))
    assert blue > 200 > 130 > red, "blue stays blue"


def test_findings_are_filled_from_the_data(folder, tmp_path):
    findings = tmp_path / "docs" / "findings"
    findings.mkdir(parents=True)
    (findings / "v.md").write_text(
        '## Found\n\n{{ comparison["soft_both/mlp"].relative_reduction_to_baseline }} % fewer, '
        '{{ comparison.none.error_mean }} %, {{ robustness["distilled/white/0"].error }}, '
        "{{comparison.none.seeds}} seeds, {{metrics.chance.eer}}, 1:2 and top-1, `margin 0.4`"
    )
    page = write(folder, tmp_path / "docs")
    assert "8.4 [8.0, 8.9] % fewer, 8.6 %, 10.0 [5.0, 20.0], 2 seeds, 50.0, 1:2 and top-1, `margin 0.4`" in page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ comparisn.none.seeds }}", "f.md, line 1: 'comparisn' is undefined; there are: comparison, metrics"),
        ("\n{{ comparison.none.seedz }}", "f.md, line 2: .*no column 'seedz'; did you mean 'seeds'"),
        (
            "{{ comparison.soft.seeds }}",
            "no row is called 'soft'; a row is arm/projection, and there are: none / no teacher",
        ),
        ("{{ comparison.soft_both.seeds }}", "2 rows are called 'soft_both'.*soft_both / mlp; soft_both / pca"),
        ("{{ comparison.none }}", "names no number; go on with one of: error_metric"),
        ("{{ comparison }}", "comparison names no number; go on with a row and a column"),
        (
            "\n\n{{ metrics.difference.err }}",
            "f.md, line 3: metrics.difference: nothing is called 'err'; did you mean 'eer'",
        ),
        ("{{ metrics.difference }}", "metrics.difference names no number; go on with one of: eer"),
        ("{{ comparison.none.seeds }", "f.md, line 1: unexpected '}'; write"),
        ("EER of 8.4 here", "'8.4' is typed by hand; look it up"),
        ("half, 50 %", "'50 %' is typed by hand"),
        ("\n{{ 8.4 }}", "f.md, line 2: '8.4' is typed by hand"),
        ("{{ '8.4' }}", "'8.4' is typed by hand"),
        ("{% set found = 8 %}{{ found }}", "'8' is typed by hand"),
    ],
)
def test_a_look_up_that_finds_nothing_and_a_typed_number_stop_the_run(folder, text, message):
    with pytest.raises(FindingsError, match=message):
        filled(text, read_sections(folder), "f.md")


def test_a_number_in_the_name_of_a_row_is_not_typed_by_hand(folder):
    study = pd.read_csv(folder / "regimes" / "noise.csv").assign(study="width", condition="width x 1.5")
    study.to_csv(folder / "regimes" / "noise.csv", index=False)
    text = (
        '{{ regimes["width/width x 1.5/none"].seeds }} {% for arm in ["none"] %}{{ comparison[arm].seeds }}{% endfor %}'
    )
    assert filled(text, read_sections(folder), "f.md") == "2 2"


def test_a_look_up_of_what_was_not_run_names_the_command(folder):
    (folder / "comparison.csv").unlink()
    for text in ("{{ comparison.none.seeds }}", "{{ comparison }}"):
        with pytest.raises(
            FindingsError, match="comparison.csv is not there; kedro run --pipeline=comparison makes it"
        ):
            filled(text, read_sections(folder), "f.md")


def test_a_broken_file_is_named(folder):
    (folder / "metrics.json").write_text("{")
    with pytest.raises(
        ValueError, match="metrics.json cannot be read .*make it again with kedro run --pipeline=distill"
    ):
        read_sections(folder)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("error_mean", 0.0856, "8.6"), ("difference_to_baseline", -0.0004, "0.0"), ("seeds", 3.0, "3"),
        ("error", float("nan"), "–"), ("min_dcf_01", 1.0, "1.000"), ("train_seconds_mean", 1234.5, "1234"),
        ("best", True, "True"), ("distance_gap", -0.25, "−0.250"),
        ("open_vocabulary", 0.0435, "4.3"), ("open_vocabulary_50_chance", 0.02, "2.0"),
    ],
)  # fmt: skip
def test_numbers_are_printed_in_their_unit(name, value, shown):
    assert number(name, value) == shown


def test_an_interval_without_ends_is_a_value():
    assert with_interval("error", 0.1, None, 0.2) == "10.0" and with_interval("error", None, 0.1, 0.2) == "–"


def test_the_pipeline_writes_the_page_and_notes_how_files_came_about(run_kedro, tmp_path):
    run_kedro("results", params={"results": {"docs_root": str(tmp_path / "docs")}})
    assert "## Not run" in (tmp_path / "docs" / "results" / "test.md").read_text(encoding="utf-8")
    assert "# Results" in (tmp_path / "docs" / "RESULTS.md").read_text(encoding="utf-8")


def test_a_run_notes_how_its_files_came_about(distilled):
    notes = json.loads((distilled / "08_reporting" / "test" / "provenance.json").read_text(encoding="utf-8"))
    assert {"metrics.json", "distilled/history.csv", "summary.png"} <= set(notes)
    found = notes["metrics.json"]
    assert found["command"] == "kedro run --pipelines=distill --env=test" and found["seeds"]["training.seed"] == 0
    assert found["split"] == "conf/test/split.csv" and found["budget"]["training.epochs"] > 0
    assert found["device.threads"] and found["device.cores"] and found["date"].endswith("+00:00")


PAGES = sorted(tables.parent.name for tables in (DOCS / "results").glob("*/provenance.json"))


@pytest.mark.parametrize("name", PAGES)
def test_a_committed_page_is_what_its_tables_and_findings_give(name, project_path, tmp_path):
    from kedro.framework.session import KedroSession

    docs, empty = tmp_path / "docs", tmp_path / "empty"
    shutil.copytree(DOCS, docs)
    empty.mkdir()
    env = "base" if name == "concept_verification" else name
    with KedroSession.create(project_path, env=env, save_on_close=False) as session:
        params = session.load_context().params
    results = params["results"].model_copy(update={"docs_root": str(docs)})
    write_results(empty, params["task"], params["evaluation"], results)
    for page in (f"results/{name}.md", "RESULTS.md"):
        assert (docs / page).read_text(encoding="utf-8") == (DOCS / page).read_text(encoding="utf-8"), page
