"""The theme: a cookie that holds one of three words, and a way back that never leads to another site."""

from typing import Any

import pytest
from django.test import Client


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_a_theme_is_kept_in_a_cookie_and_is_in_the_first_byte(alices: Client, theme: str) -> None:
    alices.post("/theme", {"theme": theme})
    cookie = alices.cookies["theme"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == (theme, True, "Lax")
    assert f'data-theme="{theme}"' in alices.get("/").content.decode()


@pytest.mark.parametrize(("theme", "body"), [("light", "theme-light"), ("dark", "theme-dark"), ("system", ""), ('"><script>', "")])
def test_the_admin_has_the_theme_of_the_site_and_no_switch_of_its_own(carols: Client, theme: str, body: str) -> None:
    carols.cookies["theme"] = theme
    page = carols.get("/admin/").content.decode()
    assert f'<body class="{body} ' in page
    assert "theme-toggle" not in page
    assert "theme.js" not in page


@pytest.mark.parametrize("theme", ["", "neon", "light; Path=/", "x" * 5000, '"><script>', "nul\0"])
def test_what_is_no_theme_is_not_kept(alices: Client, theme: str) -> None:
    assert alices.post("/theme", {"theme": theme}).status_code == 302
    assert "theme" not in alices.cookies


def test_a_forged_cookie_does_not_reach_the_page(alices: Client) -> None:
    alices.cookies["theme"] = '"><script>alert(1)</script>'
    assert "<script>alert" not in alices.get("/").content.decode()


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/",
        "//evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
        "http://testserver@evil.example/",
        "http://testserver.evil.example/",
        "data:text/html,x",
        "",
    ],
)
def test_the_way_back_never_leads_to_another_site(alices: Client, referer: str) -> None:
    response: Any = alices.post("/theme", {"theme": "dark"}, headers={"Referer": referer})
    assert response.headers["Location"] == "/"


def test_the_way_back_is_the_page_one_came_from(alices: Client) -> None:
    response: Any = alices.post("/theme", {"theme": "dark"}, headers={"Referer": "http://testserver/conversations/5?x=1"})
    assert response.headers["Location"] == "http://testserver/conversations/5?x=1"
