"""What is said: languages, tips, forms, sources, safety, and the places people name.

`content` loads and checks the TOML files in this folder (tips, forms, safety, sources, claims); `toml_table` reads one table
strictly. `language` is a sentence in a person's language with dates and clocks as that language writes them. `places` turns
a typed city into time zones. `babel_extractor` collects the sentences of the TOML files for translators; `locales/` holds
the translations.

Start reading at `content`. May import: core, config, clock. A text is data with a source: adding a tip needs no code.
"""
