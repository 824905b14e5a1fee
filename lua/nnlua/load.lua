-- nl.load: values from files, whose format their content tells. Nothing in a file is ever run.

local args = require "nnlua.args"
local system = require "nnlua.system"

local raise = require "nnlua.nn.core".raise

-- ------------------------------------------------------------------- formats

-- What reads a format: f(source, options), with `name` for messages, `path` (nil of a buffer), `mmap`, and `place`,
-- which puts a tensor on the device that was asked for.
local readers = {
  safetensors = "nnlua.files.read_safetensors", index = "nnlua.files.read_shards", pt = "nnlua.files.read_torch",
  npy = "nnlua.files.read_npy", npz = "nnlua.files.read_npz",
}

--- Whether bytes begin a JSON object. The length that a safetensors file begins with may begin with the same sign, but
--- has zeros among its eight bytes.
local function is_json(head)
  return head:find "^%s*{" ~= nil and not head:sub(1, 8):find("\0", 1, true)
end

--- Whether a zip archive is PyTorch's, not NumPy's.
local function is_torch(source)
  local _, names = system.open_zip(source)
  for _, name in ipairs(names) do
    if name:find "^[^/]*/data%.pkl$" then return true end
  end
  return false
end

--- The format of a source, by its first bytes.
local function format_of(source, name)
  local head = system.source_text(source, 0, 512)
  if head:find "^PK[\3\5][\4\6]" then
    return is_torch(source) and "pt" or "npz"
  elseif head:find "^\x93NUMPY" then
    return "npy"
  elseif head:find "^\x80[\2-\5]" and head:sub(3, 8) ~= ("\0"):rep(6) then
    return "pt"
  elseif head:sub(258, 262) == "ustar" then
    raise(("load: %s: it is a tar archive, as PyTorch wrote before 0.1.10: load and save it there again"):format(name))
  end
  return is_json(head) and "index" or "safetensors"
end

local function check_format(format)
  if not readers[format] then
    raise(("load: there is no format '%s': format is one of index, npy, npz, pt, safetensors"):format(format))
  end
  return format
end

-- --------------------------------------------------------------------- load

local parse = args.parser("load", {
  {"path", "any"}, {"map_location", "any?"}, {"weights_only", "boolean", true}, {"mmap", "boolean?"},
  {"format", "string?"},
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

--- Reads a file of tensors and gives its value back. The format is told by the content, or by format: "safetensors",
--- "index", "pt", "npy", "npz". A file is what nl.save wrote; a safetensors file of another program, or the index of
--- one that is split (`model.safetensors.index.json`), which are state dicts; PyTorch's `.pt` or `.pth`, an old one
--- too; the state dict of a TorchScript archive; NumPy's `.npy` or `.npz`. Nothing in a file is ever run: what is no
--- data in one of PyTorch's is an error that names it. A file that is damaged is an error that says where. Tensors are
--- on the CPU. In place of a path stands whatever has a method read, such as an open file or nl.io.BytesIO.
---     > path = os.tmpname()
---     > nl.save(path, {w = nl.ones(2)})
---     > nl.load(path).w
---     tensor([1., 1.])
---
--- With mmap = true the file's pages are the elements (but of bools, and of what is not aligned, compressed or of the
--- other byte order): opening takes no time, only what is touched is read, and what is written never reaches the file.
---
--- map_location is the device for the tensors, "cpu" or "meta". PyTorch's other forms of it, a function or a table,
--- tell devices of files apart: they make no difference here, and neither does weights_only (no code is ever run).
---@param path string|table
---@param map_location? string|device|function|table
---@param weights_only? boolean
---@param mmap? boolean
---@param format? string
---@return any
local function load(...)
  local path, map_location, _, mmap, format = parse(...)
  local device = location_of(map_location)
  local source, name, file = open(path, mmap)
  local reader = readers[format and check_format(format) or format_of(source, name)]
  return require(reader)(source, {
    name = name, path = file, mmap = mmap, place = function(t) return device and t:to(device) or t end,
  })
end

return load
