"""Invented conversations: the same for the same seed, with words as rare and as common as in what people write."""

import itertools
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from conversations.models import Conversation, Generation, LanguageModel, Message, Role, Status, Usage

COMMON = """
    the of and a to in is you that it for on are as with they be at this from have or by one had not but what all were when we there can
    an your which their if will each about how up out then them she many some so these would other into has more her two like
    him see time could no make than first been its who now people my made over did down only way find use may water long little very
    after words""".split()  # noqa: SIM905 - so many are read as a text
ACCENTED = ("café", "naïve", "Zürich", "Málaga", "façade", "Kraków", "Ångström", "jalapeño", "crème", "brûlée", "über", "señor")
UNSPACED = (
    *("机器学习的模型需要很多数据", "我喜欢在雨天喝一杯热咖啡", "这个手机的电池可以用两天", "请帮我写一封给经理的邮件"),
    *(
        "数据库的索引让查询变快",
        "東京の天気は明日も晴れです",
        "新しい携帯電話を買いました",
        "사과를 먹고 싶어요",
        "데이터베이스를 검색합니다",
    ),
)
CODE = "```python\ndef {0}({1}: int) -> int:\n    return {1} * 2\n```"
RARE_EVERY = 50_000  # paragraphs
RARE = "quetzalcoatlus"
SYLLABLES = ("ka", "lo", "mi", "ren", "tas", "vo", "du", "shi", "pra", "nel", "quo", "bar", "zi", "fen", "ost", "ul", "mer", "gan")


class Writer:
    """Texts from a vocabulary in which the n-th word is n times as rare as the first."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - invented, not secret
        rare = {"".join(self._random.choices(SYLLABLES, k=self._random.randint(2, 4))) for _ in range(12_000)}
        self._words = [*COMMON, *sorted(rare)]
        self._weights = list(itertools.accumulate(1 / (place + 3) for place in range(len(self._words))))
        self._written = 0

    def title(self) -> str:
        return " ".join(self._some(self._random.randint(2, 7))).capitalize()

    def prompt(self) -> str:
        return self._text(1, 2)

    def answer(self) -> str:
        code = "\n\n" + CODE.format(*self._some(2)) if self._random.random() < 0.1 else ""
        return "\n\n".join(self._text(2, 5) for _ in range(self._random.randint(1, 5))) + code

    def _text(self, least: int, most: int) -> str:
        self._written += 1
        sentences = [self._sentence() for _ in range(self._random.randint(least, most))]
        if self._written % RARE_EVERY == 0:
            sentences.append(f"A {RARE} flew by.")
        return " ".join(sentences)

    def _sentence(self) -> str:
        chance = self._random.random()
        if chance < 0.03:
            return self._random.choice(UNSPACED) + "。"
        words = self._some(self._random.randint(6, 18))
        if chance > 0.9:
            words[2] = self._random.choice(ACCENTED)
        return " ".join(words).capitalize() + "."

    def _some(self, count: int) -> list[str]:
        return self._random.choices(self._words, cum_weights=self._weights, k=count)


class Rows:
    """All rows of so many conversations, with keys of their own, so that each table is written once."""

    def __init__(self, owner_id: int, model: LanguageModel, writer: Writer) -> None:
        self._owner_id, self._model, self._writer = owner_id, model, writer
        self.conversations: list[Conversation] = []
        self.messages: list[Message] = []
        self.generations: list[Generation] = []
        self.usages: list[Usage] = []

    def add(self, conversation_key: int, keys: Iterator[int], turns: int, ended_at: datetime) -> None:
        """A conversation of finished turns."""
        conversation = Conversation(
            pk=conversation_key, owner_id=self._owner_id, title=self._writer.title(), model=self._model, updated_at=ended_at
        )
        parent: int | None = None
        for turn in range(turns):
            written_at = ended_at - timedelta(minutes=5 * (turns - turn))
            prompt = Message(pk=next(keys), parent_id=parent, role=Role.USER, text=self._writer.prompt(), created_at=written_at)
            answer = Message(pk=next(keys), parent_id=prompt.pk, role=Role.ASSISTANT, text=self._writer.answer(), created_at=written_at)
            self._generated(answer, written_at)
            for message in (prompt, answer):
                message.conversation = conversation
                self.messages.append(message)
            parent = answer.pk
        conversation.head_id = parent
        self.conversations.append(conversation)

    def _generated(self, answer: Message, at: datetime) -> None:
        generation = Generation(
            pk=answer.pk,
            message=answer,
            model=self._model,
            model_name=self._model.name,
            status=Status.COMPLETE,
            queued_at=at,
            first_token_at=at + timedelta(seconds=1),
            finished_at=at + timedelta(seconds=9),
        )
        usage = Usage(generation=generation, input_tokens=200, output_tokens=len(answer.text) // 4, cost=Decimal(0))
        usage.take_prices(self._model)
        self.generations.append(generation)
        self.usages.append(usage)
