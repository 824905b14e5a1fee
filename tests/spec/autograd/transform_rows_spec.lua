-- Every row of the op table under nl.func: for a batch the same as row by row, in forward mode the same as by a
-- backward of the backward, Jacobians by both modes the same as by one backward a row.
-- parts: 4
local nl = require "nnlua"
local samples = require "support.samples"

local functional = nl.autograd.functional
local rows = samples.rows()

-- ------------------------------------------------------------------- helpers

--- The tensors among values, also those in tables.
local function tensors_in(...)
  local list = {}
  local function add(value)
    if nl.is_tensor(value) then
      list[#list + 1] = value
    elseif type(value) == "table" then
      for i = 1, #value do add(value[i]) end
    end
  end
  for i = 1, select("#", ...) do add((select(i, ...))) end
  return list
end

local function is_inexact(t) return t:is_floating_point() or t:is_complex() end

local function as_double(t)
  return t:detach():to(t:is_complex() and nl.complex128 or nl.float64)
end

local function assert_near(expected, got, tolerance, what)
  assert.equal(#expected, #got, what .. ": the number of results")
  for i, e in ipairs(expected) do
    assert.equal(tostring(e.shape), tostring(got[i].shape), what .. ": shape of result " .. i)
    local near = nl.allclose(as_double(e), as_double(got[i]), {rtol = tolerance, atol = tolerance, equal_nan = true})
    assert.is_true(near, ("%s: result %d is %s, not %s"):format(what, i, got[i], e))
  end
end

local function copied(sample) return table.move(sample, 1, sample.n, 1, {n = sample.n}) end

-- ------------------------------------------------------------------- batches

-- Lengths and section sizes say how results are shaped, so they can't differ from row to row; random numbers of a batch
-- are others than those of rows; empty tensors have any elements.
local reads_elements = {
  lstm_packed = "batch_sizes", gru_packed = "batch_sizes", rnn_tanh_packed = "batch_sizes",
  rnn_relu_packed = "batch_sizes", tensor_split_tensor = "tensor_indices_or_sections",
  ctc_loss_tensor = "lengths", narrow_tensor = "start",
}
local unset = {empty_like = true, empty_like_in = true, new_empty = true, new_empty_strided = true, rrelu = true}

-- Moments have no gradient of their own, but a derivative in forward mode.
local has_moments = {native_layer_norm = true, native_batch_norm = true, native_group_norm = true}

local function draws(row)
  for _, arg in ipairs(row.args) do
    if arg.kind == "generator" then return true end
  end
  return row.name:find "dropout" ~= nil
end

--- Sets of tensors among the arguments that differ from row to row: all, and each alone. What is changed in place must.
local function sets_of(row, sample)
  local places, sets = {}, {}
  for i = 1, sample.n do
    if nl.is_tensor(sample[i]) then places[#places + 1] = i end
  end
  if #places > 0 then sets[1] = places end
  for _, place in ipairs(#places > 1 and places or {}) do
    if place == 1 or not samples.is_only_in_place(row) then sets[#sets + 1] = {place} end
  end
  return sets
end

local function call_with(row, sample, set, values)
  local changed = copied(sample)
  for k, place in ipairs(set) do changed[place] = values[k] end
  local results = samples.call(row, changed)
  return tensors_in(table.unpack(results, 1, results.n))
end

local function check_batch(row, sample, set, what)
  local values, stacked, expected = {}, {}, {}
  for r = 1, 3 do
    values[r] = {}
    for k, place in ipairs(set) do
      local t = sample[place]
      values[r][k] = is_inexact(t) and t:detach() * (1 + 0.01 * r) or t:clone()
    end
    expected[r] = call_with(row, sample, set, values[r])
  end
  for k = 1, #set do stacked[k] = nl.stack({values[1][k], values[2][k], values[3][k]}) end
  local got = nl.func.vmap(function(...) return call_with(row, sample, set, {...}) end)(table.unpack(stacked))
  for r = 1, 3 do
    local row_of = {}
    for i, t in ipairs(got) do
      assert.equal(expected[r][i].dtype, t.dtype)
      row_of[i] = t[r]
    end
    assert_near(expected[r], row_of, 2e-4, ("%s, row %d"):format(what, r))
  end
end

describe("a batch gives what its rows give:", function()
  for _, row in ipairs(rows) do
    if not (reads_elements[row.row] or unset[row.row] or draws(row)) then
      it(row.row, function()
        for s, sample in ipairs(samples.of(row)) do
          for _, set in ipairs(sets_of(row, sample)) do
            check_batch(row, sample, set, ("sample %d, arguments %s"):format(s, table.concat(set, ", ")))
          end
        end
      end)
    end
  end
end)

-- --------------------------------------------------------------- derivatives

--- The sample's function of its inexact tensors in double precision, these, and directions.
local function differentiable(row, sample)
  local places, primals, tangents = {}, {}, {}
  for i = 1, sample.n do
    local t = sample[i]
    if nl.is_tensor(t) and is_inexact(t) then
      places[#places + 1], primals[#primals + 1] = i, as_double(t)
      nl.manual_seed(i)
      tangents[#tangents + 1] = nl.randn(t.shape, {dtype = primals[#primals].dtype})
    end
  end
  local function f(...)
    local list = {}
    for _, t in ipairs(call_with(row, sample, places, {...})) do
      if is_inexact(t) then list[#list + 1] = t end
    end
    return table.unpack(list)
  end
  return f, primals, tangents
end

local function has_complex(list)
  for _, t in ipairs(list) do
    if t:is_complex() then return true end
  end
  return false
end

local function check_derivatives(row, sample, what)
  local f, primals, tangents = differentiable(row, sample)
  if #primals == 0 or #tensors_in(f(table.unpack(primals))) == 0 then return end
  local ok, y, pushed = pcall(functional.jvp, f, primals, tangents)
  if not ok then -- that of a weight, say, isn't defined
    assert.truthy(y:find "gradient" or y:find "derivative", y)
    return
  end
  local y2, pushed2 = nl.func.jvp(f, primals, tangents)
  assert_near(tensors_in(y), tensors_in(y2), 1e-6, what .. ", jvp's value")
  assert_near(tensors_in(pushed), tensors_in(pushed2), 1e-6, what .. ", jvp")
  local jacobian = tensors_in(functional.jacobian(f, primals))
  for i, t in ipairs(jacobian) do jacobian[i] = as_double(t) end
  assert_near(jacobian, tensors_in(functional.jacobian(f, primals, {vectorize = true})), 1e-6, what .. ", jacrev")
  if has_complex(primals) or has_complex(tensors_in(y)) then return end -- reverse mode's is conjugated
  local forward = functional.jacobian(f, primals, {vectorize = true, strategy = "forward-mode"})
  assert_near(jacobian, tensors_in(forward), 1e-6, what .. ", jacfwd")
end

describe("derivatives in both modes agree:", function()
  for _, row in ipairs(rows) do
    if row.differentiable and not (draws(row) or reads_elements[row.row] or has_moments[row.row]) then
      it(row.row, function()
        for s, sample in ipairs(samples.of(row)) do check_derivatives(row, sample, "sample " .. s) end
      end)
    end
  end
end)
