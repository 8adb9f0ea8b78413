"""The composer: what Enter does, what is kept when something goes wrong, and that nothing is sent twice."""

import pytest
from playwright.async_api import Page, expect

from tests.factories import PASSWORD

from .chat import answer, ask, becomes, begin, dictate, follows, message, send, shows, source, stop
from .visits import CSRF, Visits
from .wire import Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def log_in(page: Page, who: str) -> None:
    await page.goto("/accounts/login/")
    await page.get_by_label("Username").fill(who)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(message(page)).to_be_visible()


async def test_no_second_message_is_sent_while_an_answer_is_written(visits: Visits) -> None:
    visits.expect(r"status of 409")
    page = await visits.open()
    await ask(page, "/silent")
    await becomes(page, "running")
    await expect(page.get_by_role("button", name="Send")).to_be_hidden()
    await send(page, "too early")
    await expect(message(page)).to_have_value("too early")
    await expect(page.locator("#toasts")).to_contain_text("Wait for it or stop it, then send.")
    form: dict[str, str | float | bool] = {"prompt": "too early", "csrfmiddlewaretoken": CSRF}
    reply = await page.context.request.post(f"{page.url}/messages", form=form, headers={"Accept": "application/json"})
    assert reply.status == 409
    await expect(page.locator(".prompt")).to_have_count(1)
    await stop(page).click()
    await becomes(page, "stopped")
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    await expect(message(page)).to_have_value("too early")


async def test_a_busy_conversation_in_another_tab_keeps_the_text_and_says_why(visits: Visits) -> None:
    visits.expect(r"status of 409", r"^htmx: ")
    one, two = await visits.open(), await visits.open()
    await ask(one, "hello /rate 500")
    await becomes(one, "complete")
    await two.route_web_socket("**/changes*", lambda socket: socket.close())  # it has not heard of the other tab
    await two.goto(one.url)
    await send(one, "/silent")
    await becomes(one, "running")
    await send(two, "from the other tab")
    await expect(two.locator("#composer-error")).not_to_be_empty()
    await expect(message(two)).to_have_value("from the other tab")
    await stop(one).click()
    await becomes(one, "stopped")


async def test_signed_out_in_another_tab_the_text_is_kept_and_is_sent_after_logging_in_there(visits: Visits) -> None:
    """The page says so, offers what can be done, and once somebody is logged in again Send works at the first press."""
    visits.expect(r"status of 401", r"status of 403", r"^htmx: ")
    page = await visits.open("")
    await log_in(page, "dora")
    await send(page, "hello /rate 500")
    await becomes(page, "complete")
    other = await page.context.new_page()
    await other.goto("/accounts/logout/")
    await other.get_by_role("button", name="Log out").click()
    await expect(other.get_by_role("heading", name="Welcome back")).to_be_visible()
    await send(page, "still here")
    await expect(page.locator("#composer-error")).to_contain_text("logged out")
    await expect(message(page)).to_have_value("still here")
    await expect(page.get_by_role("alert").filter(has_text="You are logged out.")).to_be_visible()
    await log_in(other, "dora")
    await message(page).press("Enter")
    await expect(page.locator(".prompt")).to_have_count(2)
    await expect(page.locator("#signed-out")).to_be_hidden()
    await expect(page.locator(".prompt").last).to_contain_text("still here")
    await expect(page.locator("#composer-error")).to_be_empty()
    await expect(message(page)).to_have_value("")
    await becomes(page, "complete")


async def test_a_page_that_is_logged_out_shows_no_stop_and_follows_on_after_a_log_in(visits: Visits, provider: Provider) -> None:
    visits.expect(r"status of 401", r"SSE reconnect failed", r"^htmx: ", r"^WebSocket connection to")
    page = await visits.open("")
    await log_in(page, "dora")
    provider.say("The first half", pauses=True)
    await page.goto("/")
    await page.get_by_label("Model").select_option(label="Wire")
    await send(page, "Say what is dictated.")
    await follows(page)
    number = int(str(await answer(page).get_attribute("id")).removeprefix("message-"))
    await expect(page.locator(".running")).to_have_count(1)
    other = await page.context.new_page()
    await other.goto("/accounts/logout/")
    await other.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("alert").filter(has_text="You are logged out.")).to_be_visible()
    await expect(stop(page)).to_be_hidden()
    await expect(page.locator(".running")).to_be_hidden()
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    await log_in(other, "dora")
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await expect(page.locator("#signed-out")).to_be_hidden()
    await expect(stop(page)).to_be_visible()
    provider.add(" and the second.")
    provider.end()
    await becomes(page, "complete")
    assert await source(page, number) == "The first half and the second."
    await expect(page.locator(".running")).to_have_count(0)


async def test_somebody_else_who_logs_in_does_not_go_on_in_this_page(visits: Visits) -> None:
    visits.expect(r"status of 40[14]", r"^htmx: ")
    page = await visits.open("")
    await log_in(page, "dora")
    await page.goto("/")
    other = await page.context.new_page()
    await other.goto("/accounts/logout/")
    await other.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("alert").filter(has_text="You are logged out.")).to_be_visible()
    await log_in(other, "bob")
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await expect(page.locator(".account summary")).to_contain_text("bob")


async def test_after_logging_in_again_every_form_of_an_open_page_works(visits: Visits) -> None:
    visits.expect(r"status of 403", r"^htmx: ")
    page = await visits.open()
    await ask(page, "hello /rate 500")
    await becomes(page, "complete")
    await page.context.add_cookies([{"name": "csrftoken", "value": "d" * 32, "url": visits.site.url}])
    first = await answer(page).get_attribute("id")
    await answer(page).get_by_role("button", name="Retry").click()
    await expect(answer(page)).not_to_have_attribute("id", str(first))
    await expect(page.locator("#composer-error")).to_be_empty()
    await page.locator(".account summary").click()
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_typing_while_an_answer_is_written_is_not_lost(visits: Visits, provider: Provider) -> None:
    page = await visits.open()
    await dictate(page, provider, "Some words")
    await shows(page, "Some words")
    await message(page).press_sequentially("the next ")
    provider.add(" and some more")
    await shows(page, "and some more")
    await message(page).press_sequentially("question")
    provider.end()
    await becomes(page, "complete")
    await expect(message(page)).to_have_value("the next question")
    await expect(message(page)).to_be_focused()


async def test_two_quick_presses_of_enter_send_one_message(visits: Visits) -> None:
    page = await visits.open()
    await page.goto("/")
    await message(page).fill("only once /rate 300")
    await page.evaluate("""() => {
        const area = document.querySelector("#message");
        for (let n = 0; n < 3; n++) area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    }""")
    await becomes(page, "complete")
    await expect(page.locator(".prompt")).to_have_count(1)
    await page.evaluate("""() => {
        const area = document.querySelector("#message");
        area.value = "and once more /rate 300";
        for (let n = 0; n < 3; n++) area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    }""")
    await expect(page.locator(".prompt")).to_have_count(2)
    await becomes(page, "complete")
    await page.reload()
    await expect(page.locator(".prompt")).to_have_count(2)


async def test_a_blank_message_is_not_sent(visits: Visits) -> None:
    page = await visits.open()
    await ask(page, "hello /rate 500")
    await becomes(page, "complete")
    await send(page, "   ")
    await send(page, "not blank")
    await expect(page.locator(".bubble")).to_have_text(["hello /rate 500", "not blank"])
    await page.reload()
    await expect(page.locator(".prompt")).to_have_count(2)


async def test_a_message_that_is_too_long_is_refused_and_kept(visits: Visits) -> None:
    visits.expect(r"status of 422", r"^htmx: ")
    page = await visits.open()
    await ask(page, "hello /rate 500")
    await becomes(page, "complete")
    await page.evaluate("document.querySelector('#message').removeAttribute('maxlength')")
    await page.evaluate("document.querySelector('#message').value = 'x'.repeat(250000)")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#composer-error")).to_contain_text("too long")
    assert await page.evaluate("document.querySelector('#message').value.length") == 250000


async def test_an_example_fills_the_composer(visits: Visits) -> None:
    page = await visits.open()
    await page.goto("/")
    await page.get_by_role("button", name="Compare tea and coffee").click()
    await expect(message(page)).to_be_focused()
    await expect(message(page)).not_to_have_value("")


async def test_copy_puts_the_markdown_the_code_or_the_prompt_on_the_clipboard(visits: Visits) -> None:
    page = await visits.open(permissions=["clipboard-read", "clipboard-write"])
    number = await ask(page, "/markdown /rate 5000")
    await becomes(page, "complete")
    await page.get_by_role("link", name="Copy Markdown of every kind").click()
    await expect(page.locator("#sr")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == await source(page, number)
    await page.get_by_role("button", name="Copy code").first.click()
    await page.wait_for_function("() => navigator.clipboard.readText().then(text => text.startsWith('def greet'))")
    await page.get_by_role("button", name="Copy /markdown /rate").click()
    await page.wait_for_function("() => navigator.clipboard.readText().then(text => text === '/markdown /rate 5000')")


async def test_bob_sees_nothing_of_alice(visits: Visits) -> None:
    visits.expect(r"status of 404")
    alice, bob = await visits.open("alice"), await visits.open("bob")
    number, url = await begin(alice, "a secret of alice /rate 300")
    await alice.goto(url)
    await becomes(alice, "complete")
    for path in (url, f"/messages/{number}/source", f"/messages/{number}/events"):
        reply = await bob.goto(path)
        assert reply is not None
        assert reply.status == 404
        assert "secret" not in await bob.content()
    await bob.goto("/")
    assert "secret" not in await bob.content()
