"""What a person, or a program, asked for that cannot begin now."""


class TurnRefused(Exception):
    """A turn that cannot begin now; its text is a sentence for the person, its code a word for a program (docs/api.md)."""

    status = 409
    retry_after: int | None = None  # seconds, where it is known when it could begin

    def __init__(self, sentence: str, code: str = "busy") -> None:
        super().__init__(sentence)
        self.code = code


class NothingLeft(TurnRefused):
    """No budget of the person has enough left for an answer that is worth beginning."""

    status = 402

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "budget")


class TooFast(TurnRefused):
    """More than one person may ask for."""

    status = 429

    def __init__(self, sentence: str, code: str, retry_after: int) -> None:
        super().__init__(sentence, code)
        self.retry_after = retry_after
