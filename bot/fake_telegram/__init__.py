"""A stand-in for Telegram: a Bot API server over real HTTP, with people who read and tap. The demo runs on it, and the tests.

`server` speaks the Bot API as strictly as Telegram does, `people` and `world` are the chats, `faults` breaks things on
purpose, `client` is how tests drive it, `demo` is `python -m bot demo`. README.md beside this file says more.

Start reading at `server`. May import: `bot.clock` and nothing else of the bot; nothing of the bot imports it but
`bot/__main__.py`, tests and benchmarks.
"""
