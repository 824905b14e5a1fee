-- nnlua.testing: for users' specs. docs/testing.md shows it in use.

local args = require "nnlua.args"
local compare = require "nnlua.testing.compare"
local core = require "nnlua.nn.core"
local gradcheck = require "nnlua.gradcheck"
local reset = require "nnlua.testing.reset"

local raise = core.raise

--- Comparing tensors, checking gradients and modules, and a clean state for each spec.
local testing = {
  make_tensor = require "nnlua.testing.make_tensor",
  check_module = require "nnlua.testing.check_module",
  gradcheck = gradcheck.gradcheck,
  gradgradcheck = gradcheck.gradgradcheck,
  reset = reset,
}

local tolerances = {
  {"rtol", "number?"}, {"atol", "number?"}, {"equal_nan", "boolean", false}, {"check_dtype", "boolean", true},
  {"check_stride", "boolean", false}, {"msg", "any?"},
}

--- A function that gives the difference of its first two arguments, or nil, and the option msg.
local function comparer(name, spec, exact)
  local parse = args.parser(name, spec)
  return function(actual, expected, ...)
    local rtol, atol, equal_nan, check_dtype, check_stride, msg
    if exact then
      equal_nan, check_dtype, check_stride, msg = parse(...)
      rtol, atol = 0.0, 0.0
    else
      rtol, atol, equal_nan, check_dtype, check_stride, msg = parse(...)
    end
    if (rtol == nil) ~= (atol == nil) then
      raise(("%s: rtol and atol are given both or neither, not %s alone"):format(name, rtol and "rtol" or "atol"))
    end
    return compare(name, actual, expected, {
      rtol = rtol, atol = atol, equal_nan = equal_nan, check_dtype = check_dtype, check_stride = check_stride,
    }), msg
  end
end

--- The report as the option msg wants it: a text in its place, or a function that makes one of it.
local function worded(report, msg)
  if type(msg) == "function" then return tostring(msg(report)) end
  return msg ~= nil and tostring(msg) or report
end

local exact_options = {tolerances[3], tolerances[4], tolerances[5], tolerances[6]}
local close = comparer("close", tolerances)
local assert_close = comparer("assert_close", tolerances)
local equal = comparer("equal", exact_options, true)
local assert_equal = comparer("assert_equal", exact_options, true)

local function answer(report, msg)
  if report then return false, worded(report, msg) end
  return true
end

--- Whether two tensors, numbers, or nested tables of them are close; if not, a report that says where and how far they
--- differ. The rule is `|actual - expected| <= atol + rtol * |expected|`; shapes, dtypes and keys must be the same.
--- Defaults of (rtol, atol), the looser one if two dtypes meet: float16 (1e-3, 1e-5), bfloat16 (1.6e-2, 1e-5), float32
--- and complex64 (1.3e-6, 1e-5), float64, complex128 and Lua's floats (1e-7, 1e-7), others (0, 0).
--- Options: rtol and atol (both or neither), equal_nan, check_dtype (true), check_stride, msg (a text in place of the
--- report, or a function that makes one of it).
---     > nl.testing.close(nl.tensor({1.0}), nl.tensor({1.0000001}))
---     true
---@param actual any
---@param expected any
---@return boolean close
---@return string? report
function testing.close(actual, expected, ...)
  return answer(close(actual, expected, ...))
end

--- As close, with no tolerance.
---     > nl.testing.equal(nl.tensor({1, 2}), nl.tensor({1, 2})), (nl.testing.equal(1.0, 1.0000001))
---     true	false
---@param actual any
---@param expected any
---@return boolean equal
---@return string? report
function testing.equal(actual, expected, ...)
  return answer(equal(actual, expected, ...))
end

--- Raises an error with the report where close says false; takes the same options.
---     > nl.testing.assert_close(nl.tensor({1.0}), nl.tensor({1.0000001}))
---@param actual any
---@param expected any
function testing.assert_close(actual, expected, ...)
  local report, msg = assert_close(actual, expected, ...)
  if report then raise("assert_close: " .. worded(report, msg)) end
end

--- As assert_close, with no tolerance: every element must be equal.
---     > nl.testing.assert_equal(nl.tensor({1, 2}), nl.tensor({1, 2}))
---@param actual any
---@param expected any
function testing.assert_equal(actual, expected, ...)
  local report, msg = assert_equal(actual, expected, ...)
  if report then raise("assert_equal: " .. worded(report, msg)) end
end

--- Gives luassert, which is busted's `assert`, the assertions `assert.close(actual, expected, options)`,
--- `assert.equal_tensor(actual, expected, options)` and `assert.gradients(f, inputs, options)`. `nnlua test` does it.
---     > assert = require "luassert" -- of busted
---     > nl.testing.install(assert)
---     > assert.close(nl.tensor({1.0}), nl.tensor({1.0000001}));
---@param assert? table
function testing.install(assert)
  require "nnlua.testing.assertions".install(assert or require "luassert", testing)
end

return testing
