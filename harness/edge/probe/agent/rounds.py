"""All probes of one request: begun when they are due, ended by an answer or the deadline."""

import heapq
from typing import Any

from harness.edge.probe.agent.attempt import Attempt, Loop

STEP = 0.05  # seconds: the loop never sleeps longer, so its lag is measurable


class Round:
    """The sockets of one request; the loop calls `turn` after it has served what was ready."""

    def __init__(self, request: dict[str, Any], loop: Loop) -> None:
        self.number = request["round"]
        self.loop = loop
        self.lag = 0.0
        self.missed = 0  # attempts that were due and not made: they are the worst lag there is
        self.over = False
        self.began = loop.clock()
        self.end: float = self.began + request["deadline"]
        self.attempts: dict[str, list[Attempt]] = {item["id"]: [] for item in request["items"]}
        self.live: set[Attempt] = set()
        self.answered: set[str] = set()
        self.waiting: list[tuple[float, int, dict[str, Any]]] = [
            (self.began + offset, order, item)
            for order, item in enumerate(request["items"])
            for offset in item["offsets"]
        ]
        heapq.heapify(self.waiting)

    def pause(self) -> float:
        """Seconds that the loop may sleep."""
        now = self.loop.clock()
        until = min([self.end, now + STEP, *(entry[0] for entry in self.waiting[:1])])
        return max(0.0, until - now)

    def turn(self, looked: float) -> None:
        """Begin what is due; end at the deadline, but only if the sockets were looked at after it.

        `looked` is when that look began: an answer that had come by then has been taken, however
        late this process was run.
        """
        if looked >= self.end:
            for attempt in tuple(self.live):
                attempt.expire()
            self.missed = sum(
                due < self.end and item["id"] not in self.answered for due, _, item in self.waiting
            )
            self.waiting.clear()
        now = self.loop.clock()
        while self.waiting and self.waiting[0][0] <= now:
            due, _, item = heapq.heappop(self.waiting)
            if item["id"] in self.answered:
                continue
            self.lag = max(self.lag, now - due)
            attempt = Attempt(item, now - self.began, self.loop, self.ended)
            self.attempts[item["id"]].append(attempt)
            self.live.add(attempt)
            attempt.open()
        while self.waiting and self.waiting[0][2]["id"] in self.answered:
            heapq.heappop(self.waiting)
        self.over = not self.live and not self.waiting

    def ended(self, attempt: Attempt) -> None:
        """Drop what was to come after an answer: only silence needs more attempts."""
        self.live.discard(attempt)
        if attempt.result is None or attempt.result["phase"] == "timeout":
            return
        key = attempt.item["id"]
        if key in self.answered or attempt.item.get("every"):
            return
        self.answered.add(key)
        made = self.attempts[key]
        position = made.index(attempt)
        for later in made[position + 1 :]:
            later.close()
            self.live.discard(later)
        del made[position + 1 :]
        if attempt.item.get("first"):
            for earlier in tuple(made):
                if earlier in self.live:
                    earlier.expire()

    def answer(self) -> dict[str, Any]:
        """What the round found."""
        results = {key: [a.result for a in found] for key, found in self.attempts.items()}
        return {
            "round": self.number,
            "lag_ms": round(self.lag * 1000, 3),
            "missed": self.missed,
            "items": results,
        }
