-- nl.io: files of other kinds than Lua's own, and buffers in their place. What reads and writes pictures and sound is
-- read when it is first asked for.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

local io = {
  BytesIO = require "nnlua.files.bytes_io",
  safe_open = require "nnlua.files.safe_open",
}

guard.classes(io)

return on_demand.fields(io, guard.classes, {
  ["nnlua.io.images"] = "read_image decode_image write_png write_jpeg encode_png encode_jpeg",
  ["nnlua.io.sound"] = "read_wav write_wav",
  ["nnlua.io.idx"] = "read_idx",
  ["nnlua.io.canvas"] = "resize make_grid",
})
