"""What is measured: so many people, so many tokens at such a rate, started within so many seconds."""

from dataclasses import dataclass

TTFT = 0.2  # seconds the provider takes to its first token, in every case


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    streams: int
    rate: int  # tokens per second
    tokens: int
    spread: float  # seconds from the first person's Enter to the last one's

    @property
    def model_id(self) -> str:
        """The model id that makes the fake provider behave so."""
        return f"fake:rate={self.rate},tokens={self.tokens},ttft={TTFT}"

    @property
    def time_limit(self) -> float:
        """Seconds after which a run counts as failed: four times what the provider alone takes, and a margin."""
        return 4 * (TTFT + self.tokens / self.rate) + self.spread + 20


CASES = (
    Case("one", streams=1, rate=30, tokens=300, spread=0),
    Case("many", streams=100, rate=30, tokens=300, spread=2),
    Case("fast", streams=50, rate=100, tokens=600, spread=2),
    Case("burst", streams=100, rate=30, tokens=60, spread=0.5),
)
WARM_UP = Case("warm-up", streams=8, rate=100, tokens=60, spread=0.2)
