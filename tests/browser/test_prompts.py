"""What stands ready before one writes: settings in the panel, saved prompts behind `/`, drafts, and a title by itself."""

import re

import pytest
from playwright.async_api import Page, expect

from .chat import answer, ask, becomes, message, send
from .site import Site
from .visits import Visits
from .wire import Provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAMED = "Tell me please why the sky"  # by the demo: the first words
OPENER = "System prompt and parameters"


async def save_prompt(page: Page, command: str, text: str) -> None:
    await page.goto("/prompts")
    if await page.get_by_role("link", name=f"Use /{command}").count():
        return
    await page.get_by_label("Command", exact=True).fill(command)
    await page.get_by_label("Prompt", exact=True).fill(text)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("link", name=f"Use /{command}")).to_be_visible()


async def test_custom_instructions_are_sent_with_the_next_new_chat(visits: Visits, provider: Provider) -> None:
    page = await visits.open("bob")
    await page.goto("/settings")
    await page.get_by_label("What should every model know or do?").fill("Answer in rhymes.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await page.get_by_role("button", name="New chat", exact=True).click()
    await page.locator("select[name=model]").select_option(label="Wire")
    provider.say("A sky so high.")
    await send(page, "hello")
    await becomes(page, "complete")
    assert "Answer in rhymes." in provider.asked["messages"][0]["content"]
    assert provider.asked["messages"][0]["role"] == "system"
    await page.goto("/settings")
    await page.get_by_label("What should every model know or do?").fill("")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()


async def test_the_panel_sets_what_the_next_turn_is_asked_with(visits: Visits, provider: Provider) -> None:
    visits.expect(r"status of 422", r"^htmx: ")
    page = await visits.open()
    await page.goto("/")
    await page.locator("select[name=model]").select_option(label="Wire")
    await page.get_by_role("button", name=OPENER).click()
    await page.get_by_label("System prompt", exact=True).select_option("own")
    await page.get_by_label("Text of the system prompt").fill("You are a pirate.")
    await page.get_by_label("Temperature").fill("0,7")
    await page.keyboard.press("Escape")
    provider.say("Arr.")
    await send(page, "hello")
    await becomes(page, "complete")
    assert provider.asked["messages"][0] == {"role": "system", "content": "You are a pirate."}
    assert provider.asked["temperature"] == 0.7
    opener = page.get_by_role("link", name=OPENER)
    await opener.click()
    await expect(page.get_by_label("System prompt", exact=True)).to_be_focused()
    await expect(page.get_by_label("Text of the system prompt")).to_have_value("You are a pirate.")
    await page.get_by_label("Temperature").fill("9")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#panel .errorlist")).to_contain_text("from 0 to 2")
    await expect(page.get_by_label("Temperature")).to_be_focused()
    await page.get_by_label("Temperature").fill("1")
    await page.get_by_label("Text of the system prompt").fill("You are a parrot.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#panel")).to_contain_text("It takes effect with your next message.")
    await page.get_by_text("Earlier settings").click()
    await expect(page.locator(".former-text")).to_have_text("You are a pirate.")
    await page.get_by_role("button", name="Close the settings").click()
    provider.say("Squawk.")
    await send(page, "again")
    await expect(answer(page)).to_contain_text("Squawk.")
    await becomes(page, "complete")
    assert provider.asked["messages"][0]["content"] == "You are a parrot."


async def test_a_slash_offers_saved_prompts_and_leads_through_their_variables_by_keyboard(visits: Visits) -> None:
    page = await visits.open("dora")
    await save_prompt(page, "translate", "Translate into {{language}}:\n{{text}}")
    await save_prompt(page, "brief", "Say it in one sentence.")
    await page.goto("/")
    await page.keyboard.type("/")
    offers = page.get_by_role("listbox", name="Saved prompts")
    chosen = offers.get_by_role("option", selected=True)
    await expect(chosen).to_contain_text("/brief")
    await page.keyboard.press("ArrowDown")
    await expect(chosen).to_contain_text("/translate")
    await page.keyboard.press("Escape")
    await expect(offers).to_be_hidden()
    await message(page).fill("")
    await page.keyboard.type("/bri")
    await expect(offers.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Tab")
    await expect(message(page)).to_have_value("Say it in one sentence.")
    await message(page).fill("")
    await page.keyboard.type("/tr")
    await expect(chosen).to_contain_text("/translate")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("language")).to_be_focused()
    await page.keyboard.type("French")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Good morning")
    await page.keyboard.press("Enter")
    await expect(message(page)).to_have_value("Translate into French:\nGood morning")
    await expect(message(page)).to_be_focused()
    await message(page).fill("/nothing-of-the-kind /rate 5000")
    await page.keyboard.press("Enter")
    await becomes(page, "complete")


async def test_without_script_a_saved_prompt_is_filled_in_on_a_page(visits: Visits) -> None:
    page = await visits.open("dora", java_script_enabled=False)
    await save_prompt(page, "translate", "Translate into {{language}}:\n{{text}}")
    await page.goto("/")
    await page.get_by_role("link", name="Saved prompts").click()
    await page.get_by_role("link", name="Use /translate").click()
    await page.get_by_label("language").fill("French")
    await page.get_by_label("text").fill("Good morning /rate 5000")
    await page.get_by_role("button", name="Insert").click()
    await expect(message(page)).to_have_value("Translate into French:\nGood morning /rate 5000")
    await page.get_by_role("button", name="Send").click()
    await becomes(page, "complete")
    await page.get_by_role("link", name=OPENER).click()
    await page.get_by_label("Temperature").fill("0.5")
    await page.get_by_role("button", name="Save").click()
    await expect(page).to_have_url(re.compile(r"/conversations/\d+$"))
    await page.get_by_role("link", name=OPENER).click()
    await expect(page.get_by_label("Temperature")).to_have_value("0.5")


async def test_what_was_not_sent_is_there_again_until_it_is_sent_or_the_person_logs_out(visits: Visits) -> None:
    page = await visits.open("bob")
    await ask(page, "hello /rate 5000")
    await becomes(page, "complete")
    conversation = page.url
    await message(page).fill("half a thought")
    await page.reload()
    await expect(message(page)).to_have_value("half a thought")
    await page.goto("/")
    await expect(message(page)).to_have_value("")
    await message(page).fill("a new chat /rate 5000")
    await page.goto(conversation)
    await expect(message(page)).to_have_value("half a thought")
    await page.goto("/")
    await expect(message(page)).to_have_value("a new chat /rate 5000")
    await message(page).press("Enter")
    await becomes(page, "complete")
    await page.goto("/")
    await expect(message(page)).to_have_value("")
    await page.goto(conversation)
    await message(page).fill("sent /rate 5000")
    await message(page).press("Enter")
    await expect(page.locator(".prompt")).to_have_count(2)
    await becomes(page, "complete")
    await page.reload()
    await expect(message(page)).to_have_value("")
    await message(page).fill("a secret of bob")
    await page.goto("/")
    assert "a secret of bob" in await page.evaluate("JSON.stringify(localStorage)")
    await page.context.add_cookies([{"name": "sessionid", "value": visits.site.sessions["alice"], "url": visits.site.url}])
    await page.goto("/")
    assert "secret" not in await page.evaluate("JSON.stringify(localStorage)")
    await message(page).fill("a secret of alice")
    await page.evaluate("document.querySelector('form[action$=\"/logout/\"]').addEventListener('submit', event => event.preventDefault())")
    await page.locator(".account summary").click()
    await page.get_by_role("button", name="Log out").click()
    assert "secret" not in await page.evaluate("JSON.stringify(localStorage)")


async def test_a_log_out_by_its_bare_page_leaves_no_draft_of_any_tab(visits: Visits) -> None:
    page = await visits.open("bob")
    await page.goto("/")
    bare = await page.context.new_page()
    await bare.goto("/accounts/logout/")
    await message(page).fill("a secret of bob")
    await page.wait_for_function("() => Object.keys(localStorage).some(key => key.startsWith('draft:'))")
    await bare.evaluate("document.querySelector('form').addEventListener('submit', event => event.preventDefault())")  # bob is needed yet
    await bare.get_by_role("button", name="Log out").click()
    assert "secret" not in await page.evaluate("JSON.stringify(localStorage)")


async def test_a_new_conversation_is_named_by_itself_in_every_tab(visits: Visits, restartable: Site) -> None:
    visits.site = restartable
    page = await visits.open()
    other = await page.context.new_page()
    await other.goto("/")
    await page.goto("/")
    await send(page, "Tell me please why the sky over the sea is blue /rate 5000")
    await becomes(page, "complete")
    await expect(page.locator("h1")).to_have_text(NAMED)
    await expect(page).to_have_title(f"{NAMED} · Chat")
    for tab in (page, other):
        await expect(tab.locator("#conversations").get_by_role("link", name=NAMED, exact=True)).to_be_visible()
