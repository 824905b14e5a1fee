-- What every row of the op table promises, tried on each that Lua can call. Here an op is compared with itself; values
-- are compared with PyTorch's in oracle_spec.lua. Arguments come from tests/support/samples.lua.
-- parts: 8
local inputs = require "support.inputs"
local nl = require "nnlua"
local samples = require "support.samples"

local rows = samples.rows()
local dtypes = {
  nl.float32, nl.float64, nl.float16, nl.bfloat16, nl.int8, nl.int16, nl.int32, nl.int64, nl.uint8, nl.bool,
  nl.complex64, nl.complex128,
}

-- ------------------------------------------------------------------- helpers

--- One spec for each row that the property is about.
local function each_row(title, applies, property)
  describe(title, function()
    before_each(function() nl.manual_seed(0) end)
    for _, row in ipairs(rows) do
      if applies(row) then
        it(row.row, function() property(row) end)
      end
    end
  end)
end

local function always() return true end
local function is_differentiable(row) return row.differentiable end
local function is_in_place(row) return row.in_place end
local function is_pointwise(row) return row.kind == "pointwise" end

--- An error as users should see it: it names their line and the function.
local function assert_clean(message, row)
  assert.equal("string", type(message))
  assert.truthy(message:find "^[^\n]*:%d+: ", "no line is named: " .. message)
  local told = message:find(row.name, 1, true) or message:find("not enough memory", 1, true)
  assert.truthy(told, ("%s isn't named: %s"):format(row.name, message))
end

local function tensors_in(results)
  local list = {}
  for i = 1, results.n do
    if nl.is_tensor(results[i]) then table.insert(list, results[i]) end
  end
  return list
end

local function as_double(t)
  t = t:detach()
  return t:to(t:is_complex() and nl.complex128 or nl.float64)
end

local function is_near(a, b, tolerance)
  if a.shape ~= b.shape then return false end
  return nl.allclose(as_double(a), as_double(b), {rtol = tolerance, atol = tolerance, equal_nan = true})
end

local function assert_near(expected, actual, tolerance, what)
  assert.is_true(is_near(expected, actual, tolerance),
    not is_near(expected, actual, tolerance) and ("%s:\nexpected %s\nbut got  %s"):format(what, expected, actual))
end

local function assert_all_near(expected, actual, tolerance, what)
  assert.equal(#expected, #actual, what .. ": the number of results")
  for i, t in ipairs(expected) do
    assert_near(t, actual[i], tolerance, ("%s, %d"):format(what, i))
  end
end

--- The sample with gradients asked of all tensors that can have one; and these tensors.
local function with_gradients(sample)
  return samples.with_leaves(sample, function(t) return t end)
end

--- Results with a gradient, and seeds for them that depend on their shapes only.
local function seeded(results)
  local roots, seeds = {}, {}
  for _, t in ipairs(tensors_in(results)) do
    if t.requires_grad then
      table.insert(roots, t)
      table.insert(seeds, samples.seed(t))
    end
  end
  return roots, seeds
end

--- The gradients of a row's sample for fixed seeds, packed; nothing if there are none.
local function gradients_of(row, sample, options)
  local new, leaves = with_gradients(sample)
  local roots, seeds = seeded(samples.call(row, new))
  if #roots == 0 then return {n = 0} end
  options = options or {}
  return table.pack(nl.autograd.grad(roots, leaves, seeds,
    {allow_unused = true, create_graph = options.create_graph, materialize_grads = true}))
end

-- ----------------------------------------------------------------- gradients

local function is_precise(t)
  return t.dtype == nl.float64 or t.dtype == nl.complex128
end

local function all_precise(results)
  for _, t in ipairs(tensors_in(results)) do
    if samples.is_inexact(t) and not is_precise(t) then return false end
  end
  return true
end

--- A cast to fewer digits can't be checked by differences: its gradient comes back in the input's form.
local function check_form(row, sample)
  local _, leaves = with_gradients(sample)
  local gradients = gradients_of(row, sample)
  for i = 1, gradients.n do
    assert.equal(leaves[i].shape, gradients[i].shape)
    assert.equal(leaves[i].dtype, gradients[i].dtype)
  end
end

local function has_inexact_result(results)
  for _, t in ipairs(tensors_in(results)) do
    if samples.is_inexact(t) then return true end
  end
  return false
end

local function check_gradients(row, check)
  for _, sample in ipairs(samples.usable(row)) do
    local new, leaves = with_gradients(sample)
    local results = samples.call(row, new)
    if #leaves > 0 and has_inexact_result(results) then
      assert.is_true(#seeded(results) > 0, "no result has a gradient")
      if all_precise(results) then
        local tensors = samples.tensors(new)
        check(function(...)
          return table.unpack(tensors_in(samples.call(row, samples.with_tensors(new, {...}))))
        end, tensors)
      else
        check_form(row, sample)
      end
    end
  end
end

each_row("the gradient is the derivative:", is_differentiable, function(row)
  check_gradients(row, nl.autograd.gradcheck)
end)

each_row("the gradient's gradient is the second derivative:", is_differentiable, function(row)
  check_gradients(row, nl.autograd.gradgradcheck)
end)

-- ------------------------------------------------------------------- layouts

local layouts = {
  transposed = function(t)
    local order = {}
    for dim = t.ndim, 1, -1 do table.insert(order, dim) end
    return t:permute(order):contiguous():permute(order)
  end,
  strided = function(t)
    return nl.stack({t, t}, -1):select(-1, 1)
  end,
  expanded = function(t)
    return t:narrow(1, 1, 1):expand(t.shape)
  end,
}

local function laid_out(sample, layout)
  return samples.map(sample, function(t)
    return t.ndim > 0 and t:numel() > 0 and layout(t) or t
  end)
end

local function contiguous_copy(t)
  return t:clone():contiguous()
end

local function check_layout(row, sample, name)
  local strided = laid_out(sample, layouts[name])
  local plain = samples.map(strided, contiguous_copy)
  local expected, actual = samples.call(row, plain), samples.call(row, strided)
  if sample.values == false then
    for i, t in ipairs(tensors_in(expected)) do assert.equal(t.shape, actual[i].shape) end
    return
  end
  assert_all_near(tensors_in(expected), tensors_in(actual), 1e-12, name .. " inputs, results")
  if row.differentiable then
    assert_all_near(gradients_of(row, plain), gradients_of(row, strided), 1e-12, name .. " inputs, gradients")
  end
end

each_row("the layout of inputs makes no difference:", always, function(row)
  for _, sample in ipairs(samples.usable(row)) do
    if sample.strided ~= false and #samples.tensors(sample) > 0 then
      for name in pairs(layouts) do check_layout(row, sample, name) end
    end
  end
end)

-- ------------------------------------------------------------- broadcasting

local function takes_several(row)
  return is_pointwise(row) and #row.derivatives > 1
end

local function resized(sample, shapes)
  local i = 0
  local tensors = {}
  for k, t in ipairs(samples.tensors(sample)) do
    i = i % #shapes + 1
    local n = 1
    for _, size in ipairs(shapes[i]) do n = n * size end
    tensors[k] = t:reshape(t:numel()):narrow(1, 1, n):reshape(shapes[i])
  end
  return samples.with_tensors(sample, tensors)
end

each_row("operands broadcast:", takes_several, function(row)
  local pairs_of_shapes = {{{2, 1}, {1, 3}}, {{}, {2, 3}}, {{2, 3}, {3}}, {{1}, {2, 1}}}
  for _, sample in ipairs(samples.usable(row)) do
    for _, shapes in ipairs(pairs_of_shapes) do
      local small = resized(sample, shapes)
      local result = samples.call(row, small)[1]
      local large = samples.map(small, function(t) return t:expand(result.shape):contiguous() end)
      assert_near(samples.call(row, large)[1], result, 0, "the result")
      if row.differentiable then
        local from_small, from_large = gradients_of(row, small), gradients_of(row, large)
        local leaves = samples.tensors(small)
        for i = 1, from_small.n do
          local expected = from_large[i]:expand(result.shape)
          while expected.ndim > leaves[i].ndim do expected = expected:sum(1) end
          for dim = 1, expected.ndim do
            if leaves[i]:size(dim) == 1 then expected = expected:sum(dim, true) end
          end
          assert_near(expected, from_small[i], 1e-12, ("gradient %d"):format(i))
        end
      end
    end
  end
end)

-- ----------------------------------------------------------- unusual shapes

local function on_meta(sample)
  return samples.map(sample, function(t) return t:detach():to("meta") end)
end

local function assert_same_form(expected, actual, what)
  assert.equal(#expected, #actual, what .. ": the number of results")
  for i, t in ipairs(expected) do
    assert.equal(tostring(t.shape), tostring(actual[i].shape), what .. ": shape")
    assert.equal(t.dtype, actual[i].dtype, what .. ": dtype")
  end
end

--- The op on other tensors either gives what its meta form foretells, with gradients, or a clean error.
local function check_unusual(row, sample, what)
  local ok, results = pcall(samples.call, row, sample)
  if not ok then
    assert_clean(results, row)
    return
  end
  local known, foretold = pcall(samples.call, row, on_meta(sample))
  if known then assert_same_form(tensors_in(foretold), tensors_in(results), what) end
  if row.differentiable then check_form(row, sample) end
  return results
end

local function first_or_all(sample, f)
  local tensors = samples.tensors(sample)
  local first = samples.with_tensors(sample, {f(tensors[1]), table.unpack(tensors, 2)})
  return first, samples.map(sample, f)
end

local function check_shape(row, shape)
  for _, sample in ipairs(samples.usable(row)) do
    if #samples.tensors(sample) > 0 then
      local first, all = first_or_all(sample, function(t)
        return nl.ones(shape, {dtype = t.dtype})
      end)
      check_unusual(row, first, "the first tensor of another shape")
      local results = check_unusual(row, all, "all tensors of another shape")
      if is_pointwise(row) then
        assert.truthy(results, "a pointwise op takes tensors of any shape")
        assert.equal(tostring(nl.Size(shape)), tostring(results[1].shape))
      end
    end
  end
end

each_row("tensors without elements are fine or told of:", always, function(row)
  check_shape(row, {0, 3})
  check_shape(row, {0})
end)

each_row("tensors without dimensions are fine or told of:", always, function(row)
  check_shape(row, {})
end)

each_row("the meta device foretells shape and dtype:", always, function(row)
  for _, sample in ipairs(samples.usable(row)) do
    if #samples.tensors(sample) > 0 then
      local ok, foretold = pcall(samples.call, row, on_meta(sample))
      if ok then
        local results = tensors_in(samples.call(row, sample))
        assert_same_form(results, tensors_in(foretold), "on meta")
      else
        assert_clean(foretold, row)
        assert.truthy(foretold:find "meta", "meta tensors aren't named: " .. foretold)
        assert.falsy(foretold:find "different devices", "a tensor made on the way is elsewhere: " .. foretold)
      end
    end
  end
end)

each_row("tensors without dimensions may stand beside meta tensors:", takes_several, function(row)
  for _, sample in ipairs(samples.usable(row)) do
    local plain, mixed = {}, {}
    for i, t in ipairs(samples.tensors(sample)) do
      plain[i] = i == 1 and t or t:reshape(-1)[1]:clone()
      mixed[i] = i == 1 and t:to "meta" or plain[i]
    end
    local expected = tensors_in(samples.call(row, samples.with_tensors(sample, plain)))
    local got = tensors_in(samples.call(row, samples.with_tensors(sample, mixed)))
    assert_same_form(expected, got, "beside meta")
    for _, t in ipairs(got) do assert.equal("meta", t.device.type) end
  end
end)

-- -------------------------------------------------------------------- dtypes

local tolerances = {
  [nl.float32] = 1e-5, [nl.float64] = 1e-12, [nl.float16] = 1e-2, [nl.bfloat16] = 6e-2, [nl.complex64] = 1e-5,
  [nl.complex128] = 1e-12, [nl.int8] = 1e-5, [nl.int16] = 1e-5, [nl.int32] = 1e-5, [nl.int64] = 1e-5,
}

local is_whole_dtype = {[nl.int8] = true, [nl.int16] = true, [nl.int32] = true, [nl.int64] = true}

local function cast(sample, dtype)
  return samples.map(sample, function(t) return samples.is_inexact(t) and t:to(dtype) or t end)
end

local function has_inexact_tensor(sample)
  for _, t in ipairs(samples.tensors(sample)) do
    if samples.is_inexact(t) then return true end
  end
  return false
end

local function has_fraction(sample)
  for _, value in pairs(sample) do
    if type(value) == "number" and not math.tointeger(value) then return true end
  end
  return false
end

local function is_finite(t)
  return (t - t):eq(0):all():item()
end

--- Results in a dtype against those of the same numbers in float64. Unsigned and bool arithmetic has rules of its own,
-- and numbers with fractions become whole ones where they meet integers.
local function compare_with_double(row, narrow, dtype, results)
  local tolerance = tolerances[dtype]
  if not tolerance or narrow.values == false then return end
  if is_whole_dtype[dtype] and has_fraction(narrow) then return end
  local wide = samples.map(narrow, function(t) return t.dtype == dtype and t:to(nl.float64) or t end)
  local ok, expected = pcall(samples.call, row, wide)
  if not ok then return end
  for i, t in ipairs(tensors_in(expected)) do
    local actual = results[i]
    local is_whole = not samples.is_inexact(actual) and samples.is_inexact(t)
    local wanted = is_whole and t:to(actual.dtype) or t:to(actual.dtype):to(nl.float64)
    if not is_whole or is_finite(t) then
      assert_near(wanted, actual:is_complex() and actual:to(nl.float64) or actual, tolerance, tostring(dtype))
    end
  end
end

each_row("each dtype works or is told of:", always, function(row)
  for _, sample in ipairs(samples.usable(row)) do
    if has_inexact_tensor(sample) then
      for _, dtype in ipairs(dtypes) do
        local narrow = cast(sample, dtype)
        local ok, results = pcall(samples.call, row, narrow)
        if not ok then
          assert_clean(results, row)
          assert.is_true(sample.complex or dtype ~= nl.float32 and dtype ~= nl.float64, results)
        else
          compare_with_double(row, narrow, dtype, results)
          if row.differentiable then check_form(row, narrow) end
        end
      end
    end
  end
end)

-- ----------------------------------------------------------------- arguments

local function is_alone(row)
  local n = 0
  for _, other in ipairs(rows) do
    if other.name == row.name then n = n + 1 end
  end
  return n == 1
end

local function most_arguments(row)
  local most = 0
  for _, other in ipairs(rows) do
    if other.name == row.name then most = math.max(most, #other.args) end
  end
  return most
end

local function assert_refused(row, arguments, n)
  local ok, message = pcall(samples.entry(row), table.unpack(arguments, 1, n))
  assert.is_false(ok, "was taken")
  assert_clean(message, row)
  return message
end

local function positional(sample)
  local list = {}
  for i = 1, sample.n do list[i] = sample[i] end
  local last = list[sample.n]
  local named = type(last) == "table" and not getmetatable(last) and type(next(last)) == "string"
  if named then list[sample.n] = nil end
  return list, named and sample.n - 1 or sample.n
end

local wrong_for = {
  tensor = {"text", 1.5, {}}, ["optional tensor"] = {"text", 1.5}, tensors = {"text", 1.5}, operand = {"text"},
  ["optional operand"] = {"text"},
  scalar = {"text"}, int = {1.5, "text"}, real = {"text"}, bool = {"text"}, string = {1.5},
  size = {1.5, "text", {"text"}}, ints = {1.5, "text", {"text"}},
  dim = {0, 1.5, "text", 99}, dims = {0, {0}, 1.5, "text", {99}},
  position = {0, 1.5, "text"}, dtype = {"text", 1.5}, device = {"gpu", 1.5}, generator = {"text", 1.5},
}

each_row("wrong arguments are told of:", always, function(row)
  for _, sample in ipairs(samples.usable(row)) do
    local list, n = positional(sample)
    for i, arg in ipairs(row.args) do
      local arguments = table.move(list, 1, n, 1, {})
      arguments[i] = print
      assert_refused(row, arguments, math.max(n, i))
      for _, value in ipairs(is_alone(row) and wrong_for[arg.kind] or {}) do
        arguments[i] = value
        assert_refused(row, arguments, math.max(n, i))
      end
    end
  end
end)

each_row("unknown, missing and further arguments are told of:", always, function(row)
  for _, sample in ipairs(samples.usable(row)) do
    local list, n = positional(sample)
    local arguments = table.move(list, 1, n, 1, {})
    arguments[n + 1] = {no_such_argument = 1}
    local message = assert_refused(row, arguments, n + 1)
    if is_alone(row) then assert.truthy(message:find "no_such_argument", message) end
    assert_refused(row, {}, 0)
    for i, arg in ipairs(row.args) do
      if arg.required and is_alone(row) then assert_refused(row, list, i - 1) end
    end
    arguments = table.move(list, 1, n, 1, {})
    local most = most_arguments(row)
    arguments[most + 1] = 1
    assert_refused(row, arguments, most + 1)
  end
end)

-- ------------------------------------------------------------------ in place

--- Whether the result has the shape of what it would be written to, if it is written.
local function fits_in_place(row, sample)
  return row.reshapes_in_place or samples.call(row, sample)[1].shape == sample[1].shape
end

local function in_place_gradients(row, sample)
  local new, leaves = with_gradients(sample)
  if #leaves == 0 then return {n = 0} end
  local result = samples.call_in_place(row, new[1]:clone(), new)
  local roots, seeds = seeded {result, n = 1}
  if #roots == 0 then return {n = 0} end
  return table.pack(nl.autograd.grad(roots, leaves, seeds, {allow_unused = true, materialize_grads = true}))
end

local function check_in_place(row, sample, expected)
  local x = sample[1]:clone()
  local version = x._version
  if not fits_in_place(row, sample) then
    local ok, message = pcall(samples.call_in_place, row, x, sample)
    assert.is_false(ok, "a tensor takes a result of another shape")
    return assert_clean(message, row)
  end
  local result = samples.call_in_place(row, x, sample)
  assert.is_true(rawequal(x, result), "another object is returned")
  assert.is_true(x._version > version, "the version is the same")
  assert.equal(sample[1].dtype, x.dtype)
  assert_near(expected:to(x.dtype), x, 0, "the result")
  if row.differentiable and expected.dtype == x.dtype and not samples.is_only_in_place(row) then
    assert_all_near(gradients_of(row, sample), in_place_gradients(row, sample), 1e-12, "gradients")
  end
end

each_row("the in-place form is the same:", is_in_place, function(row)
  for _, sample in ipairs(samples.usable(row)) do
    if sample.in_place ~= false then check_in_place(row, sample, samples.call(row, sample)[1]) end
  end
end)

--- Two tensors of given shapes in one memory of numbers: one begins an element after the other, or they are the very
--- same elements.
local function sharing(x, operand, how)
  local shared = inputs.real(math.max(x:numel(), operand:numel()) + 1):to(x.dtype)
  local function from(start, like) return shared:narrow(1, start, like:numel()):view(like.shape) end
  if how == "the same" then
    if x.shape ~= operand.shape then return end
    local both = from(1, x)
    return both, both
  end
  return from(how == "behind" and 2 or 1, x), from(how == "behind" and 1 or 2, operand)
end

--- The in-place form with operand i in the memory of the destination gives what it gives with both apart.
local function check_sharing(row, sample, i, how)
  local to, operand = sharing(sample[1], sample[i], how)
  if not to then return end
  local function with(value) return samples.map(sample, function(t) return t == sample[i] and value or t end) end
  local ok, expected = pcall(samples.call_in_place, row, to:clone(), with(operand:clone()))
  if not ok then return end -- these numbers are none that the op takes
  local result = samples.call_in_place(row, to, with(operand))
  assert_near(expected, result, 0, ("operand %d, the destination %s"):format(i, how))
end

each_row("an operand that shares memory with the destination counts as it was:", is_in_place, function(row)
  for _, sample in ipairs(samples.usable(row)) do
    local usable = sample.in_place ~= false and sample.values ~= false and fits_in_place(row, sample)
    for i = 2, usable and not row.reshapes_in_place and sample.n or 1 do
      if nl.is_tensor(sample[i]) and sample[i].dtype == sample[1].dtype then
        for _, how in ipairs {"before", "behind", "the same"} do check_sharing(row, sample, i, how) end
      end
    end
  end
end)

-- ---------------------------------------------------------- failing memory

local function living()
  collectgarbage()
  collectgarbage()
  local stats = nl.memory_stats()
  local references = 0
  for _ in pairs(debug.getregistry()) do references = references + 1 end
  return {
    tensors = stats.tensors, storages = stats.storages, nodes = stats.nodes, blocks = stats.blocks,
    references = references,
  }
end

local function snapshot(tensors)
  local kept = {}
  for i, t in ipairs(tensors) do
    kept[i] = {t = t, elements = t:detach():clone(), shape = t.shape, version = t._version, history = t.grad_fn}
  end
  return kept
end

local function assert_unchanged(kept)
  for _, old in ipairs(kept) do
    assert.equal(old.shape, old.t.shape, "an operand's shape")
    assert.equal(old.version, old.t._version, "an operand's version")
    assert.is_true(nl.equal(old.elements, old.t:detach()), "an operand's elements")
    assert.equal(old.history == nil, old.t.grad_fn == nil, "an operand's history")
  end
end

--- Runs f(x) with its first allocation failing, then its second, and so on until none is left to fail.
-- make() gives x anew before each run: a list of tensors that a failure must leave as they are.
local function fail_each(row, make, f)
  for k = 1, 4000 do
    local operands = make()
    local kept = snapshot(operands)
    nl._fail_allocation(k)
    local ok, message = pcall(f, operands)
    nl._fail_allocation(0)
    if ok then return end
    assert_clean(message, row)
    assert.truthy(message:find("not enough memory", 1, true), message)
    assert_unchanged(kept)
  end
  error "it never succeeds"
end

local function fail_forward(row, sample)
  local new = with_gradients(sample)
  local tensors = samples.tensors(new)
  fail_each(row, function() return tensors end, function() samples.call(row, new) end)
end

local function fail_in_place(row, sample)
  local new = with_gradients(sample)
  local others = samples.tensors(new)
  fail_each(row, function() return {new[1]:clone(), table.unpack(others)} end,
    function(operands) samples.call_in_place(row, operands[1], new) end)
end

local function fail_backward(row, sample)
  local new, leaves = with_gradients(sample)
  local roots, seeds = seeded(samples.call(row, new))
  if #roots == 0 then return end
  fail_each(row, function() return samples.tensors(new) end, function()
    nl.autograd.grad(roots, leaves, seeds, {retain_graph = true, allow_unused = true})
  end)
end

local function fail_all(row)
  for _, sample in ipairs(samples.usable(row)) do
    fail_forward(row, sample)
    if row.in_place and sample.in_place ~= false and fits_in_place(row, sample) then fail_in_place(row, sample) end
    if row.differentiable then fail_backward(row, sample) end
  end
end

each_row("a failing allocation leaves everything as it was:", always, function(row)
  for _, sample in ipairs(samples.of(row)) do samples.call(row, sample) end -- what is made once and kept is made now
  local before = living()
  fail_all(row)
  assert.same(before, living())
  for _, sample in ipairs(samples.of(row)) do samples.call(row, sample) end
end)

-- ------------------------------------------------- derivatives as one text

local special = {0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.25, -3.25, 20.0, -20.0, 1e-3, -1e-3}

--- The sample with its tensors in a dtype and special values among their elements: all pairs of them.
local function with_specials(sample, dtype)
  local n, i = #special, 0
  return samples.map(sample, function()
    i = i + 1
    local list = {}
    for k = 1, n * n do
      list[k] = special[(i % 2 == 1 and (k - 1) % n or (k - 1) // n) + 1]
    end
    return nl.tensor(list, {dtype = dtype})
  end)
end

local function has_derivative(row)
  return is_pointwise(row) and row.differentiable
end

each_row("a derivative run as ops is the compiled one:", has_derivative, function(row)
  for _, sample in ipairs(samples.usable(row)) do
    for _, dtype in ipairs {nl.float64, nl.complex128} do
      for _, values in ipairs {cast(sample, dtype), with_specials(sample, dtype)} do
        local ok, compiled = pcall(gradients_of, row, values)
        if ok then
          local parsed = gradients_of(row, values, {create_graph = true})
          assert_all_near(compiled, parsed, 1e-12, tostring(dtype))
        else
          assert_clean(compiled, row)
          assert.equal(nl.complex128, dtype)
        end
      end
    end
  end
end)
