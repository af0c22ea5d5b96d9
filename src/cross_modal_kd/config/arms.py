"""All arms by name."""

from pydantic import RootModel, model_validator

from cross_modal_kd.config.objective import ArmConfig


class ArmsConfig(RootModel[dict[str, ArmConfig]]):
    """The block ``arms``: the student alone and everything it is compared with."""

    @model_validator(mode="after")
    def _named(self) -> "ArmsConfig":
        if not self.root:
            raise ValueError("arms is empty: name at least one")
        return self

    def get(self, name: str) -> ArmConfig:
        """The arm of that name; ValueError lists the names there are."""
        if name not in self.root:
            raise ValueError(f"arm {name!r} is not in the block 'arms'; expected one of: {', '.join(self.root)}")
        return self.root[name]
