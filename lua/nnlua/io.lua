-- nl.io: files of other kinds than Lua's own, and buffers in their place.

local guard = require "nnlua.guard"

local io = {
  BytesIO = require "nnlua.files.bytes_io",
  safe_open = require "nnlua.files.safe_open",
}

guard.classes(io)

return io
