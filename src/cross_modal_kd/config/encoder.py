"""An encoder, named as its library names it, and how inputs become tensors."""

from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    create_model,
    model_serializer,
    model_validator,
)

from cross_modal_kd.config.registered import (
    LibraryName,
    check_options,
    input_blocks,
    library_traits,
    weights_options,
)
from cross_modal_kd.config.strict import Strict, unknown_keys, without_null

Block = TypeVar("Block", bound=BaseModel)


class EncoderConfig(Strict):
    """An encoder of a library that a modality registers.

    library: timm, torchvision or onnx (image), speechbrain, tstp or transformers (speech), sentence_transformers or
    utf8 (text), or another registered one.
    name: of the encoder, as that library has it.
    options: of the encoder, as that library has them; only options on the list that the modality announces are taken,
    each of its type and range. An option that is null is left to the library's default: so an environment takes away
    one that conf/base sets.
    """

    library: LibraryName
    name: str
    options: Annotated[dict[str, Any], BeforeValidator(without_null)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _options_are_known(self) -> "EncoderConfig":
        check_options(self.library, self.name, self.options)
        return self

    @property
    def fresh_options(self) -> dict[str, Any]:
        """The options without those that say where pretrained weights lie."""
        weights = weights_options(self.library, self.options)
        return {name: value for name, value in self.options.items() if name not in weights}

    def require_fresh(self, why: str) -> "EncoderConfig":
        """Let pass an encoder whose weights are not its library's.

        Args:
            why: what it belongs to, for the message.

        Returns:
            The configuration itself.

        Raises:
            ValueError: an option says where pretrained weights lie.
        """
        if named := weights_options(self.library, self.options):
            raise ValueError(f"encoder.options.{named[0]} says where pretrained weights lie: {why}; take it out")
        return self

    def require_weights(self, pretrained: bool | str, role: str) -> None:
        """Let pass an encoder whose library has weights for it.

        Args:
            pretrained: true for the library's own, or the path of a folder or file.
            role: the block that names the encoder, for the message.

        Raises:
            ValueError: the library has none, or takes them in another way.
        """
        traits, key = library_traits(self.library), f"{role}.pretrained"
        if isinstance(pretrained, str) and not traits.by_path:
            names = "".join(f" (encoder.options.{name} names a file)" for name in traits.weights)
            raise ValueError(
                f"a {self.library} encoder takes no weights from a path, found {pretrained!r}: "
                f"{key} must be {'true' if traits.pretrained else 'false'}{names}"
            )
        if pretrained is True and traits.by_path and not traits.pretrained:
            raise ValueError(f"the weights of a {self.library} encoder lie in a folder or file: {key} must be its path")
        if pretrained and not (traits.pretrained or traits.by_path):
            raise ValueError(f"a {self.library} encoder brings no weights of its own: {key} must be false")


class InputConfig(Strict):
    """How inputs of each modality are read and turned into tensors: a block for each modality that registers one.

    Every registered block is there, with its defaults where it is not given. ``inputs.image`` is the image modality's
    block; ``of`` is the same with its type.
    """

    model_config = ConfigDict(frozen=True, extra="allow", validate_default=True, allow_inf_nan=False)

    cache_mb: int = Field(2048, ge=0, description="decoded inputs kept in memory, at most; beyond it files are re-read")

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_keys(cls, data: Any) -> Any:
        """The blocks, checked by the models that their modalities registered."""
        if not isinstance(data, dict):
            return data
        blocks = input_blocks()
        unknown = sorted(str(key) for key in data if key not in (*blocks, "cache_mb"))
        if unknown:
            raise ValueError(unknown_keys(unknown, "InputConfig", sorted((*blocks, "cache_mb"))))
        fields: dict[str, Any] = {name: (block, block()) for name, block in blocks.items()}
        checked = create_model("InputBlocks", **fields).model_validate({n: data[n] for n in blocks if n in data})
        return {**data, **{name: getattr(checked, name) for name in blocks}}

    @model_serializer(mode="wrap")
    def _blocks_first(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The blocks in the order of registration, then the fields that all share; no block that says nothing."""
        found = {name: value for name, value in handler(self).items() if value != {}}
        shared = {name: found.pop(name) for name in type(self).model_fields if name in found}
        return {**found, **shared}

    def of(self, kind: type[Block]) -> Block:
        """The block of that model.

        Args:
            kind: the model that a modality registered for its block.

        Returns:
            The block, with its defaults where it was not given.

        Raises:
            KeyError: no modality registered it.
        """
        for block in (self.model_extra or {}).values():
            if isinstance(block, kind):
                return block
        raise KeyError(f"inputs has no block of {kind.__name__}; it has: {', '.join(self.model_extra or {})}")
