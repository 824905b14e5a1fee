-- Settings of layers with one number for each spatial dimension, given as one integer for all of them or as a list.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local repr = require "nnlua.nn.repr"

local raise = core.raise

local settings = {}

local whole = args.whole

--- A setting as a list of n integers.
---@param name string what the layer is called in errors
---@param setting string
---@param value any
---@param n integer
---@param least? integer
---@return integer[]
function settings.list(name, setting, value, n, least)
  local list = {}
  for i = 1, n do
    local item = value
    if type(value) == "table" then
      item = #value == n and value[i] or nil
    end
    list[i] = whole(item)
      or raise(("%s: %s must be an integer or a list of %s, not %s"):format(name, setting,
        n == 1 and "one" or n .. " integers", type(value) == "table" and settings.text(value) or core.describe(value)))
    if list[i] < (least or 0) then
      raise(("%s: %s must be at least %d, not %d"):format(name, setting, least or 0, list[i]))
    end
  end
  return list
end

--- Whether all of a list are a value.
function settings.all(list, value)
  for _, item in ipairs(list) do
    if item ~= value then return false end
  end
  return true
end

--- A setting as PyTorch prints it: a number, or a tuple.
function settings.text(value)
  if type(value) ~= "table" then
    return repr.value(value)
  end
  local texts = {}
  for i, item in ipairs(value) do texts[i] = item == core.none and "None" or repr.value(item) end
  return #texts == 1 and "(" .. texts[1] .. ",)" or "(" .. table.concat(texts, ", ") .. ")"
end

return settings
