"""Students and teacher -> trials, further folds, {arm}.embeddings, metrics, plots, report."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.chosen import choose_projection
from cross_modal_kd.pipelines.evaluation.folds import (
    gather_method,
    measure_over_folds,
    split_in_folds,
    train_in_folds,
)
from cross_modal_kd.pipelines.evaluation.nodes import (
    compare_students,
    compute_figures,
    describe_data,
    describe_run,
    draw_plots,
    embed_samples,
    find_damage,
    find_thresholds,
    keep_resamples,
    make_trials,
    measure_student,
    measure_teacher,
    project_teacher,
    set_protocol,
    show_figures,
    write_report,
)
from cross_modal_kd.pipelines.stage import bound, stage

ARMS = ("student_alone", "distilled")
PLOTS = ("operating", "scores", "training", "matching", "summary")
STUDENTS = {arm: f"{arm}.student" for arm in ARMS} | {f"{arm}_embeddings": f"{arm}.embeddings" for arm in ARMS}
HISTORIES = {f"{arm}_history": f"{arm}.history" for arm in ARMS}
METHOD = ("task", "sources", "inputs", "quality", "teacher", "projection", "student", "training")
OPERATING = {f"{arm}_operating": f"{arm}.operating" for arm in ARMS}
REPORT = "report"  # the tag of what makes the page again, without any model
RUN = ("student", "training", "arms", "distillation", "evaluation")


def create_pipeline(**_: object) -> Pipeline:
    """Embed, measure, compare, show; the embedding is one template, stamped for each arm.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``evaluation``.
    """
    return stage("evaluation", [*_embedding(), *_folds(), *_comparing(), *_reporting()])


def _embedding() -> list[Pipeline]:
    template = [
        Node(
            embed_samples,
            bound("samples", "student", params=["task", "sources", "evaluation", "training"]),
            "embeddings",
            name="embed_samples",
        ),
        Node(
            find_thresholds,
            bound(
                *("samples", "student", "embeddings"),
                params=["task", "evaluation", "deployment"],
                network="params:student",
            ),
            "operating",
            name="find_thresholds",
        ),
    ]
    names = ("task", "sources", "evaluation", "training", "deployment", "student")
    blocks = {f"params:{name}" for name in names}
    return [Pipeline(template, namespace=arm, inputs={"samples"}, parameters=blocks) for arm in ARMS]


def _folds() -> list[Node]:
    return [
        Node(
            split_in_folds,
            bound("samples", params=["task", "ingestion", "evaluation"]),
            "fold_samples",
            name="split_in_folds",
        ),
        Node(gather_method, bound(params=METHOD), "method", name="gather_method"),
        Node(
            train_in_folds,
            bound(
                *("fold_samples", "quality_measures", "method", "fold_store", "embedding_cache"),
                params=["arms", "distillation"],
            ),
            "trained_folds",
            name="train_in_folds",
        ),
        Node(
            measure_over_folds,
            bound("protocol", "trained_folds", "method", **STUDENTS),
            "folds",
            name="measure_over_folds",
        ),
    ]


def _comparing() -> list[Node]:
    return [
        Node(make_trials, bound("samples", params=["task", "evaluation"]), "trials", name="make_trials"),
        Node(
            choose_projection,
            bound("projection_mlp", "projection_pca", params=["arms", "distillation"], distilled="distilled.student"),
            "projection",
            name="choose_projection",
        ),
        Node(
            project_teacher,
            bound("samples", "teacher_embeddings", "projection", params=["task"]),
            "teacher.embeddings",
            name="project_teacher",
        ),
        Node(
            set_protocol,
            bound(
                *("samples", "trials", "teacher_embeddings", "projection", "fold_samples"),
                params=["task", "evaluation"],
                embedded="student_alone.embeddings",
            ),
            "protocol",
            name="set_protocol",
        ),
        *(
            Node(
                measure_student,
                bound("protocol", student=f"{arm}.student", embeddings=f"{arm}.embeddings"),
                f"{arm}.measured",
                name=f"measure_{arm}",
            )
            for arm in ARMS
        ),
        Node(measure_teacher, bound("protocol"), "teacher_measured", name="measure_teacher"),
        Node(
            compare_students,
            bound(
                *("protocol", "folds", "samples"),
                params=["arms", "distillation"],
                student_alone="student_alone.measured",
                distilled="distilled.measured",
                teacher="teacher_measured",
            ),
            "metrics",
            name="compare_students",
        ),
        Node(
            keep_resamples,
            bound("folds", student_alone="student_alone.measured", distilled="distilled.measured"),
            "resamples",
            name="keep_resamples",
        ),
    ]


def _reporting() -> list[Node]:
    return [
        Node(
            draw_plots,
            bound("protocol", "metrics", **STUDENTS, **HISTORIES),
            [*(f"{plot}_plot" for plot in PLOTS), "plot_images"],
            name="draw_plots",
        ),
        Node(compute_figures, bound("protocol", **STUDENTS), "figures", name="compute_figures"),
        Node(
            show_figures,
            bound("samples", "figures", params=["task", "sources"], **OPERATING),
            "figures_section",
            name="show_figures",
            tags=REPORT,
        ),
        Node(
            describe_data,
            bound(
                *("samples", "split_summary", "rejected_samples", "quality_measures", "quality_scores"),
                params=["task", "sources", "evaluation"],
            ),
            "data_section",
            name="describe_data",
            tags=REPORT,
        ),
        Node(
            describe_run,
            bound("teacher_metrics", "projection_metrics", params=RUN),
            "run_section",
            name="describe_run",
            tags=REPORT,
        ),
        Node(find_damage, bound("reporting_folder", "metrics", "figures"), "damage", name="find_damage", tags=REPORT),
        Node(
            write_report,
            bound(
                *("metrics", "plot_images", "figures_section", "data_section", "run_section", "damage"),
                params=["task"],
            ),
            "report",
            name="write_report",
            tags=REPORT,
        ),
    ]
