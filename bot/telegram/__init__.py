"""Everything that speaks to Telegram: what a handler is given, how answers and messages leave, and at which pace.

`turn` is what a handler gets and what it may answer with; `replies` does these answers after the commit. Every call goes
through `rate_limiter` (who goes first) and `transport` (the connection); `sender` tells what became of a message, `api_call`
is the short way for the two commonest calls. `picture_process` draws in a process of its own, `pictures` sends what it drew;
`file_reader` reads what people send.

Start reading at `turn`, then `sender`. May import: views, worker, charts, db, texts, core. Handlers and delivery stand on this.
"""
