"""What `kedro run --pipeline=score` names the classes of."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from cross_modal_kd.config.strict import EachOnce, Strict


class ScoreConfig(Strict):
    """Files for the packaged student.

    Attributes:
        inputs: files and folders, these at every depth, from the project's folder.
        top_k: classes that are listed for each.
        labels: classes named by words, for a student that a text teacher has taught; null takes the student's own.
        device: to embed on.
        batch_size: files that are in memory at a time.
    """

    inputs: Annotated[list[str], EachOnce] = Field(default_factory=list)
    top_k: int = Field(1, ge=1)
    labels: Annotated[list[str], Field(min_length=1), EachOnce] | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    batch_size: int = Field(64, ge=1)

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:  # noqa: ARG002
        """Inputs that are not there.

        Args:
            blocks: All blocks by name.

        Yields:
            A sentence for each.
        """
        if not self.inputs:
            yield "score.inputs names nothing: give files or folders, --params='score.inputs=[photos]'"
        for name in self.inputs:
            if not Path(name).exists():
                yield f"score.inputs: there is no {name}"
