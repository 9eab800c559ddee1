"""Rooms over Redis: across processes and machines.

wire        a message as it stands in Redis
sequence    which messages a process has had, and what it misses: no I/O
keys        the names of what is kept in Redis
scripts     what Redis does in one go, in Lua
link        one connection that comes back by itself
commands    questions and answers over one
publishing  messages on their way to Redis, in order and once
subscribing messages on their way from it
presence    who is where, over all processes
backend     the whole, as the plugin wants it
"""
