"""The one error of those who configure a resource server wrongly."""

from collections.abc import Iterable


class ConfigurationError(ValueError):
    """A wrong or missing option. Its text is one sentence that names the option and the cure."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(option, problem)
        self.option = option
        self.problem = problem
        """What follows the option's name in the sentence."""

    def __str__(self) -> str:
        return f"{self.option} {self.problem}"


def listed(option: str, values: Iterable[str]) -> list[str]:
    """The texts of an option; refuses one text, which Python would take for a list of its letters."""
    if isinstance(values, str):
        raise ConfigurationError(option, f"must be a list of texts, not one text: {values.replace(',', ' ').split()}")
    return list(values)
