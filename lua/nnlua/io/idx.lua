-- Tensors in IDX files, as the MNIST data sets come, gzipped or not.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local system = require "nnlua.system"

local idx = {}

local kinds = {
  [0x08] = {nl.uint8, 1}, [0x09] = {nl.int8, 1}, [0x0B] = {nl.int16, 2}, [0x0C] = {nl.int32, 4},
  [0x0D] = {nl.float32, 4}, [0x0E] = {nl.float64, 8},
}

--- What a file must be: a dtype, bytes an element, a shape, and where its elements begin.
local function read_header(name, text)
  local function fail(what, ...) core.raise(core.format("%s: " .. what, name, ...)) end
  if #text < 4 then fail(#text == 0 and "it is empty" or "the file ends too early") end
  local zero, code, ndim = (">I2I1I1"):unpack(text)
  local kind = kinds[code]
  if zero ~= 0 or not kind then fail "it is no IDX file" end
  if ndim > 16 then fail("it has %d dimensions, and 16 is the most", ndim) end
  if #text < 4 + 4 * ndim then fail "the file ends too early" end
  local shape, wanted, first = {}, kind[2], 5 + 4 * ndim
  for d = 1, ndim do
    shape[d] = (">I4"):unpack(text, 4 * d + 1)
    if shape[d] == 0 then wanted = 0 end
  end
  for d = 1, ndim do
    if wanted > #text then break end -- so it can't overflow
    wanted = wanted * shape[d]
  end
  if wanted > #text - first + 1 then fail "the file ends too early" end
  if wanted < #text - first + 1 then fail("%d bytes are left over behind its elements", #text - first + 1 - wanted) end
  return kind, shape, first
end

local parse = args.parser("nl.io.read_idx", {{"path", "any"}})

--- The tensor in an IDX file, gzipped or not, as the MNIST data sets come: a uint8, int8, int16, int32, float32 or
--- float64 one of the shape that the file tells.
---     > path = os.tmpname()
---     > file = io.open(path, "wb") file:write("\0\0\8\2\0\0\0\2\0\0\0\3abcdef") file:close()
---     > nl.io.read_idx(path)
---     tensor([[ 97,  98,  99],
---             [100, 101, 102]], dtype=nnlua.uint8)
---@param path string
---@return Tensor
function idx.read_idx(...)
  local path = parse(...)
  local bytes = system.read_bytes("nl.io.read_idx", path)
  local text = system.gunzip("nl.io.read_idx", path .. ": ", bytes)
  local kind, shape, first = read_header("nl.io.read_idx: " .. path, text)
  local dtype, size = kind[1], kind[2]
  if size == 1 then return nl.frombuffer(text, dtype, {offset = first - 1}):view(shape) end
  local bytes_of_each = nl.frombuffer(text, nl.uint8, {offset = first - 1}):view((#text - first + 1) // size, size)
  local turned = bytes_of_each:flip(2) -- the file's first byte is the largest
  return nl.frombuffer(turned:tobytes(), dtype):view(shape)
end

return idx
