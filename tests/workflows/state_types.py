"""The kinds of classes that people put into the state of a graph."""

import datetime as dt
import enum
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

from pydantic import (
    AfterValidator,
    Base64Bytes,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
)


class Color(enum.Enum):
    RED = "red"
    GREEN = ("green", 2)


class Word(enum.StrEnum):
    ASK = "ask"
    TELL = "tell"


class Permission(enum.IntFlag):
    READ = 1
    WRITE = 2


class Nested:
    """Classes inside a class, some of them with the same name."""

    class Status(enum.Enum):
        NEW = "new"

    class Unlisted(enum.Enum):
        NEW = "new"

    class Other:
        class Status(enum.Enum):
            NEW = "new"


class Address(BaseModel):
    city: str
    since: dt.date = dt.date(2020, 1, 1)


class Customer(BaseModel):
    name: str
    address: Address
    limits: dict[str, Decimal]
    favourite: Color


class Aliased(BaseModel):
    kept: int = Field(alias="shown")


class Open(BaseModel):
    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)

    known: int


class Private(BaseModel):
    shown: int
    _kept: Decimal = PrivateAttr(default=Decimal(0))

    @property
    def kept(self) -> Decimal:
        return self._kept

    def keep(self, amount: Decimal) -> None:
        self._kept = amount


class Encoded(BaseModel):
    """Validators that make something else of what they made themselves."""

    blob: Base64Bytes
    doubled: Annotated[int, AfterValidator(lambda n: 2 * n)]


class Tags(RootModel[list[str]]):
    """A model that is a list."""


class Mixed(RootModel[dict[str, Decimal]]):
    """A model that is a dict, which may have a key `root`."""


@dataclass(frozen=True)
class Line:
    article: str
    price: Decimal


@dataclass
class Order:
    lines: list[Line]
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Late:
    """A field that `__init__` makes."""

    amount: int
    doubled: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "doubled", self.amount * 2)


@dataclass(frozen=True)
class Shipping:
    days: frozenset[dt.date]


@dataclass
class Unlisted:
    """Nobody registered it."""

    amount: int


STATE_TYPES: tuple[type, ...] = (
    Address,
    Aliased,
    Color,
    Customer,
    Encoded,
    Late,
    Line,
    Mixed,
    Nested.Status,
    Open,
    Order,
    Permission,
    Private,
    Shipping,
    Tags,
    Word,
)
