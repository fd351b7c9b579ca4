"""What takes long or comes from strangers, in processes of its own: pictures are drawn there, and files read that people send.

`process` is the bot's side: it starts the process, asks, and ends it. `__main__` is the other side, `python -m bot.worker WORK`;
`limits` takes from it, before it reads a file, all that reading needs not: memory, time, files, the network. `reading` is that
work, `bot.charts` is the drawing.

Start reading at `process`. May import: charts, core. Nothing here knows the database, the settings or Telegram.
"""
