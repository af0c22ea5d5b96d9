"""Students and teacher -> trials, {arm}.embeddings, metrics, plots, report."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.evaluation.nodes import draw_plots, embed_samples, evaluate, make_trials, write_report

ARMS = ("student_alone", "distilled")
PLOTS = ("operating", "scores", "training", "matching", "summary")


def create_pipeline(**_: object) -> Pipeline:
    """The embedding of the test samples is one template, stamped for each arm."""
    template = Pipeline(
        [
            Node(
                embed_samples,
                ["samples", "params:task", "params:sources", "student", "params:evaluation"],
                "embeddings",
                name="embed_test_samples",
            )
        ]
    )
    parameters = {f"params:{name}" for name in ("task", "sources", "evaluation")}
    stamped = [Pipeline(template, namespace=arm, inputs="samples", parameters=parameters) for arm in ARMS]
    students, embeddings, histories = (
        [f"{arm}.{what}" for arm in ARMS] for what in ("student", "embeddings", "history")
    )
    measured = [
        "samples", "params:task", "params:evaluation", "params:arms", "params:distillation", "trials",
    ]  # fmt: skip
    teacher = ["teacher_embeddings", "projection_mlp", "projection_pca"]
    nodes = Pipeline(
        [
            Node(make_trials, ["samples", "params:task", "params:evaluation"], "trials", name="make_trials"),
            Node(evaluate, [*measured, *teacher, *students, *embeddings], "metrics", name="evaluate_students"),
            Node(
                draw_plots,
                [*measured, "metrics", *teacher, *students, *embeddings, *histories],
                [*(f"{plot}_plot" for plot in PLOTS), "plot_images"],
                name="draw_plots",
            ),
            Node(
                write_report,
                [
                    "samples", "params:task", "params:sources", "params:student", "params:training", "params:arms",
                    "params:distillation", "params:evaluation", "metrics", "trials", *students, *embeddings,
                    "plot_images", "split_summary", "rejected_samples", "quality_measures", "quality_scores",
                    "teacher_metrics", "projection_metrics",
                ],
                "report",
                name="write_report",
            ),
        ]
    )  # fmt: skip
    return Pipeline([*stamped, nodes], tags="evaluation")
