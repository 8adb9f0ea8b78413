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
    viewers: int = 1  # pages of each person that show the answer
    history: int = 0  # turns before the prompt

    @property
    def model_id(self) -> str:
        """The model id that makes the fake provider behave so."""
        return f"fake:rate={self.rate},tokens={self.tokens},ttft={TTFT}"

    @property
    def time_limit(self) -> float:
        """Seconds after which a run counts as failed: four times what the provider alone takes, and a margin."""
        return 4 * (TTFT + self.tokens / self.rate) + self.spread + 20


def burst(streams: int) -> Case:
    return Case("burst" if streams == 100 else f"burst{streams}", streams, rate=30, tokens=60, spread=0.5)


CASES = (
    Case("one", streams=1, rate=30, tokens=300, spread=0),
    Case("many", streams=100, rate=30, tokens=300, spread=2),
    Case("fast", streams=50, rate=100, tokens=600, spread=2),
    burst(100),
)
MORE_CASES = (burst(50), burst(200))  # asked for by name, or with --all
WARM_UP = Case("warm-up", streams=8, rate=100, tokens=60, spread=0.2)

# Twenty-five people come a second, and all of them are there together for at least ten.
CAPACITY = tuple(Case(f"{streams} streams", streams, rate=30, tokens=900, spread=streams / 25) for streams in (100, 200, 300, 400, 500))

GROWTH = {
    "viewers per answer": [Case(f"{viewers}", 10, 30, 300, 1, viewers=viewers) for viewers in (1, 5, 20)],
    "tokens per answer": [Case(f"{tokens}", 10, 100, tokens, 1) for tokens in (300, 3_000, 10_000)],
    "turns before": [Case(f"{turns}", 20, 30, 60, 2, history=turns) for turns in (1, 50, 200)],
}
