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
local function shown(value)
  if core.is_tensor(value) then
    return ("%s (tensor %p; assert.equal_tensor compares elements)"):format(value, value)
  end
end

function assertions.install(assert, testing)
  if type(assert) ~= "table" or not assert.register then
    error("install: luassert's table was expected, busted's assert", 3)
  end
  assert:add_formatter(shown)
  assert:register("assertion", "close", says("close", testing.close, "the values are close"))
  assert:register("assertion", "equal_tensor", says("equal_tensor", testing.equal, "the values are equal"))
  assert:register("assertion", "gradients", says("gradients", gradients(testing), "the gradients are right"))
end

return assertions
