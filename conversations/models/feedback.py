"""Feedback: what the owner of an answer thinks of it, for staff to read."""

from typing import ClassVar

from django.db import models

from .messages import Message

COMMENT_MAX_CHARACTERS = 4000


class Feedback(models.Model):
    class Rating(models.IntegerChoices):
        UP = 1, "thumbs up"
        DOWN = -1, "thumbs down"

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.CASCADE, related_name="feedback")
    rating = models.SmallIntegerField(choices=Rating)
    comment = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-updated_at"]
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return f"{self.get_rating_display()} for message {self.message_id}"


def rate(answer: Message, rating: int, comment: str | None = None) -> Feedback | None:
    """Keep a rating of an answer; 0 takes it back, with its comment. A comment that is None stays as it is."""
    if not rating:
        Feedback.objects.filter(message=answer).delete()
        return None
    told = {"rating": rating} if comment is None else {"rating": rating, "comment": comment}
    feedback, _ = Feedback.objects.update_or_create(message=answer, defaults=told)
    return feedback
