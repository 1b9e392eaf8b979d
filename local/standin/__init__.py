"""What every PSP's stand-in on loopback is made of. To build one:

1. `State(Outbox)`: a dataclass of the PSP's objects, every field with a default, in a `Store`.
2. `Faults` with the PSP's own switches added, in a `Switchboard`; a `World` holds all of it.
3. `Deliveries(compose=…)`, where `compose(event, at)` makes the signed httpx.Request; pass
   `accepts` if the receiver's answer has to say more than 2xx. `put(Event(…))` tells something.
4. API handlers wrapped in `Interference.wrap`; a token's in `wrap(handler, acts=False)`.
5. `wrong_amount`, `wrong_currency` and the PSP's own switches where money moves: `switches.take`.
6. Hosted pages of `pages.document` and `button`, with links that start with `path_of(base_url)`.
7. `Control(tables=…, ledger=…)` for the overview and /_standin; `Happenings` for banks and people.
8. A `PspStandIn`, which makes 3 and 7 and runs them; `front_page` serves it below /<its name>.
"""
