"""A PSP whose books are the judge: a process of its own, which nobody kills.

Requests and answers are one line of JSON each over a connection of their own. What becomes of a
payment stands in its description, so that it does not depend on who asks when: the story it is of
(`s7`), `now` (charged at once), `page` (once the client pays) or `no` (declined), and how many of
the first requests go wrong: `lost2` are done and not answered, `down1` are turned away, `blind1`
can't be read. A refund's reason holds the same of the refund.
"""

import json
import re
import select
import socket
import sys
from collections import Counter
from typing import Any

Message = dict[str, Any]


class Books:
    """Every charge and refund that was ever asked for, each under the asker's reference."""

    def __init__(self, *, has_keys: bool) -> None:
        self._has_keys = has_keys
        self._by_key: dict[str, Message] = {}
        self._faults: Counter[str] = Counter()
        self._made = 0
        self._keep_nothing()

    def _keep_nothing(self) -> None:
        self.charges: list[Message] = []
        self.refunds: list[Message] = []
        self.events: list[Message] = []
        self.misused: list[str] = []

    def answer(self, asked: Message) -> Message | None:
        """What is sent back; None: the connection is cut."""
        done: Message | None = getattr(self, "do_" + asked.pop("do"))(**asked)
        return done

    def do_start(self, key: str, **order: Any) -> Message | None:
        """A charge, or a page to pay on."""
        text = order["description"]
        if self._strikes("down", text):
            return {"unavailable": True}
        charge = self._once(key, order) or self._open_charge(key, order)
        return None if self._strikes("lost", text) else charge

    def do_find(self, payment_id: str) -> Message:
        """The charge under this reference of the asker's."""
        for charge in self.charges:
            if charge["payment_id"] == payment_id:
                return self._read(charge)
        return {"unknown": True}

    def do_fetch(self, reference: str) -> Message:
        """The charge that goes by this reference here."""
        return self._read(self._charge(reference))

    def do_cancel(self, reference: str) -> Message:
        """Closes a page that nobody paid on."""
        charge = self._charge(reference)
        if charge["state"] != "open":
            return {"refused": charge["state"]}
        self._move(charge, "expired")
        return {}

    def do_refund(self, key: str, **order: Any) -> Message | None:
        """Gives money of a charge back."""
        text = order["reason"]
        if self._strikes("down", text):
            return {"unavailable": True}
        charge = self._charge(order["charge"])
        if "no" in text.split() or charge["state"] != "paid":
            return {"refused": "refused"}
        if self._once(key, order) is None:
            self._made += 1
            refund = {**order, "reference": f"re_{self._made}"}
            self.refunds.append(refund)
            self._by_key[key] = refund
            self._tell("refunded", charge)
        return None if self._strikes("lost", text) else {}

    def do_pay(self, story: str) -> Message:
        """The client pays on every page it was shown."""
        mine = [charge for charge in self.charges if charge["story"] == story]
        for charge in mine:
            if charge["state"] == "open":
                self._move(charge, "paid")
        return {}

    def do_events(self, story: str) -> Message:
        """What the PSP has to tell about this story."""
        return {"events": [event for event in self.events if event["story"] == story]}

    def do_take(self) -> Message:
        """The books, which begin anew."""
        taken = {
            "charges": self.charges,
            "refunds": self.refunds,
            "misused": self.misused,
        }
        self._keep_nothing()
        return taken

    def _once(self, key: str, order: Message) -> Message | None:
        """What was made under this key before, where there are keys."""
        known = self._by_key.get(key) if self._has_keys else None
        if known is not None and {**known, **order} != known:
            self.misused.append(key)
        return known

    def _open_charge(self, key: str, order: Message) -> Message:
        self._made += 1
        words = order["description"].split()
        charge = {**order, "reference": f"ch_{self._made}", "story": words[0], "state": "open"}
        self.charges.append(charge)
        self._by_key[key] = charge
        if "page" not in words:
            self._move(charge, "declined" if "no" in words else "paid")
        return charge

    def _move(self, charge: Message, state: str) -> None:
        charge["state"] = state
        self._tell(state, charge)

    def _tell(self, kind: str, charge: Message) -> None:
        event = {
            "event_id": f"evt_{self._made}_{len(self.events)}_{charge['reference']}",
            "type": kind,
            "livemode": False,
            "payment_id": charge["payment_id"],
            "psp_reference": charge["reference"],
        }
        self.events.append({"story": charge["story"], "event": event})

    def _read(self, charge: Message) -> Message:
        if self._strikes("blind", charge["description"]):
            return {"unavailable": True}
        mine = [refund for refund in self.refunds if refund["charge"] == charge["reference"]]
        return {**charge, "refunds": mine}

    def _charge(self, reference: str) -> Message:
        return next(charge for charge in self.charges if charge["reference"] == reference)

    def _strikes(self, fault: str, text: str) -> bool:
        """Whether this request is one of the first that go wrong so."""
        times = re.search(rf"\b{fault}(\d+)", text)
        name = f"{fault} {text}"
        if times is None or self._faults[name] >= int(times[1]):
            return False
        self._faults[name] += 1
        return True


def serve(listener: socket.socket, books: Books) -> None:
    """Answers one connection after the other, whoever asks later later, until whoever started it
    is gone."""
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as stream:
            line = stream.readline()
            if not line.endswith(b"\n"):
                continue  # its sender died
            answer = books.answer(json.loads(line))
            if answer is not None:
                stream.write(json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Serves until it is stopped; the first line of the output is the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    serve(listener, Books(has_keys=sys.argv[1] == "with_keys"))


if __name__ == "__main__":
    main()
