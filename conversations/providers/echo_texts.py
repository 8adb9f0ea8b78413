"""The words of the built-in demo. Pure text: no clock, no chance, so that the same prompt has the same answer."""

import re
from collections.abc import Iterable, Iterator

from .echo_commands import Commands

LONGEST_QUOTE = 4000  # characters of the prompt
QUOTED = 2000  # of what a tool gave
TITLE_WORDS = 6
PIECE = re.compile(r"\s*\S{1,12}|\s+")

REASONING = (
    "The prompt asks for a demonstration of reasoning. First I look at what is there: a prompt, and no model. "
    "Then I weigh the choices: I could pretend, or I could say so.\n\nSaying so is better. Now I write the answer.\n"
)
GREETING = (
    "Hello! This is the **echo demo** of this site: there is no language model behind it, so it can only repeat what you wrote.\n\n"
    "{quote}\n\nEvery word on the way here was streamed, stored and rendered as a real answer would be. "
    "Pick another model for one, or send `/help` to see what this demo can be told to do."
)
SENTENCES = (
    "The tide came in over the flat sand and filled the prints of the morning.",
    "A gull turned once above the pier, found nothing, and went on towards the harbour.",
    "Somewhere behind the dunes a dog was barking at the *wind*, which did not answer.",
    "By noon the light was so **bright** that the sea looked like `hammered tin`.",
    "Nobody had opened the kiosk yet; its shutters ticked as they grew warm.",
    "Paragraph {number} ends here, and the water is a little higher than before.",
)
MARKDOWN = (
    r"""# Markdown of every kind

A paragraph with *emphasis*, **strong emphasis**, ***both***, ~~deleted~~ words, `inline code` and a hard\
line break. Umlauts and more: äöü, ß, 日本語, العربية, 👩‍👩‍👧‍👦, é.

## Lists

1. One
2. Two
   - nested, with **bold**
     - and deeper
       1. and numbered again
3. Three

- [x] a task that is done
- [ ] a task that is open
  - [ ] a nested one

### A table

| Left | Centre | Right |
|:-----|:------:|------:|
| a    | `b`    |     1 |
| *c*  | d \| e |   200 |
| [link](https://example.org/) | 漢字 | 3.5 |

#### Code

```python
def greet(name: str) -> str:
    # Escaped, never run: <script>alert("no")</script>
    return f"Hello, {name}!"
```

```sql
SELECT id, title FROM conversation WHERE deleted_at IS NULL ORDER BY updated_at DESC;
```

    an indented code block

##### Mathematics

Inline: $e^{i\pi} + 1 = 0$, and a price of \$5. On its own:

$$
\int_{-\infty}^{\infty} e^{-x^2} \, dx = \sqrt{\pi}
$$

$$
\begin{aligned}
(a + b)^2 &= a^2 + 2ab + b^2 \\
(a - b)^2 &= a^2 - 2ab + b^2
\end{aligned}
$$

###### Quotes

> A quote with a second paragraph
>
> > and one within.

> [!NOTE]
> An alert, as GitHub writes them.

> [!WARNING]
> Another, with `code`.

A footnote[^1], an autolink <https://example.org/>, a bare https://example.org/path?query=1, a
[link with a title](https://example.org/ "Title").

[^1]: The text of the footnote.

An image from elsewhere: ![A remote image](https://example.org/image.png)

Raw HTML: <b onclick="alert(1)">not bold</b> <img src="x" onerror="alert(1)">

<div class="raw"><script>alert("not run")</script></div>

A dangerous link: [click](javascript:alert(1))

---

A_very_long_word_without_a_break_"""
    + "abcdefghij" * 30
    + r"""

The end.
"""
)


def pieces_of(text: str) -> Iterator[str]:
    """Yield the pieces that stand for tokens: words with the space before them, long words in parts."""
    return (match.group() for match in PIECE.finditer(text))


def answer_to(prompt: str, commands: Commands, manual: str) -> str:
    """Return the whole answer, as Markdown."""
    if commands.help:
        return f"This demo has no model behind it. It can be told what to do:\n\n```text\n{manual.strip()}\n```\n"
    bodies = [BODIES[name](int(getattr(commands, name))) for name in commands.names_of_bodies]
    return "\n\n".join(bodies) or GREETING.format(quote=quoted(prompt))


def title_of(prompt: str) -> str:
    """Return as a title the first words of what stands below the instruction, which is the first paragraph of the prompt."""
    return " ".join(prompt.partition("\n\n")[2].split()[:TITLE_WORDS])


def quoted(prompt: str) -> str:
    """Return the prompt as a block quote. Every line is marked, so that no Markdown in it reaches past the quote."""
    shown = prompt[:LONGEST_QUOTE] + (" …" if len(prompt) > LONGEST_QUOTE else "")
    return "\n".join(f"> {line}".rstrip() for line in shown.strip().splitlines()) or "> "


def paragraphs(count: int) -> str:
    return "\n\n".join(" ".join(SENTENCES).format(number=number) for number in range(1, count + 1))


def code(count: int) -> str:
    lines = "\n".join(f'    print("line {number}", {number} * 2)  # says where it is' for number in range(1, count + 1))
    return f"```python\n{lines}\n```"


def items(count: int) -> str:
    return "\n".join(f"- Item {number} with some *words* to read" for number in range(1, count + 1))


def table(count: int) -> str:
    rows = "\n".join(f"| {number} | Row {number} | {number * number} |" for number in range(1, count + 1))
    return f"| Number | Name | Square |\n|-------:|:-----|-------:|\n{rows}"


BODIES = {
    "markdown": lambda _: MARKDOWN,
    "long": paragraphs,
    "code": code,
    "list": items,
    "table": table,
}


def asking(names: Iterable[str]) -> str:
    return f"I ask {' and '.join(dict.fromkeys(names))}."


def told_by_tools(results: Iterable[str]) -> str:
    """Return what tools said as quotes; "" where none did."""
    return "".join("> " + "\n> ".join(result[:QUOTED].split("\n")) + "\n\n" for result in results)
