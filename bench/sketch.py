"""The bare sketch the site is compared with: what one writes on the first afternoon. It stores nothing."""

import os
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI
from pydantic import BaseModel

app = FastAPI()
client = AsyncOpenAI(base_url=os.environ["PROVIDER_URL"], api_key="none")


class Prompt(BaseModel):
    model: str
    prompt: str


@app.post("/chat")
async def chat(body: Prompt) -> StreamingResponse:
    async def deltas() -> AsyncIterator[str]:
        stream = await client.chat.completions.create(model=body.model, messages=[{"role": "user", "content": body.prompt}], stream=True)
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield f"data: {chunk.choices[0].delta.content}\n\n"

    return StreamingResponse(deltas(), media_type="text/event-stream")
