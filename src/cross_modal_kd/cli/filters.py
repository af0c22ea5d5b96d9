"""What the options of ``kedro run`` that choose nodes have named, and is not there."""

import re
from collections.abc import Iterable, Iterator

import click
from kedro.framework.project import pipelines

from cross_modal_kd.config import did_you_mean, nearest

NO_NODES, NOT_THERE = "Pipeline contains no nodes", r"Pipeline does not contain (nodes|datasets) named \[(.*)\]\.?$"
LISTS = "`kedro registry describe <pipeline>` lists the nodes of one"


def nothing_chosen(text: str) -> str:
    """Kedro's words for a choice of nodes that chooses none, with what was probably meant.

    Args:
        text: of the error.

    Returns:
        Words for who typed the command; empty where the error is another.
    """
    if not text.startswith((NO_NODES, "Pipeline does not contain")):
        return ""
    if text.startswith(NO_NODES) and (words := "\n".join(_unknown_tags(_typed("tags")))):
        return words
    hints = []
    if named := re.match(NOT_THERE, text):
        there = _nodes() if named[1] == "nodes" else _datasets()
        hints = [did_you_mean(name, there) for name in re.findall(r"'([^']*)'", named[2])]
    said = text if text.endswith("?") else f"{text.rstrip('.')};"
    return " ".join((said, *filter(None, hints), LISTS))


def _unknown_tags(tags: Iterable[str]) -> Iterator[str]:
    """A sentence for each tag that no node of the pipelines that were asked for has."""
    there = {name: {tag for node in pipelines[name].nodes for tag in node.tags} for name in pipelines}
    asked = set().union(*(there[name] for name in _asked()))
    for tag in sorted(set(tags) - asked):
        if having := [name for name in there if tag in there[name]]:
            yield f"no node of {', '.join(_asked())} has the tag {tag!r}; some of --pipelines={having[0]} have it"
        else:
            yield f"no node has the tag {tag!r}. {nearest(tag, sorted(set().union(*there.values())))}"


def _asked() -> list[str]:
    """Names of the pipelines that were asked for, of those that there are."""
    named = [*_typed("pipelines"), *_typed("pipeline")] or ["__default__"]
    return [name for name in named if name in pipelines]


def _nodes() -> list[str]:
    return sorted({node.name for name in _asked() for node in pipelines[name].nodes})


def _datasets() -> list[str]:
    return sorted({dataset for name in _asked() for dataset in pipelines[name].datasets()})


def _typed(option: str) -> list[str]:
    """What the command was given by that option; nothing where there is no command."""
    context = click.get_current_context(silent=True)
    given = None if context is None else context.params.get(option)
    return [given] if isinstance(given, str) else list(given or ())
