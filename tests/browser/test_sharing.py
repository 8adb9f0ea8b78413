"""A conversation goes out by a link and as files, and comes in from ChatGPT: with and without script."""

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from .chat import ask, becomes
from .visits import Visits

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SAMPLE = Path(__file__).parent.parent / "transfer" / "samples" / "chatgpt.json"


async def test_a_link_is_made_copied_read_by_a_stranger_and_revoked(visits: Visits) -> None:
    page = await visits.open(permissions=["clipboard-read", "clipboard-write"])
    await ask(page, "a thing to share /rate 500")
    await becomes(page, "complete")
    await page.get_by_role("button", name="Options for a thing to share").first.click()
    await page.get_by_role("link", name="Share or export").click()
    await page.get_by_label("The link lasts").select_option("7 days")
    await page.get_by_role("button", name="Make a link").click()
    await page.get_by_role("button", name="Copy link").click()
    link = await page.locator(".share code").inner_text()
    await expect(page.locator("#sr")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == link

    stranger = await visits.open("")
    await stranger.goto(link)
    await expect(stranger.get_by_role("heading", level=1)).to_contain_text("a thing to share")
    await expect(stranger.locator(".answer-text")).to_contain_text("a thing to share")
    await expect(stranger.get_by_role("button")).to_have_count(0)

    visits.expect("status of 404")
    await page.get_by_role("button", name="Revoke").click()
    await expect(page.get_by_role("status").first).to_contain_text("is revoked")
    await stranger.reload()
    await expect(stranger.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".share code").filter(has_text=link)).to_be_visible()  # among those of other stories
    await stranger.reload()
    await expect(stranger.locator(".prompt")).to_contain_text("a thing to share")

    reader = await visits.open("bob")
    await reader.goto(link)
    await reader.get_by_role("button", name="Continue this conversation").click()
    await expect(reader).to_have_url(re.compile(r"/conversations/\d+$"))
    await expect(reader.get_by_role("textbox", name="Message")).to_be_visible()


async def test_a_saved_page_stands_alone(visits: Visits, tmp_path: Path) -> None:
    page = await visits.open()
    await ask(page, "/markdown /think /rate 5000")
    await becomes(page, "complete")
    await page.goto(f"{page.url.partition('?')[0].partition('#')[0]}/share")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Web page").click()
    await (await download.value).save_as(tmp_path / "saved.html")

    context = await visits.browser.new_context(offline=True)
    try:
        alone, said, asked = await context.new_page(), [], []
        alone.on("console", lambda message: said.append(message.text))
        context.on("request", lambda request: asked.append(request.url))
        await alone.goto((tmp_path / "saved.html").as_uri())
        await expect(alone.locator(".answer-text table").first).to_be_visible()
        assert await alone.locator(".bubble").evaluate("element => getComputedStyle(element).borderRadius") != "0px"
        assert (said, len(asked)) == ([], 1)
    finally:
        await context.close()


async def test_chatgpts_export_is_imported_and_its_page_goes_along(visits: Visits) -> None:
    page = await visits.open("bob")
    await page.goto("/data")
    await page.get_by_label("File to import").set_input_files(SAMPLE)
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.get_by_role("status").first).to_have_text("Imported.")
    await page.get_by_role("link", name="Petals of a buttercup").click()  # the sidebar has learned of it
    await expect(page.locator(".answer-text").first).to_contain_text("A buttercup has five petals.")
    await expect(page.locator(".answer").first).to_contain_text("gpt-4o")


async def test_without_script_a_file_is_imported_and_what_is_wrong_is_told(visits: Visits) -> None:
    page = await visits.open("dora", java_script_enabled=False)
    good = {"uuid": "story-1", "name": "From a file", "chat_messages": [{"uuid": "1", "sender": "human", "text": "Hello"}]}
    content = json.dumps([good, {"name": "A <b>bad</b> one"}]).encode()
    await page.goto("/data")
    await page.get_by_label("File to import").set_input_files({"name": "a.json", "mimeType": "application/json", "buffer": content})
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.get_by_text("Imported.")).to_be_visible()
    await expect(page.locator("#import")).to_contain_text("A <b>bad</b> one")
    await expect(page.locator("#import")).to_contain_text("Conversation 2")
    await page.goto("/")
    await expect(page.get_by_role("link", name="From a file", exact=True)).to_be_visible()
