-- First and second derivatives on the meta device have the form of those elsewhere, for every row.
-- parts: 2
local nl = require "nnlua"
local samples = require "support.samples"

--- The sample with leaves and all else on a device; and these leaves.
local function on(device, sample)
  return samples.with_leaves(sample, function(t) return t:to(device) end)
end

--- A seed that wants a gradient itself.
local function seed(t)
  return nl.ones(t.shape, {dtype = t.dtype, device = t.device}):requires_grad_()
end

--- First derivatives, then those of their sums by leaves and seeds: shapes and dtypes, "none" where there is none.
local function forms(row, sample, leaves)
  local roots, seeds = samples.roots(samples.call(row, sample), seed)
  if #roots == 0 or #leaves == 0 then return {} end
  local first = table.pack(nl.autograd.grad(roots, leaves, seeds, {allow_unused = true, create_graph = true}))
  local sums, found = {}, {}
  local function note(gradients)
    for k = 1, gradients.n do
      local g = gradients[k]
      table.insert(found, g and ("%s %s"):format(g.shape, g.dtype) or "none")
    end
  end
  note(first)
  for k = 1, first.n do
    if first[k] and first[k].requires_grad then table.insert(sums, nl.real(first[k]):sum()) end
  end
  if #sums == 0 then return found end
  local wanted = table.move(seeds, 1, #seeds, #leaves + 1, table.move(leaves, 1, #leaves, 1, {}))
  note(table.pack(nl.autograd.grad(sums, wanted, {allow_unused = true})))
  return found
end

describe("derivatives on meta have the form of others:", function()
  for _, row in ipairs(samples.rows()) do
    if row.differentiable then
      it(row.row, function()
        for _, sample in ipairs(samples.usable(row)) do
          local there, leaves = on("meta", sample)
          if pcall(samples.call, row, there) then -- what depends on elements has no results there
            assert.same(forms(row, on("cpu", sample)), forms(row, there, leaves))
          end
        end
      end)
    end
  end
end)

describe("derivatives beside a tensor without dimensions that is no meta tensor:", function()
  for _, row in ipairs(samples.rows()) do
    if row.differentiable and row.kind == "pointwise" and #row.derivatives > 1 then
      it(row.row, function()
        for _, sample in ipairs(samples.usable(row)) do
          local all = samples.tensors(sample)
          for i = 2, #all do all[i] = all[i]:reshape(-1)[1]:clone() end
          local plain, mixed = {}, {}
          for i, t in ipairs(all) do plain[i], mixed[i] = t, t end
          plain[1] = all[1]:clone():requires_grad_()
          mixed[1] = all[1]:to("meta"):requires_grad_()
          local expected = forms(row, samples.with_tensors(sample, plain), {plain[1]})
          assert.same(expected, forms(row, samples.with_tensors(sample, mixed), {mixed[1]}))
        end
      end)
    end
  end
end)
