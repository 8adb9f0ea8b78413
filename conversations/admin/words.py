"""What staff read in place of the code names of errors, statuses and events."""

ERRORS = {
    "provider_error": "The provider could not answer",
    "unauthorised": "Key wrong or missing",
    "rate_limited": "Too many requests",
    "no_credit": "No credit left",
    "model_unknown": "Model not found there",
    "context_too_long": "Conversation too long",
    "refused": "Request refused",
    "unavailable": "Provider not reached",
    "first_token_timeout": "No first word in time",
    "idle_timeout": "Fell silent",
    "budget": "Budget used up",
    "malformed": "Reply not understood",
}


def in_words(code: str) -> str:
    """Return `code` for people; one that nobody has described yet as it can be read best."""
    return ERRORS.get(code) or code.replace("_", " ").capitalize()
