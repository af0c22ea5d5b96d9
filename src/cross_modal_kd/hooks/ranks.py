"""A command that torchrun or srun has started once for each device is one run: the first process's."""

from collections.abc import Mapping
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from cross_modal_kd.config import TrainingConfig


class RanksHook:
    """Processes but the first wait for trainings, share them and end with the run; they write nothing."""

    def __init__(self) -> None:
        self._training: Any = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep what says how many processes there are to be.

        Args:
            context: of the session, with its parameters.
        """
        self._training = context.params.get("training")

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self) -> None:
        """Wait, where this is not the first process.

        Raises:
            SystemExit: with 0, once the run is through.
            ConfigError: other processes were started than ``compute`` asks for.
        """
        from cross_modal_kd.compute import launcher

        if launcher() is None or self._training is None:
            return
        from cross_modal_kd.training import join

        training = self._training
        if join(TrainingConfig.model_validate(training) if isinstance(training, Mapping) else training):
            raise SystemExit(0)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Let the others go."""
        self._dismiss()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Let the others go, where they do not wait within a training."""
        self._dismiss()

    def _dismiss(self) -> None:
        from cross_modal_kd.compute import launcher

        if launcher() is not None:
            from cross_modal_kd.training import dismiss

            dismiss()
