"""How far the direct messages about an approval have got: to its requester, and to reviewers."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

TRY_AGAIN = timedelta(seconds=1)  # doubled with each try, up to the next
TRY_AGAIN_AT_MOST = timedelta(minutes=5)


class Notices(BaseModel):
    """due: the events of its trail, by number (from 1), that are still to be told, in order.
    told: how many of the people whom the first of them concerns have been. tried: the next of
    them may have been, by a try whose answer nobody knows, so it is looked for first; and so are
    all up to the event `look`. tries: in vain, since the last that arrived; at: not before."""

    model_config = ConfigDict(frozen=True)

    due: tuple[int, ...] = ()
    told: int = 0
    tried: bool = False
    look: int = 0
    tries: int = 0
    at: AwareDatetime | None = None

    def add(self, numbers: Iterable[int]) -> Self:
        return self._to(due=(*self.due, *numbers))

    @property
    def to_be_looked_for(self) -> bool:
        return self.tried or self.due[0] <= self.look

    def trying(self) -> Self:
        return self._to(tried=True)

    def one_told(self) -> Self:
        """The next of the people knows, or cannot be told."""
        return self._to(told=self.told + 1, tried=False, tries=0, at=None)

    def all_told(self) -> Self:
        """Everybody whom the first event concerns."""
        return self._to(due=self.due[1:], told=0, tried=False)

    def later(self, at: datetime, *, tried: bool) -> Self:
        return self._to(at=at, tried=tried)

    def in_vain(self, now: datetime, retry_after: float = 0.0) -> Self:
        """Slack does not answer as it should: again after a pause, for as long as it takes."""
        pause = min(TRY_AGAIN * 2 ** min(self.tries, 10), TRY_AGAIN_AT_MOST)
        at = now + max(pause, timedelta(seconds=retry_after))
        return self._to(tries=self.tries + 1, at=at)

    def doubted(self, trail: int) -> Self:
        """Redis may have forgotten what was told of the first `trail` events."""
        return self._to(look=trail)

    def _to(self, **changes: object) -> Self:
        return self.model_copy(update=changes)
