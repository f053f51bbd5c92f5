"""Servers that are killed at any moment, clients that keep a journal, and an audit of both.

    content, plans, journal < fleet < doors < sending < clients, watcher
    blows, places, record, tally < killer; journal < audit; all of them < episode < installations

`Journal` keeps everything that anybody was told of a task, and what the database held whenever a
server died. `audit` knows nothing of how it came about: it holds the journal against the promise.
"""
