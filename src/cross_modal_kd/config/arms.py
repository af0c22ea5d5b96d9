"""All arms by name."""

from typing import Annotated

from pydantic import BeforeValidator, RootModel, model_validator

from cross_modal_kd.config.objective import ArmConfig
from cross_modal_kd.config.strict import without_null


class ArmsConfig(RootModel[Annotated[dict[str, ArmConfig], BeforeValidator(without_null)]]):
    """The block ``arms``: the student alone and everything it is compared with. An arm that is null is left out."""

    @model_validator(mode="after")
    def _named(self) -> "ArmsConfig":
        if not self.root:
            raise ValueError("arms is empty: name at least one")
        return self

    def get(self, name: str) -> ArmConfig:
        """The arm of that name.

        Args:
            name: Of an arm in the block.

        Returns:
            Its configuration.

        Raises:
            ValueError: With the names there are.
        """
        if name not in self.root:
            raise ValueError(f"arm {name!r} is not in the block 'arms'; expected one of: {', '.join(self.root)}")
        return self.root[name]
