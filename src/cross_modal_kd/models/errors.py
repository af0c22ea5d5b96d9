"""What can be wrong with a saved model."""


class ModelError(ValueError):
    """A saved model that cannot be used as it is: the message names the file, what is wrong, and what to do."""


class MissingModelError(ModelError, FileNotFoundError):
    """A saved model that is not there, or a file of it; it is a FileNotFoundError too."""
