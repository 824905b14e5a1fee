-- Steps that go back through each row, compiled: gradients and results are those of the plain path, to the bit.
-- parts: 4
local nl = require "nnlua"
local same = require "support.same"
local samples = require "support.samples"

--- A copy of a tensor as a leaf, with its elements in the opposite order if so asked.
local function leaf(t, reverse)
  local other = t:detach():clone()
  if reverse and not t.is_meta and t:numel() > 0 then other:copy_(t:detach():flatten():flip(1):view(t.shape)) end
  if t:is_floating_point() or t:is_complex() then other:requires_grad_() end
  return other
end

local function add_tensors(list, value)
  if nl.is_tensor(value) then
    table.insert(list, value)
  elseif type(value) == "table" then
    for _, item in ipairs(value) do add_tensors(list, item) end
  end
end

--- Tensors among values that have or want gradients.
local function wanted(values)
  local list, wants = {}, {}
  for i = 1, values.n do add_tensors(list, values[i]) end
  for _, t in ipairs(list) do
    if t.requires_grad then table.insert(wants, t) end
  end
  return wants
end

--- The row as a function of a sample's values that goes back from its results with themselves as gradients.
local function step_of(row)
  local entry, in_place = samples.entry(row), samples.is_only_in_place(row)
  return function(...)
    local results
    if in_place then results = table.pack(entry((...):clone(), select(2, ...)))
    else results = table.pack(entry(...)) end
    local roots, seeds, given = wanted(results), {}, {}
    for i, t in ipairs(roots) do seeds[i] = t:detach() end
    if #roots > 0 then nl.autograd.backward(roots, seeds) end
    for i, t in ipairs(roots) do given[i] = t:detach():clone() end
    return given
  end
end

--- What a call gives: whether it succeeded, results, gradients.
local function outcome(f, sample, reverse)
  local values = samples.map(sample, function(t) return leaf(t, reverse) end)
  nl.manual_seed(5)
  local ok, results = pcall(f, table.unpack(values, 1, values.n))
  local gradients = {}
  for i, t in ipairs(wanted(values)) do gradients[i] = t.grad or false end
  return {ok, ok and results, gradients}
end

local function check(row, sample)
  local step = step_of(row)
  local fast = nl.compile(step)
  for i = 1, 4 do
    local expected, got = outcome(step, sample, i == 4), outcome(fast, sample, i == 4)
    assert.is_nil(same.difference(expected, got), "call " .. i)
  end
  return nl.compile_report(fast).programs[1]
end

describe("a compiled step back through", function()
  local planned, all = 0, 0
  for _, row in ipairs(samples.rows()) do
    if not row.name:find "empty" then -- those results have unset elements
      it(row.row, function()
        for _, sample in ipairs(samples.of(row)) do
          local program = check(row, sample)
          if program and not program.reason then planned = planned + 1 end
          all = all + 1
        end
      end)
    end
  end

  it("is a plan but for few rows", function()
    assert.is_true(planned >= 0.9 * all, ("%d of %d"):format(planned, all))
  end)
end)
