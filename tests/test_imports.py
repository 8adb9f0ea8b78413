"""Imports go one way (docs/architecture.md). This test walks them and fails on any other arrow."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "conversations"

ROOMS = {
    "models": set(),
    "providers": set(),
    "rendering": {"models"},
    "forms": {"models"},
    "tools": {"models"},
    "generation": {"providers", "tools", "models"},
    "eventstream": {"generation", "rendering", "models"},
    "consumers": {"eventstream", "generation", "models"},
    "transfer": {"rendering", "models"},
    "views": {"forms", "eventstream", "transfer", "rendering", "generation", "models"},
    "admin": {"forms", "generation", "providers", "tools", "models"},
}
ONLY_IN = {
    "openai": {"providers/connection.py", "providers/faults.py"},
    "anthropic": set[str](),  # decision 22
    "genai_prices": {"providers/known.py"},
}


def modules(room: str = "") -> list[Path]:
    return sorted(path for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts)


def imported(path: Path) -> Iterator[str]:
    """Yield every module that `path` imports, in full."""
    package = ["conversations", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield stem
            yield from (f"{stem}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_lies_behind_it(room: str) -> None:
    for path in modules(room):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "conversations" and len(parts) > 1 and parts[1] in ROOMS:
                assert parts[1] in ROOMS[room] | {room}, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_provider_package_stays_in_its_adapter(package: str) -> None:
    for path in modules():
        if str(path.relative_to(ROOT)) not in ONLY_IN[package]:
            assert package not in {name.split(".")[0] for name in imported(path)}, path


def test_html_is_marked_safe_only_in_the_rendering_room() -> None:
    for path in modules():
        if "rendering" not in path.parts:
            assert not any(name.endswith(("mark_safe", "SafeString")) for name in imported(path)), path
    for template in (ROOT.parent / "templates").rglob("*.html"):
        assert "|safe" not in template.read_text(), template
        assert "autoescape off" not in template.read_text(), template


def test_providers_know_nothing_of_the_database() -> None:
    for path in modules("providers"):
        assert not any(name.startswith("django") for name in imported(path)), path
