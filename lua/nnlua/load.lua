-- nl.load: values from files, whose format their content tells. Nothing in a file is ever run.

local args = require "nnlua.args"
local system = require "nnlua.system"

local raise = require "nnlua.nn.core".raise

-- ------------------------------------------------------------------- formats

-- What reads a format: f(source, options), with `name` for messages, `path` (nil of a buffer), `mmap`, and `place`,
-- which puts a tensor on the device that was asked for.
local readers = {
  safetensors = "nnlua.files.read_safetensors", index = "nnlua.files.read_shards",
}

--- Whether bytes begin a JSON object. The length that a safetensors file begins with may begin with the same sign, but
--- has zeros among its eight bytes.
local function is_json(head)
  return head:find "^%s*{" ~= nil and not head:sub(1, 8):find("\0", 1, true)
end

--- The format of what begins with some bytes.
local function format_of(source)
  return is_json(system.source_text(source, 0, 512)) and "index" or "safetensors"
end

-- --------------------------------------------------------------------- load

local parse = args.parser("load", {
  {"path", "any"}, {"map_location", "any?"}, {"weights_only", "boolean", true}, {"mmap", "boolean?"},
})

--- The device that map_location asks for, if it does.
local function location_of(map_location)
  local kind = type(map_location)
  if map_location == nil or kind == "function" or kind == "table" then return nil end
  return system.checked_device("load", map_location)
end

--- What a path or a buffer has to read, what it is called, and its path.
local function open(path, mmap)
  local reads = type(path) == "table" and path.read or io.type(path) == "file" and path.read
  if not reads then
    return system.open_source(path, mmap or false), path, path
  elseif mmap then
    raise "load: mmap = true maps a file: give its path, not a buffer"
  end
  local text = path:read "a"
  if type(text) ~= "string" then raise "load: the buffer's method read gave no string" end
  return system.text_source(text, "the buffer"), "the buffer", nil
end

--- Reads a file of tensors and gives its value back. It is what nl.save wrote, a safetensors file of another program,
--- or the index of one that is split (`model.safetensors.index.json`): of these, and of one that a flat table was saved
--- to, the value is the state dict of the tensors in the file's order. A file that is damaged is an error that says
--- where. Tensors are on the CPU and want no gradients. In place of a path stands whatever has a method read, such as
--- an open file or nl.io.BytesIO.
---     > path = os.tmpname()
---     > nl.save(path, {w = nl.ones(2)})
---     > nl.load(path).w
---     tensor([1., 1.])
---
--- With mmap = true the file's pages are the elements (but of bools, and of what is not aligned): opening takes no
--- time, only what is touched is read, and what is written never reaches the file.
---
--- map_location is the device for the tensors, "cpu" or "meta". PyTorch's other forms of it, a function or a table,
--- tell devices of files apart: they make no difference here, and neither does weights_only (no code is ever run).
---@param path string|table
---@param map_location? string|device|function|table
---@param weights_only? boolean
---@param mmap? boolean
---@return any
local function load(...)
  local path, map_location, _, mmap = parse(...)
  local device = location_of(map_location)
  local source, name, file = open(path, mmap)
  return require(readers[format_of(source)])(source, {
    name = name, path = file, mmap = mmap, place = function(t) return device and t:to(device) or t end,
  })
end

return load
