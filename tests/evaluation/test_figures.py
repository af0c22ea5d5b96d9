"""What the report shows of single samples: planes, queries, confusions; and that the page says no more than they do."""

import base64
import io
import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.evaluation.figures import retrieval as retrieval_module
from cross_modal_kd.evaluation.figures.plane import LABELS, PER_LABEL, principal_plane
from cross_modal_kd.evaluation.report.damage import Damage, find_damage, noted_students
from cross_modal_kd.evaluation.report.exhibits import Exhibit
from cross_modal_kd.evaluation.report.on_a_plane import _panel
from cross_modal_kd.evaluation.report.shelf import Shelf
from cross_modal_kd.evaluation.report.thumbnails import PREFIX, tiny
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.models import ModelBundle, weights_of
from cross_modal_kd.storage import write_csv
from cross_modal_kd.tasks import StudentsOnTest, kind_of
from cross_modal_kd.tasks.classification.confusion import _most_confused
from evaluation_world import CHIMERIC, CLASSIFICATION, VERIFICATION, keep, world

TASKS = {"verification": VERIFICATION, "classification": CLASSIFICATION, "chimeric": CHIMERIC}


@pytest.fixture(scope="module")
def made():
    """World, embeddings alone and distilled, figures, of each task."""
    found = {}
    for name, task in TASKS.items():
        each = world(task)
        alone, distilled = each.embeddings(np.inf), each.embeddings(0.3)
        found[name] = (each, alone, distilled, each.figures(alone, distilled))
    return found


# -- numbers -----------------------------------------------------------------------------------------------------------


def test_the_plane_is_that_of_the_two_greatest_variances():
    values = np.random.default_rng(0).normal(size=(40, 5)) * [1, 5, 2, 9, 1]
    plane = principal_plane(values)
    variances = np.sort(np.linalg.eigvalsh(np.cov(values.T)))[::-1]
    assert plane.explained == pytest.approx(variances[:2] / variances.sum(), abs=1e-9)
    assert plane.axes @ plane.axes.T == pytest.approx(np.eye(2))
    assert plane.at(values).mean(axis=0) == pytest.approx([0, 0])
    assert principal_plane(-values).axes == pytest.approx(plane.axes)  # the sign does not hang on the data's
    assert principal_plane(np.ones((3, 4))).explained == (0.0, 0.0)


@pytest.mark.parametrize("name", TASKS)
def test_figures_are_plain_and_the_same_each_time(made, name):
    each, alone, distilled, figures = made[name]
    assert json.loads(json.dumps(figures)) == json.loads(json.dumps(each.figures(alone, distilled)))


@pytest.mark.parametrize("name", TASKS)
def test_samples_on_a_plane_are_drawn_whatever_the_students_make_of_them(made, name):
    each, alone, distilled, figures = made[name]
    planes = figures["planes"]
    assert len(planes["labels"]) == LABELS
    assert pd.Series([label for _, label in planes["samples"]]).value_counts().max() <= PER_LABEL
    other = each.figures(distilled, alone)["planes"]
    assert all(other[part] == planes[part] for part in ("labels", "samples", "items"))
    test = each.samples[each.samples["split"] == "test"].set_index("sample_id")
    for part, modality in (("samples", "image"), ("items", "text")):
        rows = test.loc[[sample for sample, _ in planes[part]]]
        assert set(rows["modality"]) == {modality}
        assert rows["label"].tolist() == [planes["labels"][number] for _, number in planes[part]]


def test_the_teachers_plane_is_its_own_and_both_students_are_on_one_scale(made):
    each, alone, distilled, figures = made["verification"]
    both, swapped = ([panel for panel in found["planes"]["panels"] if panel["space"] == "teacher"]
                     for found in (figures, each.figures(distilled, alone)))  # fmt: skip
    assert [panel["arm"] for panel in both] == ["student_alone", "distilled"]
    assert both[0]["items"] == both[1]["items"] and both[0]["explained"] == both[1]["explained"]
    assert both[0]["samples"] == swapped[1]["samples"]
    near, far = (
        np.linalg.norm(
            np.asarray(panel["samples"])
            - [
                panel["items"][[label for _, label in figures["planes"]["items"]].index(own)]
                for _, own in figures["planes"]["samples"]
            ],
            axis=1,
        ).mean()
        for panel in reversed(both)
    )
    assert near < far / 2, "the better student lies by its items"
    for panel in figures["planes"]["panels"]:
        assert np.min(panel["samples"]) >= 0 and np.max(panel["samples"]) <= 1


def test_numbers_of_labels_stand_beside_each_other_and_within_the_panel():
    labels = 8
    samples = [[f"s{n}", n % labels] for n in range(24)]
    dots = {
        "corner": [[0.95, 0.05]] * 24,
        "same": [[0.5, 0.5]] * 24,
        "apart": [[n % labels / 7, 0.5] for n in range(24)],
    }
    panels = [{"space": "own", "arm": "distilled", "explained": [0.5, 0.2], "samples": places, "items": []}
              for places in dots.values()]  # fmt: skip
    found = _panel_middles(panels, samples)
    for name, places in zip(dots, found, strict=True):
        assert places.min() > 0 and places.max() < 100, name
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1)[~np.eye(labels, dtype=bool)]
        assert gaps.min() > 4, (name, gaps.min())
    assert found[2][1:-1, 0] == pytest.approx([100 * n / 7 for n in range(1, 7)], abs=0.1)  # those stay


def _panel_middles(panels, samples):
    return [np.array([[float(left), float(top)] for left, top, _ in _panel(panel, samples, []).middles])
            for panel in panels]  # fmt: skip


def test_two_labels_are_not_enough_for_a_plane_among_the_teachers_items_and_one_sample_for_none():
    each = world(labels=2)
    panels = each.figures(each.embeddings(1), each.embeddings(1))["planes"]["panels"]
    assert [panel["space"] for panel in panels] == ["own", "own"]
    few = keep(world(labels=2, views=1), world(labels=2, views=1).samples["sample_id"].notna())
    assert "missing" in few.figures(few.embeddings(1), few.embeddings(1))["planes"]


def test_queries_are_ranked_as_they_are_one_by_one(made):
    each, alone, distilled, figures = made["verification"]
    protocol = each.protocol(alone)
    rows, gallery = protocol.test.rows, protocol.unseen
    there = dict(zip(rows["sample_id"], rows["group"], strict=True))
    forward, back = figures["retrieval"]["directions"]
    assert (forward["queries_of"], forward["among"]) == (len(rows), len(gallery.keys))
    assert (back["queries_of"], back["among"]) == (len(gallery.keys), len(rows))
    assert forward["chance"] == 1 / len(gallery.keys)
    right = []
    for sample, group in there.items():
        cosines = gallery.items @ unit_rows(distilled.at([sample]))[0]
        right.append(gallery.keys[cosines.argmax()] == group)
        for query in forward["queries"]:
            if query["sample"] == sample:
                own = cosines[gallery.keys.get_loc(group)]
                assert query["rank"]["distilled"] == 1 + (cosines > own).sum()
                assert [hit[2] for hit in query["nearest"]] == pytest.approx(np.sort(cosines)[::-1][:5], abs=1e-6)
    assert forward["first"]["distilled"] == float(
        np.mean(right)
    )  # not rounded before the page does it: 8 of 42, 19.0 %
    for way in (forward, back):
        for query in way["queries"]:
            assert (query["rank"]["distilled"] == 1) == query["nearest"][0][1]
            assert any(hit[1] for hit in query["nearest"]) == (query["rank"]["distilled"] <= len(query["nearest"]))


def test_queries_do_not_hang_on_how_many_are_looked_up_at_once(made, monkeypatch):
    each, alone, distilled, figures = made["classification"]
    monkeypatch.setattr(retrieval_module, "AT_ONCE", 1)
    assert each.figures(alone, distilled)["retrieval"] == figures["retrieval"]


def test_right_and_wrong_queries_are_shown_one_a_label():
    each = world()
    figures = each.figures(each.embeddings(np.inf), each.embeddings(4))
    label = each.samples.set_index("sample_id")["label"]
    for way in figures["retrieval"]["directions"]:
        right = [query["nearest"][0][1] for query in way["queries"]]
        assert right == [True] * 3 + [False] * 3
        labels = [label[query["sample"]] for query in way["queries"]]
        assert len(set(labels)) == len(labels)


def test_a_confusion_of_classes_has_every_test_sample():
    for labels in (12, 20):
        each = world(CLASSIFICATION, labels=labels)
        alone, distilled = each.embeddings(np.inf), each.embeddings(0.8)
        found = each.figures(alone, distilled)["confusion"]
        rows = each.samples[(each.samples["split"] == "test") & (each.samples["modality"] == "image")]
        assert bool(found["rest"]) == (labels == 20)
        assert len(found["labels"]) == 12
        for arm, table in found["tables"].items():
            for label, line in zip(found["labels"], table, strict=True):
                assert len(line) == 12 + (labels == 20)
                assert sum(int(cell["text"] or 0) for cell in line) == (rows["label"] == label).sum(), (arm, label)
        assert "of 48 test" in found["remarks"]["distilled"] if labels == 12 else "of 80 test"


def test_of_many_classes_those_that_are_confused_are_shown_before_those_of_many_samples():
    counts = np.diag(np.arange(1, 21))
    assert _most_confused(counts).tolist() == list(range(19, 7, -1))  # none is confused
    counts[3, 5] = 2
    counts[0, 3] = 4
    assert _most_confused(counts).tolist() == [0, 3, 5, *range(19, 10, -1)]


def test_where_nothing_is_confused_the_plot_says_so():
    each = world(CLASSIFICATION)
    alone, distilled = each.embeddings(np.inf), each.embeddings(0)
    for arms, says in (((alone, distilled), True), ((distilled, alone), False)):
        plot = each.plots(each.metrics(*arms), *arms)[1]
        words = [text.get_text() for axis in plot.axes for text in axis.texts]
        assert ("The distilled student takes no test sample for another class." in words) == says


def test_the_bar_of_one_confusion_is_as_thick_as_one_of_many_and_samples_are_counted_in_whole_numbers():
    each = world(CLASSIFICATION)
    alone, distilled = each.embeddings(np.inf), each.embeddings(0)
    rows = each.samples[(each.samples["split"] == "test") & (each.samples["modality"] == "image")]
    first, other = (rows.loc[rows["label"] == label, "sample_id"].iloc[0] for label in rows["label"].unique()[:2])
    at = {sample: place for place, sample in enumerate(distilled.sample_ids)}
    distilled.values[at[first]] = distilled.values[at[other]]
    plot = each.plots(each.metrics(alone, distilled), alone, distilled)[1]
    confusions = plot.axes[1]
    assert [bar.get_width() for bar in confusions.patches] == [1]
    low, high = confusions.get_ylim()
    assert confusions.patches[0].get_height() / (high - low) == pytest.approx(0.6 / 3)
    ticks = confusions.get_xticks()
    assert ticks == pytest.approx(ticks.round())


def test_a_confusion_of_labels_is_of_mean_scores(made):
    each, alone, distilled, figures = made["verification"]
    found = figures["confusion"]
    rows = each.samples[(each.samples["split"] == "test") & (each.samples["modality"] == "image")]
    for arm, table in (("student_alone", alone), ("distilled", distilled)):
        unit = {label: unit_rows(table.at(own["sample_id"])) for label, own in rows.groupby("label")}
        for i, one in enumerate(found["labels"]):
            for j, other in enumerate(found["labels"]):
                scores = unit[one] @ unit[other].T
                if i == j:
                    scores = scores[~np.eye(len(scores), dtype=bool)]
                shown = float(found["tables"][arm][i][j]["text"].replace("\N{MINUS SIGN}", "-"))
                assert shown == pytest.approx(scores.mean(), abs=0.0051)


def test_the_labels_shown_are_those_that_lie_nearest():
    each = world(labels=30)
    rows = each.samples[(each.samples["split"] == "test") & (each.samples["modality"] == "image")].reset_index()
    table = each.embeddings(0.3)
    students = StudentsOnTest(rows, pd.DataFrame(), {}, {"student_alone": table, "distilled": table})
    found = kind_of(VERIFICATION).confusion(students)
    means = rows.groupby("label")["sample_id"].apply(lambda ids: unit_rows(table.at(ids)).mean(axis=0))
    scores = np.stack(means.to_numpy()) @ np.stack(means.to_numpy()).T
    np.fill_diagonal(scores, -2)
    first = np.unravel_index(scores.argmax(), scores.shape)
    assert set(found.labels[:2]) == {means.index[place] for place in first}
    assert len(found.labels) == 12
    assert (
        kind_of(VERIFICATION).confusion(
            StudentsOnTest(rows[rows["label"] == rows["label"][0]], pd.DataFrame(), {}, students.embeddings)
        )
        is None
    )


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_parts_of_the_page_are_linked(pages):
    for page in pages.values():
        wanted = re.findall(r'<a href="#([a-z]+)"', page)
        assert len(wanted) >= 10 and all(f'id="{name}"' in page for name in wanted)


def test_a_page_of_verification_says_what_thresholds_give(pages):
    page = pages["verification"]
    assert "From a score to a decision" in page and "From a score to a probability" not in page
    operating = world().operating(world().embeddings(0.5))
    found = next(each for each in operating["thresholds"] if each["name"] == "eer")
    assert f"{found['value']:.3f}" in page
    assert f"at most {100 * found['far_upper']:.2g}" in page
    assert f"({operating['targets']} target and {operating['impostors']:,} impostor pairs" in page


def test_a_page_of_classification_speaks_of_probabilities(pages):
    page = pages["classification"]
    assert "From a score to a probability" in page and "FAR, dev" not in page
    assert "found on 48 dev samples" in page
    assert "What is taken for what" in page and "test samples are answered rightly" in page


def test_chimeric_pairs_of_unseen_labels_find_nothing(pages):
    assert "could be found but by chance" in pages["chimeric"]
    assert 'class="query"' not in pages["chimeric"] and 'class="query"' in pages["verification"]


def test_what_is_drawn_is_on_the_page(pages, made):
    for name, page in pages.items():
        assert page.count('<figure class="plane">') == 4
        assert page.count('<image id="picture') == len(made[name][3]["planes"]["samples"])
        assert page.count('xlink:href="') == 0


def test_hostile_names_are_words_wherever_they_stand(tmp_path):
    attack = "\"'><script>alert(1)</script>"
    each = world(CLASSIFICATION, labels=4)
    renamed = {name: name + attack for name in each.samples["label"].unique()}
    samples = each.samples.assign(label=each.samples["label"].map(renamed), domain=attack)
    object.__setattr__(each, "samples", samples)
    object.__setattr__(each, "classes", [renamed[name] for name in each.classes])
    page = each.report(tmp_path, figures={"retrieval": {"missing": attack}})
    assert "<script" not in page and "\"'>" not in page.replace("&#34;", "")
    assert "&lt;script&gt;" in page


def damaged():
    """What the study leaves of two students."""
    rows = []
    for arm in ("student_alone", "distilled"):
        for severity, kind in enumerate(("clean", "blur<b>")):
            row = {"arm": arm, "title": arm, "projection": "mlp", "kind": kind, "level": float(severity), "unit": "px"}
            row |= {"severity": severity, "error": 0.2 + 0.1 * severity, "error_low": 0.1, "error_high": 0.6}
            row |= {"damaged_sides": "test", "error_metric": "eer", "test_samples": 40}
            if arm == "distilled":
                row |= {
                    "difference_to_alone": -0.05,
                    "difference_to_alone_low": -0.07,
                    "difference_to_alone_high": -0.01,
                }
            rows.append(row)
    return pd.DataFrame(rows)


def test_damage_is_shown_of_these_students_alone(tmp_path):
    each = world()
    student, other = each.student(), ModelBundle("student", {}, {})
    weights = {"student_alone": weights_of(student), "distilled": weights_of(other)}
    metrics = {"task": {"kind": "verification"}}
    svg = '<svg viewBox="0 0 1 1"><path fill="var(--plot-123456)"/></svg>'

    def found(table, *students):
        write_csv(tmp_path / "robustness.csv", table)
        noted = noted_students(table, [(*which, "mlp", models) for *which, models in students], svg)
        (tmp_path / "robustness_image.json").write_text(json.dumps(noted))
        return find_damage(tmp_path, metrics, weights)

    both = [("student_alone", [student]), ("distilled", [other])]
    shown = found(damaged(), *both)
    assert [row.condition for row in shown.rows] == ["clean", "blur<b> 1 (px)"]
    assert (shown.image, shown.error, shown.samples, shown.rows[1].difference.tone) == (svg, "EER", 40, "better")
    assert found(damaged(), both[0]) == Damage(other=True), "the distilled one is not there"
    assert found(damaged(), both[0], ("distilled", [other, other])).other, "the mean of two seeds"
    assert found(damaged(), ("student_alone", [other]), ("distilled", [student])).other, "differences to another"
    found(damaged(), *both)
    write_csv(tmp_path / "robustness.csv", damaged().assign(error=0.3))
    assert find_damage(tmp_path, metrics, weights).other, "the notes are of another table"
    (tmp_path / "robustness_image.json").unlink()
    assert find_damage(tmp_path, metrics, weights).other, "nothing says with which students it was measured"
    (tmp_path / "robustness.csv").unlink()
    assert find_damage(tmp_path, metrics, weights) == Damage()


def test_a_page_with_damage_and_without_thresholds(tmp_path):
    each = world()
    table, student = damaged(), each.student()  # in this world both students have the same classifier
    write_csv(tmp_path / "robustness.csv", table)
    svg = '<svg viewBox="0 0 1 1"><path fill="var(--plot-123456)"/></svg>'
    noted = noted_students(table, [("student_alone", "mlp", [student]), ("distilled", "mlp", [student])], svg)
    (tmp_path / "robustness_image.json").write_text(json.dumps(noted))
    page = each.report(tmp_path, deployment={"min_labels": 50})
    assert "blur&lt;b&gt; 1 (px)" in page and "on 40 of the 48 test samples" in page
    assert page.count("--plot-123456") == 3, "the colours of the study's plot are those of the page, by day and night"
    assert page.count("None: the dev trials are of 12 labels") == 8, "where dev cannot bear a threshold, it says why"


def test_without_a_study_the_page_says_how_to_run_it(pages):
    assert "kedro run --pipeline=robustness</code> damages" in pages["verification"]


def test_sounds_keep_to_their_budget_and_pictures_are_tiny():
    class Given:
        def show(self, sample_id):
            kind = "sound" if sample_id.startswith("s") else "text"
            return Exhibit(kind, "x" * 60 if kind == "sound" else "w" * 500, f"name {sample_id}", "")

    shelf = Shelf(Given(), most_sound=100)
    shown = [shelf.show(each) for each in ("s1", "s2", "s1", "t")]
    assert [each.kind for each in shown] == ["sound", "text", "sound", "text"]
    assert shown[1].content == "name s2"
    assert len(shown[3].content) == 90

    from PIL import Image

    stored = io.BytesIO()
    Image.effect_noise((400, 300), 90).save(stored, format="PNG")
    small = tiny("data:image/png;base64," + base64.b64encode(stored.getvalue()).decode())
    assert small.startswith(PREFIX) and len(small) < 6000
    with Image.open(io.BytesIO(base64.b64decode(small.removeprefix(PREFIX)))) as picture:
        assert max(picture.size) == 64


def test_a_page_is_small(pages):
    """Two megabytes are what a page may weigh."""
    assert all(len(page.encode()) < 1_500_000 for page in pages.values())


# -- in a browser ------------------------------------------------------------------------------------------------------

WIDTHS = (360, 390, 1280)
FRAME = '<iframe src="page.html" width="{width}" style="height:900px;border:0"></iframe>'
SCRIPT = """<title></title><script>
onload = () => {
  document.title = [...document.querySelectorAll("iframe")].map((frame) => {
    const page = frame.contentDocument, width = Number(frame.width);
    const out = [...page.querySelectorAll("main *")].filter(
      (each) => each.getBoundingClientRect().right > width + 1 && !each.closest(".scroll, .drawing, .field"));
    return page.documentElement.scrollWidth - width + " " + out.slice(0, 3).map((each) => each.className);
  }).join("|");
};
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
@pytest.mark.parametrize("name", ["verification", "classification"])
def test_nothing_stands_out_of_the_page_on_a_phone_and_on_a_screen(pages, tmp_path, name):
    (tmp_path / "page.html").write_text(pages[name], encoding="utf-8")
    (tmp_path / "frames.html").write_text(SCRIPT + "".join(FRAME.format(width=width) for width in WIDTHS))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
    command += [f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom", f"file://{tmp_path / 'frames.html'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL).group(1).split("|")
    assert len(found) == len(WIDTHS)
    assert [part.split()[1:] for part in found] == [[]] * len(WIDTHS), found
    assert all(int(part.split()[0]) <= 0 for part in found), found
