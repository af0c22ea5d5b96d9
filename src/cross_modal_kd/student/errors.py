"""What can be wrong with a packaged student, or with what it is asked for."""


class StudentError(ValueError):
    """A packaged student that cannot be used, or a question that it cannot answer: the message says what to do."""
