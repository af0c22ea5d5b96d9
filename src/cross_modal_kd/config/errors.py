"""What is raised for a configuration that cannot be meant."""


class ConfigError(ValueError):
    """A parameter that is wrong or lacking: the message names it, found, expected and where to change it."""
