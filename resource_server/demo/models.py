"""What the bundled API takes and gives, as its OpenAPI document shows it."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Item = Annotated[str, Field(min_length=1, max_length=100, examples=["lamp"])]
Quantity = Annotated[int, Field(ge=1, le=1000, examples=[2])]


class Order(BaseModel):
    """An order, as a client sends it."""

    item: Item
    quantity: Quantity = 1


class PlacedOrder(BaseModel):
    """An order that was placed."""

    id: int = Field(ge=1, examples=[1])
    item: Item
    quantity: Quantity


class Profile(BaseModel):
    """What users may say of themselves."""

    display_name: str = Field(min_length=1, max_length=100, examples=["Alice"])


class User(BaseModel):
    """A user of the bundled API."""

    id: str = Field(examples=["alice"])
    display_name: str = Field(examples=["Alice"])


class AdministeredUser(User):
    """A user, as an administrator sees it."""

    origin: str = Field(description="Where the user comes from.", examples=["bundled"])


class Me(BaseModel):
    """What an access token says of its subject and itself."""

    sub: str = Field(description="The subject (RFC 9068 §2.2).", examples=["alice"])
    client_id: str = Field(description="The client that the token was issued to.", examples=["example-client"])
    scope: str = Field(description="The scopes, with spaces between them.", examples=["orders:read orders:write"])
    iss: str = Field(description="The issuer.", examples=["https://id.example.com"])
    roles: list[str] = Field(examples=[["customer"]])
    exp: int = Field(description="When the token expires, in seconds since 1970.", examples=[1767225600])


class Post(BaseModel):
    """A post, as a list shows it."""

    id: str = Field(examples=["1"])
    title: str = Field(examples=["On refusals"])


class Settings(BaseModel):
    """Settings of the site."""

    theme: str = Field(examples=["plain"])


class Dashboard(BaseModel):
    """Figures of the day."""

    orders_today: int = Field(ge=0, examples=[3])


class Health(BaseModel):
    """The process runs."""

    status: Literal["ok"] = Field(examples=["ok"])


class Unready(BaseModel):
    """An issuer whose tokens can't be judged."""

    issuer: str = Field(examples=["https://id.example.com"])
    keys: Literal["unavailable"] = Field(examples=["unavailable"])


class Readiness(BaseModel):
    """Whether tokens can be judged."""

    status: Literal["ready", "unavailable"] = Field(examples=["ready"])
    issuers: list[Unready] = Field(default=[], description="Those whose keys are not known; absent if there are none.")
