"""What can go wrong upstream, by type. Each error carries a sentence the person can act on.

    ProviderError
    ├── Unauthorised           the key is wrong or missing
    ├── RateLimited            too many requests; `retry_after` in seconds where the provider said so
    ├── NoCredit               the account at the provider is empty
    ├── ModelUnknown           the provider has no model of that id, or nothing at that address
    ├── ContextTooLong         the conversation does not fit the model
    ├── Refused                the provider understood the request and will not serve it (bad request, policy)
    ├── Unavailable            no connection
    │   └── Faulty             it was reached, and failed on its side
    ├── FirstTokenTimeout      connected, and then nothing
    ├── IdleTimeout            the answer began, and then nothing
    └── Malformed              an answer that is not what the protocol says, or one that was cut off

`sentence` is for an answer of which nothing has arrived, `sentence_in_the_middle`, where it differs, for one that had begun.
`detail` is what the provider said, for staff and the log; it is untrusted text and never shown as HTML.
"""

import math


class ProviderError(Exception):
    code = "provider_error"
    sentence = "The provider could not answer. Try again in a moment."
    sentence_in_the_middle = ""
    reached_model = False  # the model may have read the prompt, so the attempt may cost something
    is_temporary = False  # it was not served this time, and may be the next: worth asking again
    retry_after: float | None = None

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail[:2000]
        self.retry_after = retry_after

    def told(self, *, has_begun: bool) -> str:
        """Return the sentence for the person; `has_begun` says that some of the answer has arrived, and is kept."""
        return (has_begun and self.sentence_in_the_middle) or self.sentence


class Unauthorised(ProviderError):
    code = "unauthorised"
    sentence = "The provider did not accept this site's key. Tell the staff of this site, or pick another model."


class RateLimited(ProviderError):
    code = "rate_limited"
    is_temporary = True

    @property
    def sentence(self) -> str:  # type: ignore[override]
        wait = f"in {in_words(self.retry_after)}" if self.retry_after else "in a minute"
        return f"The provider is taking no more requests just now. Try again {wait}, or pick another model."


class NoCredit(ProviderError):
    code = "no_credit"
    sentence = "This site's account at the provider has no credit left. Tell the staff of this site, or pick another model."


class ModelUnknown(ProviderError):
    code = "model_unknown"
    sentence = "The provider does not know this model. Pick another one, and ask the staff of this site to check its model id."


class ContextTooLong(ProviderError):
    code = "context_too_long"
    sentence = (
        "This conversation is too long for the model. Shorten the prompt, start a new chat, or pick a model with a larger context window."
    )


class Refused(ProviderError):
    code = "refused"
    sentence = "The provider refused this request. Rephrase the prompt or pick another model."


class Unavailable(ProviderError):
    code = "unavailable"
    is_temporary = True
    sentence = "The provider cannot be reached. Try again in a moment, or pick another model."
    sentence_in_the_middle = "The provider broke off in the middle of its answer. What it wrote is kept; try again for a whole one."


class Faulty(Unavailable):
    sentence = "The provider has a fault just now. Try again in a moment, or pick another model."


class FirstTokenTimeout(ProviderError):
    code = "first_token_timeout"
    reached_model = True
    sentence = "The model did not begin to answer in time. Try again, or pick another model."


class IdleTimeout(ProviderError):
    code = "idle_timeout"
    reached_model = True
    sentence = "The model fell silent before it had written anything. Try again, or pick another model."
    sentence_in_the_middle = "The model fell silent in the middle of its answer. What it wrote is kept; try again for a whole one."


class Malformed(ProviderError):
    code = "malformed"
    reached_model = True
    sentence = "The provider sent something that is no answer. Try again, or pick another model."
    sentence_in_the_middle = (
        "The connection to the provider broke off in the middle of the answer. What it wrote is kept; try again for a whole one."
    )


def in_words(seconds: float) -> str:
    """Return a time to wait, in the largest unit that still tells it well."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{math.ceil(seconds / length)} {unit}s"
    count = max(1, round(seconds))
    return "1 second" if count == 1 else f"{count} seconds"
