-- Assertions for luassert. Its messages are made by `say` from a template and all arguments; what these have to tell
-- goes into failure_message instead, which stands alone where there is no template.

local core = require "nnlua.nn.core"

local assertions = {}

local function says(name, compare, wrong)
  return function(state, arguments)
    local good, report = compare(table.unpack(arguments, 1, arguments.n))
    if good then
      state.failure_message = ("assert.not_%s: %s"):format(name, wrong)
    else
      state.failure_message = ("assert.%s: %s"):format(name, report)
    end
    return good
  end
end

--- gradcheck's or gradgradcheck's answer; a function that raises is wrong as well.
local function gradients(testing)
  return function(f, inputs, options)
    options = options or {}
    local given = {raise_exception = true}
    for key, value in pairs(options) do
      if key ~= "second" then given[key] = value end
    end
    local ok, message = pcall(testing.gradcheck, f, inputs, given)
    if ok and options.second then ok, message = pcall(testing.gradgradcheck, f, inputs, given) end
    if ok then return true end
    return false, (tostring(message):gsub("^[^\n]-:%d+: ", "", 1))
  end
end

--- How luassert shows a tensor. Its `equal` and `same` look at which tensor it is, so two of the same text may differ.
local function tensor_text(t)
  return ("%s (tensor %p; assert.equal_tensor compares elements)"):format(t, t)
end

--- A copy of a table with texts in the places of tensors, or nil if it has none. `open` holds the tables around it.
local function with_texts(t, open)
  if open[t] then return nil end
  open[t] = true
  local copy, found = {}, false
  for key, value in next, t do
    local text = core.is_tensor(value) and tensor_text(value) or type(value) == "table" and with_texts(value, open)
    copy[key] = text or value
    found = found or text
  end
  open[t] = nil
  return found and copy or nil
end

--- A formatter for luassert: of tensors, and of tables that hold some, however deep.
local function formatter(assert)
  return function(value, options)
    if core.is_tensor(value) then return tensor_text(value) end
    local copy = type(value) == "table" and getmetatable(value) == nil and with_texts(value, {})
    if copy then return assert:format({copy, n = 1, fmtargs = {options}})[1] end
  end
end

function assertions.install(assert, testing)
  if type(assert) ~= "table" or not assert.register then
    error("install: luassert's table was expected, busted's assert", 3)
  end
  assert:add_formatter(formatter(assert))
  assert:register("assertion", "close", says("close", testing.close, "the values are close"))
  assert:register("assertion", "equal_tensor", says("equal_tensor", testing.equal, "the values are equal"))
  assert:register("assertion", "gradients", says("gradients", gradients(testing), "the gradients are right"))
end

return assertions
