-- A compiled call of each row gives what the row gives, also for other elements, and runs a plan but for the rows here.
-- parts: 4
local nl = require "nnlua"
local same = require "support.same"
local samples = require "support.samples"

-- Rows that run plainly: the result's shape, or how the row goes on, depends on elements; or they look at the inputs'
-- memory in a way that a plan has none for.
local plain = {}
for row in ([[
  nonzero argwhere where_positions masked_select unique unique_consecutive bincount one_hot tensor_split_tensor
  repeat_interleave_each repeat_interleave_positions linalg_lstsq narrow_tensor masked_median masked_scatter
  unravel_index segment_reduce fake_quantize_channels
  lstm_packed gru_packed rnn_tanh_packed rnn_relu_packed
  as_strided view_dtype view_as_real view_as_complex imag
]]):gmatch "%S+" do
  plain[row] = true
end

local function as_it_is(t) return t:detach():clone() end

--- Its own elements in the opposite order, so that positions stay valid.
local function reversed(t)
  local other = as_it_is(t)
  if t.is_meta or t:numel() == 0 then return other end
  return other:copy_(t:detach():flatten():flip(1):view(t.shape))
end

local function check(row, sample)
  local entry = samples.entry(row)
  local function f(x, ...)
    if samples.is_only_in_place(row) then x = x:clone() end
    return entry(x, ...)
  end
  local compiled = nl.compile(f)
  for i = 1, 5 do
    local results = {}
    for k, call in ipairs {f, compiled} do
      local arguments = samples.map(sample, i < 4 and as_it_is or reversed)
      nl.manual_seed(i)
      results[k] = table.pack(pcall(call, table.unpack(arguments, 1, sample.n)))
    end
    assert.equal(results[1][1], results[2][1])
    if results[1][1] and not row.name:find "empty" then -- those have unset elements
      assert.is_nil(same.difference(results[1], results[2]), "call " .. i)
    end
  end
  local reason = nl.compile_report(compiled).programs[1].reason
  assert(plain[row.row] or not reason, reason)
  assert(not plain[row.row] or reason, "it runs a plan now")
end

describe("a compiled call of", function()
  for _, row in ipairs(samples.rows()) do
    it(row.row, function()
      local _ <close> = nl.no_grad()
      for _, sample in ipairs(samples.of(row)) do check(row, sample) end
    end)
  end
end)
