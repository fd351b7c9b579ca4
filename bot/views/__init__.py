"""Values in, text and keyboard out: what each message looks like, and nothing about when or to whom.

`message` has the two pieces that every view is made of: a `View` and its buttons. One module a subject: `evening` and
`morning` are the two daily messages, `setup` the first minutes, `pages` the standing pages, `menu` the command menu.

Start reading at `message`, then `evening`. May import: texts and core. Every sentence is `words("…")` with a literal, so
that translators find it; a value that a person typed is escaped by `words` itself.
"""
