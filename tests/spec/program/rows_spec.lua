-- A program traced from a call of each row gives, for the sample that it was traced with and for another one, what the
-- row gives, or raises as it does.
-- parts: 4
local nl = require "nnlua"
local same = require "support.same"
local samples = require "support.samples"

local rows = samples.rows()

-- Rows whose result's shape depends on elements, which a trace refuses.
local shaped_by_elements = {nonzero = true, argwhere = true, where_positions = true, masked_select = true,
  unique = true, unique_consecutive = true, bincount = true, one_hot = true, repeat_interleave_each = true,
  repeat_interleave_positions = true, tensor_split_tensor = true, linalg_lstsq = true}

--- Other elements for a tensor: its own in the opposite order, so that positions stay valid.
local function reversed(t)
  local other = t:detach():clone()
  if t.is_meta or t:numel() == 0 then return other end
  return other:copy_(t:detach():flatten():flip(1):view(t.shape))
end

local function as_it_is(t) return t:detach():clone() end

--- Whole numbers, such as positions, changed by a function; other tensors as they are.
local function of_whole_numbers(change)
  return function(t)
    local other = as_it_is(t)
    if t.is_meta or t:numel() == 0 or t.dtype.is_floating_point or t.dtype.is_complex or t.dtype == nl.bool then
      return other
    end
    change(other:view(-1))
    return other
  end
end

local function fill(value) return of_whole_numbers(function(flat) flat:fill_(value) end) end

--- Numbers of the other sign: matrices that were positive definite, say, are so no more.
local function negative(t)
  local other = as_it_is(t)
  return not t.is_meta and t.dtype.is_floating_point and other:mul_(-3):sub_(0.5) or other
end

--- What the first and later calls get. Plans are made by forms at the first one, or by the second one.
local changes = {as_it_is, as_it_is, as_it_is, reversed, fill(-1), fill(0), fill(100),
  of_whole_numbers(function(flat) flat[1] = -1 end), of_whole_numbers(function(flat) flat[-1] = 0 end), negative}

local function packed_call(f, list)
  nl.manual_seed(5)
  return table.pack(pcall(f, table.unpack(list, 1, list.n)))
end

--- The row as a function of a sample's values; one that is there in place only gets a clone.
local function function_of(row)
  local entry = samples.entry(row)
  if not samples.is_only_in_place(row) then return function(...) return entry(...) end end
  return function(x, ...) return entry(x:clone(), ...) end
end

--- Calls without gradients, which run plans.
local function check_planned(f, program, sample)
  local _ <close> = nl.no_grad()
  for i, change in ipairs(changes) do
    local expected = packed_call(f, samples.map(sample, change))
    local got = packed_call(program, samples.map(sample, change))
    if expected[1] then assert.is_nil(same.difference(expected, got), "call " .. i) end
    assert.equal(expected[1], got[1], "call " .. i)
  end
end

local function check(row, sample)
  local f, examples = function_of(row), samples.map(sample, as_it_is)
  nl.manual_seed(5)
  local traced, program = pcall(nl.program.trace, f, table.unpack(examples, 1, sample.n))
  if not traced then
    assert.is_true(shaped_by_elements[row.row], program)
    assert.truthy(program:find("the shape of the result depends on elements", 1, true), program)
    return
  end
  for _, change in ipairs {as_it_is, reversed} do
    local expected = packed_call(f, samples.map(sample, change))
    local got = packed_call(program, samples.map(sample, change))
    if expected[1] then
      assert.is_nil(same.difference(expected, got))
    else
      assert.is_false(got[1])
    end
  end
  check_planned(f, program, sample)
end

describe("a program traced from", function()
  for _, row in ipairs(rows) do
    if not row.name:find "empty" then -- those results have unset elements
      it(row.row, function()
        for _, sample in ipairs(samples.of(row)) do check(row, sample) end
      end)
    end
  end
end)
