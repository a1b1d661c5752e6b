#!/usr/bin/env python3
"""The same routes as the plugin of tests/scenario/http_fastapi.py, in FastAPI: what it answers to fastapi_requests.json
is what our server has to answer. `python3 tests/data/fastapi_app.py >tests/data/fastapi_replies.json` writes the table
anew; it needs FastAPI 0.115 or newer, pydantic 2 and httpx (Debian 13: python3-fastapi, python3-httpx)."""
import datetime
import enum
import json
import pathlib
import sys
import typing

import fastapi
import fastapi.testclient
import pydantic


class Level(str, enum.Enum):
    low = "low"
    mid = "mid"
    high = "high"


Word = typing.Annotated[str, pydantic.StringConstraints(min_length=1, max_length=5)]


class Strict(pydantic.BaseModel):
    model_config = {"extra": "forbid"}


class Query(Strict):
    level: Level = Level.low
    word: Word | None = None
    ratio: float | None = pydantic.Field(None, ge=0, le=10)
    yes: bool | None = None
    tag: list[Word] = []


class Port(Strict):
    number: int = pydantic.Field(ge=1, le=65535)
    name: Word | None = None


class Inner(Strict):
    a: int = pydantic.Field(ge=0, le=9)


class Body(Strict):
    name: str = pydantic.Field(min_length=1, max_length=10)
    n: int = pydantic.Field(7, ge=0, le=100)
    i: int | None = pydantic.Field(None, ge=-5, le=5)
    ratio: float | None = pydantic.Field(None, ge=0, le=10)
    yes: bool = False
    level: Level = Level.low
    tags: list[Word] = []
    ports: list[Port] = []
    ip: pydantic.IPvAnyAddress | None = None
    when: datetime.datetime | None = None
    inner: Inner | None = None


app = fastapi.FastAPI()


@app.get("/api/like/{id}")
def get_like(query: typing.Annotated[Query, fastapi.Query()],
             id: int = fastapi.Path(ge=1, le=1000)):    # pylint: disable=redefined-builtin
    return {"id": id, "level": query.level}


@app.post("/api/like")
def post_like(body: Body):
    return {"name": body.name}


def main():
    client = fastapi.testclient.TestClient(app)
    here = pathlib.Path(__file__).parent
    replies = {"fastapi": fastapi.__version__, "pydantic": pydantic.VERSION, "replies": []}
    for case in json.loads((here / "fastapi_requests.json").read_text(encoding="utf-8")):
        content = case.get("body")
        if content is not None and not isinstance(content, str):
            content = json.dumps(content)
        headers = {"Content-Type": "application/json"} if content is not None else {}
        reply = client.request(case["method"], case["path"], content=content, headers=headers)
        replies["replies"].append({"status": reply.status_code, "body": reply.json()})
    json.dump(replies, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
