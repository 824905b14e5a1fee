-- nl.save: values into files, of the format that the path's name asks for.

local args = require "nnlua.args"
local system = require "nnlua.system"

local raise = require "nnlua.nn.core".raise

-- What writes a format: f(path, value, options); without a path it returns the bytes.
local writers = {
  safetensors = "nnlua.files.write_safetensors", pt = "nnlua.files.write_torch", npy = "nnlua.files.write_npy",
  npz = "nnlua.files.write_npz",
}

-- The format of a path by its ending; of all others, safetensors.
local endings = {pt = "pt", pth = "pt", npy = "npy", npz = "npz"}

local known = {"format", "metadata"}

--- What stands behind the value, which may be a table of names itself.
local function options_of(extra, ...)
  if select("#", ...) > 0 or extra ~= nil and not args.is_named("save", extra) and type(extra) ~= "table" then
    raise "save: a path, a value and a table of options are taken: save(path, value, {format = \"safetensors\"})"
  end
  args.check_names("save", extra or {}, known)
  return extra or {}
end

local function format_of(path, format)
  if format == nil then
    local ending = type(path) == "string" and path:match "%.(%w+)$"
    return ending and endings[ending:lower()] or "safetensors"
  elseif not writers[format] then
    local names = {}
    for name in pairs(writers) do names[#names + 1] = name end
    table.sort(names)
    raise(("save: there is no format '%s': format is one of %s"):format(tostring(format), table.concat(names, ", ")))
  end
  return format
end

--- Whether a value is a buffer, an open file or another object that can be written to.
local function is_buffer(path)
  return io.type(path) == "file" or type(path) == "table" and args.is_callable(path.write)
end

--- Writes a value to a file: a tensor, or tables (nested as you like) of tensors, strings, numbers, booleans, nl.none,
--- dtypes, devices and sizes. The format is told by the path's ending, or by format: PyTorch's of `.pt` and `.pth`
--- ("pt"), which torch.load reads; NumPy's `.npy`, one tensor, and `.npz`, a table of tensors; of all others,
--- "safetensors". There a state dict, or a plain table from strings to tensors, is written so that other programs read
--- it, tensors that are the same place of memory are saved once, and a view saves only itself. The file is there whole
--- or, after an error, as it was before. In place of a path stands whatever has a method write, such as nl.io.BytesIO.
---     > path = os.tmpname()
---     > nl.save(path, {w = nl.ones(2)})
---     > nl.load(path).w
---     tensor([1., 1.])
---
--- metadata, a table of names and texts, is kept in a safetensors file beside the tensors: nl.io.safe_open reads it.
---@param path string|table
---@param value any
---@param options? {format: string?, metadata: table<string, string>?}
local function save(path, value, ...)
  local options, is_memory = options_of(...), is_buffer(path)
  if not is_memory and type(path) ~= "string" and type(value) == "string" then -- PyTorch's order
    raise(('save: the path comes first: save("%s", …)'):format(value))
  end
  if not is_memory then system.check_path("save", path) end
  local format = format_of(path, options.format)
  if options.metadata and format ~= "safetensors" then
    raise "save: only safetensors files have metadata"
  end
  local bytes = require(writers[format])(not is_memory and path or nil, value, options)
  if not is_memory then return end
  local written, problem = path:write(bytes)
  if not written and problem then raise(("save: the buffer can't be written: %s"):format(tostring(problem))) end
end

return save
