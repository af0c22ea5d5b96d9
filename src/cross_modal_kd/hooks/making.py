"""Which pipelines and nodes make a dataset."""

from collections.abc import Iterable


def command_of(names: Iterable[str], outdated: Iterable[str] = ()) -> str:
    """The stages that make datasets anew, with what of that which is outdated lies before them.

    Args:
        names: of datasets that are to be made anew.
        outdated: of others, some of which they may be made of.

    Returns:
        The command, in backquotes, its stages in their order.
    """
    from kedro.framework.project import pipelines

    made = {name: pipeline.all_outputs() for name, pipeline in pipelines.items() if not name.startswith("__")}
    wanted = set(names)
    if known := sorted(wanted & made.get("distill", set())):
        wanted |= set(outdated) & pipelines["distill"].to_outputs(*known).all_outputs()
    makers = {
        min((name for name in made if each in made[name]), key=lambda name: len(made[name]), default="")
        for each in wanted
    }
    return f"`kedro run --pipelines={','.join(name for name in made if name in makers)}`"


def nodes_of(names: Iterable[str]) -> list[str]:
    """The nodes that make datasets.

    Args:
        names: of the datasets.

    Returns:
        Names of the nodes, sorted; none of a dataset that no pipeline makes.
    """
    from kedro.framework.project import pipelines

    wanted = set(names)
    return sorted(
        {node.name for pipeline in pipelines.values() for node in pipeline.nodes if wanted & set(node.outputs)}
    )


def made_by_any() -> set[str]:
    """Names of the datasets that some pipeline makes."""
    from kedro.framework.project import pipelines

    return {name for pipeline in pipelines.values() for name in pipeline.all_outputs()}
