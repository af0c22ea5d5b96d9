"""Plots and the page."""

import html
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.evaluation.plots.summary import summary_plot
from cross_modal_kd.evaluation.report.captions import captions
from cross_modal_kd.evaluation.report.tables import metric_tables, not_defined
from cross_modal_kd.evaluation.report.verdict import verdict
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.tracking import ThisRun, set_this_run
from evaluation_world import CHIMERIC, CLASSIFICATION, VERIFICATION, keep, world

TASKS = {"verification": VERIFICATION, "classification": CLASSIFICATION, "chimeric": CHIMERIC}
BANNER = "<strong>Chimeric pairs.</strong>"


class Addresses(HTMLParser):
    """What a page asks a browser to load, and which elements it has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.found += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_the_page_holds_everything_it_shows(pages, name):
    page = pages[name]
    parser = Addresses()
    parser.feed(page)
    assert len(parser.found) > 6
    assert all(address.startswith(("data:", "#")) for address in parser.found)
    assert not {"script", "link", "iframe"} & parser.tags
    assert not re.search(r"https?://|@import|url\((?!#)", page)


@pytest.mark.parametrize("name", TASKS)
def test_the_chimeric_banner_is_there_when_it_must_be(pages, name):
    assert (BANNER in pages[name]) == (name == "chimeric")


def test_unseen_classes_have_two_tables_with_chance_and_what_is_left_out_is_counted(pages, tmp_path):
    page = pages["verification"]
    for title, metric in (
        ("named by their words", "Open vocabulary, among 5"),
        ("shown by a few samples", "1 sample a class"),
    ):
        table = page.split(f"<h3>Classes never seen in training, {title}</h3>")[1].split("</table>")[0]
        assert f"<strong>{metric}</strong>" in table and 'data-label="chance">20.0\N{NO-BREAK SPACE}%</td>' in table
    assert "12 test labels are named by words.</p>" in page and "Classes never seen" not in pages["chimeric"]
    made = world(labels=6)
    poor = made.samples["label"].eq("test00") & ~made.samples["sample_id"].str.endswith(("/0", "/1"))
    page = keep(made, ~poor | (made.samples["modality"] == "text")).report(tmp_path)
    assert "1 of them has no more than 2 samples and is left out where 2 show a class." in page


def test_a_baseline_that_a_teacher_binds_is_not_said_to_know_nothing_of_it(pages, tmp_path):
    made = world(labels=6)
    metrics = made.metrics(made.embeddings(np.inf), made.embeddings(0.5))
    arms = metrics["arms"] | {"student_alone": metrics["arms"]["student_alone"] | {"name": "plain pull", "bound": True}}
    page = made.report(tmp_path, metrics=metrics | {"arms": arms})
    said = ("knows nothing of the teacher", "has never met this space", "alone: place", "<dt>alone</dt>")
    assert [words in pages["verification"] for words in said] == [True] * 4
    assert [words in page for words in said] == [False] * 4
    assert "Both students were bound to the teacher" in page and "plain pull: place" in page
    assert "<dt>plain pull</dt>" in page


def test_a_page_over_folds_says_which_plots_are_of_the_first(tmp_path):
    """The plots of metrics.json are over all folds, as its numbers are; those of samples and histories are not."""
    made = world(labels=6)
    alone, distilled = made.embeddings(np.inf), made.embeddings(0.5)
    metrics = made.metrics(alone, distilled)
    eer = dict.fromkeys(("student_alone", "distilled"), 0.5)
    folds = [{"fold": number, "clusters": 6, "samples": 24, "eer": eer} for number in (1, 2, 3)]
    of_folds = {"protocol": metrics["protocol"] | {"folds": folds}}
    pooled = metrics | {part: {name: each | {"value": 0.25} for name, each in metrics[part].items()} for part in eer}
    pages = [made.report(tmp_path, metrics=found | of_folds) for found in (metrics, pooled)]
    one, other = (re.findall(r'<div class="drawing"><svg .*?</svg>', page, re.DOTALL) for page in pages)
    names = [name for name, _, _ in captions(made.task)]
    changed = [name for name, before, after in zip(names, one, other, strict=True) if before != after]
    assert changed == ["summary", "matching"]
    assert "The first plot and that of matching are over all folds. The others, and the mistakes" in pages[0]


def test_a_training_that_min_steps_made_longer_is_shown_as_it_was(pages, tmp_path):
    assert "<dt>patience</dt><dd>null</dd>" in pages["verification"]
    page = world().report(tmp_path, TrainingConfig(min_steps=20))  # 48 samples: one step an epoch
    assert "<dt>epochs</dt><dd>20 (given: 16)</dd>" in page
    assert "<dt>patience</dt><dd>8 (given: null)</dd>" in page


def test_what_is_not_defined_is_said_in_words():
    undefined = {"top5": "a", "relative_reduction.top1": "b", "teacher.eer": "c", "top1_train": "d"}
    assert not_defined({"undefined": undefined}) == [
        ("Top-5 accuracy", "a"),
        ("errors removed, Top-1 accuracy", "b"),
        ("the teacher by itself, EER", "c"),
        ("Top-1 on training samples", "d"),
    ]


def test_the_note_is_shown(pages):
    assert pages["verification"].count("A note.") == 1


@pytest.mark.parametrize("name", TASKS)
def test_values_are_escaped(pages, name):
    assert "soft &lt;both&gt;" in pages[name]
    assert "&lt;b&gt;broken&lt;/b&gt;" in pages[name]
    assert "<b>broken" not in pages[name]


def test_labels_and_texts_are_escaped(tmp_path):
    made = world(labels=3)
    attack = "<script>alert('x')</script>"
    samples = made.samples.assign(
        label=made.samples["label"] + attack, text=made.samples["text"] + '"><img src=http://x>', domain=attack
    )
    object.__setattr__(made, "samples", samples)
    object.__setattr__(made, "classes", [name + attack for name in made.classes])
    page = made.report(tmp_path)
    assert "<script>" not in page
    assert "<img src=http" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("name", TASKS)
def test_every_colour_of_a_plot_has_one_by_night(pages, name):
    page = pages[name]
    plots = re.findall(r'<div class="drawing"><svg .*?</svg>', page, re.DOTALL)
    drawn = "".join(plots)
    assert len(plots) == 6 and not re.search("#[0-9a-f]{6}\\b|<!--|<style|<text|xmlns", drawn)
    used = set(re.findall(r"var\((--plot-[0-9a-f]{6})\)", drawn))
    day, night = re.findall(r":root { (--plot-.*) }", page)
    by_day, by_night = (dict(re.findall(r"(--plot-[0-9a-f]{6}): (#[0-9a-f]{6});", css)) for css in (day, night))
    assert used == by_day.keys() == by_night.keys()
    assert page.index("prefers-color-scheme: dark") < page.index(night)
    assert by_night["--plot-ffffff"] == "#1c2228", "the paper is dark"
    assert min(bytes.fromhex(by_night["--plot-2b3138"][1:])) > 180, "the ink is light"


@pytest.mark.parametrize("name", TASKS)
def test_the_parts_of_a_drawing_are_those_of_no_other(pages, name):
    ids = re.findall(r' id="([^"]+)"', pages[name])
    assert len(ids) == len(set(ids))
    named = set(re.findall(r'(?:href="|url\()#([^")]+)', pages[name]))
    assert named and named <= set(ids)


@pytest.mark.parametrize("name", TASKS)
def test_a_cell_says_on_a_phone_which_student_it_is_of(pages, name):
    rows = re.findall(r'<tr role="row"><td.*?</tr>', pages[name], re.DOTALL)
    of_metrics = [row for row in rows if ", dev" not in row and "None: " not in row]
    assert of_metrics
    for row in of_metrics:
        assert re.findall(r'data-label="([^"]+)"', row)[:3] == ["alone", "distilled", "difference"]


@pytest.mark.parametrize("name", TASKS)
def test_a_caption_is_printed_once(pages, name):
    text = re.sub(r"<style>.*?</style>|<[^>]+>", "\n", pages[name], flags=re.DOTALL)
    for _, heading, caption in captions(TASKS[name]):
        assert text.count(html.escape(heading, quote=False)) == 1, heading
        assert html.unescape(text).count(caption) == 1, caption


def test_a_remark_on_the_run_stands_above_its_result(tmp_path):
    assert "Other parameters" not in world().report(tmp_path)
    set_this_run(ThisRun(remarks=("the student 'distilled' was made by <another>",)))
    try:
        page = world().report(tmp_path)
    finally:
        set_this_run(None)
    above = page.split('<section class="verdict')[0]
    assert "Other parameters.</strong> the student &#39;distilled&#39; was made by &lt;another&gt;" in above


def test_what_is_not_defined_is_explained_on_the_page(tmp_path):
    made = world(labels=4, gallery=[2, 50])
    assert "the gallery has only 4 items" in made.report(tmp_path)


def test_a_page_of_trials_that_cannot_be_measured(tmp_path):
    made = world(labels=4)
    one_view = made.samples["sample_id"].str.endswith("/0") | (made.samples["modality"] == "text")
    page = keep(made, one_view).report(tmp_path)
    assert "EER is not defined" in page
    assert "there are 0 target and 6 impostor trials" in page


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_both_kinds_draw_the_same_set_of_plots(task):
    from matplotlib.figure import Figure

    made = world(task, labels=6)
    alone, distilled = made.embeddings(1.5), made.embeddings(0.5)
    *plots, images = made.plots(made.metrics(alone, distilled), alone, distilled)
    assert len(plots) == 5
    assert all(isinstance(plot, Figure) for plot in plots)
    assert list(images) == ["operating", "scores", "training", "matching", "summary"]
    assert all(image.startswith("<svg ") and image.endswith("</svg>") for image in images.values())
    remarks = [plot.get_suptitle() for plot in plots]
    assert all(("Chimeric" in remark) == task.chimeric for remark in remarks)


@pytest.mark.parametrize(("value", "low", "cut"), [(-0.1, -0.9, 0), (-0.7, -5.0, 1), (-1.5, None, 1)])
def test_one_metric_of_few_errors_does_not_hide_the_gains_of_others(value, low, cut):
    gain, other = {"value": value, "low": low, "high": low and 0.6}, {"value": -0.1, "low": -0.3, "high": 0.2}
    share = {"value": 0.7, "low": 0.6, "high": 0.8}
    arms = dict.fromkeys(("student_alone", "distilled", "difference"), {"top1": share, "top5": share})
    axis = summary_plot({**arms, "relative_reduction": {"top1": other, "top5": gain}}).axes[1]
    left, _ = axis.get_xlim()
    arrows = [line for line in axis.lines if line.get_marker() == "<"]
    assert len(arrows) == cut and (left == pytest.approx(-106) if cut else left > -106)
    assert not cut or left < arrows[0].get_xdata()[0]


def metrics(alone: float, distilled: float, low: float, high: float, kind: str = "verification") -> dict:
    name = "eer" if kind == "verification" else "top1"
    error = abs(distilled - alone) / (alone if kind == "verification" else 1 - alone)
    return {
        "task": {"kind": kind},
        "student_alone": {name: {"value": alone}},
        "distilled": {name: {"value": distilled}},
        "difference": {name: {"value": distilled - alone, "low": low, "high": high}},
        "relative_reduction": {name: {"value": error}},
        "undefined": {},
    }


@pytest.mark.parametrize(
    ("found", "tone", "conclusion"),
    [
        (metrics(0.086, 0.079, -0.011, -0.003), "better", "student is better by EER: 8 % of the errors are gone."),
        (metrics(0.086, 0.095, 0.002, 0.016), "worse", "worse by EER: 10 % more errors."),
        (metrics(0.086, 0.085, -0.004, 0.002), "open", "The interval includes zero: no difference is shown."),
        (metrics(0.5, 0.6, 0.05, 0.15, "classification"), "better", "by top-1 accuracy: 20 % of the errors are gone."),
    ],
)  # fmt: skip
def test_the_verdict_says_what_the_interval_allows(found, tone, conclusion):
    said = verdict(found)
    assert said.tone == tone
    assert said.conclusion.replace("\N{NO-BREAK SPACE}", " ").endswith(conclusion)


def test_a_verdict_points_to_what_tells_of_other_seeds():
    """The interval resamples the test alone: 47 pictures gave +25.5 [12.8, 40.4] points, other seeds -4.3 and +8.5."""
    found = metrics(0.086, 0.079, -0.011, -0.003)
    assert "another training seed" in verdict(found).caution and "--pipelines=comparison" in verdict(found).sentences
    few = verdict(found | {"labels": {"labelled": 10}})  # whose comparison is refused
    assert "training.seed=1" in few.caution and "comparison" not in few.caution
    assert not verdict(metrics(0.086, 0.085, -0.004, 0.002)).caution


def test_the_verdict_names_both_values_and_the_interval():
    said = verdict(metrics(0.086, 0.079, -0.011, -0.003))
    assert said.values.replace("\N{NO-BREAK SPACE}", " ") == "EER 8.6 % alone, 7.9 % distilled"
    assert said.change == "−0.7 points [−1.1, −0.3]"


def test_sounds_are_put_on_the_page_to_be_played(tmp_path):
    import soundfile

    from cross_modal_kd.config.ingestion import SourcesConfig
    from cross_modal_kd.evaluation.report.exhibits import Exhibits

    made = world(labels=2, views=2)
    samples = made.samples.assign(path=made.samples["path"].str.replace("png", "wav"), group=None)
    samples["modality"] = samples["modality"].replace("image", "speech")
    first = samples[samples["modality"] == "speech"].iloc[0]
    soundfile.write(tmp_path / first["path"], np.zeros(800), 8000)
    sources = SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}})
    shown = Exhibits(samples, sources).show(first["sample_id"])
    assert (shown.kind, shown.name) == ("sound", first["label"])
    assert shown.content.startswith("data:audio/wav;base64,")


def test_a_file_that_is_damaged_before_it_is_shown_is_named_with_what_to_do(tmp_path):
    from cross_modal_kd.config.ingestion import SourcesConfig
    from cross_modal_kd.evaluation.report.exhibits import Exhibits

    samples = world(labels=2, views=2).samples.assign(group=None)
    first = samples[samples["modality"] == "image"].iloc[0]
    (tmp_path / first["path"]).write_bytes(b"damaged")
    sources = SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}})
    with pytest.raises(SamplesError, match=r"not a readable image.*It could be read when .* restore it and run"):
        Exhibits(samples, sources).show(first["sample_id"])


@pytest.mark.parametrize(("named", "same"), [(0.8, True), (0.7, False)])
def test_classes_named_by_words_are_said_to_be_matching_where_each_has_one_text(named, same):
    """The same numbers under two titles looked like two pieces of evidence."""
    ends = {"low": 0.6, "high": 0.9}
    parts = ("student_alone", "distilled", "difference")
    found = {part: {"matching_1_2": {"value": 0.8, **ends}} for part in parts}
    for part in parts:
        found[part]["open_vocabulary_2"] = {"value": 0.8 if part == "student_alone" else named, **ends}
    found |= {"relative_reduction": {}, "chance": {}, "protocol": {}}
    rows = [row for _, rows in metric_tables(found) for row in rows]
    assert [row.legend.explains.startswith("the same as 1:2 matching") for row in rows] == [False, same]
