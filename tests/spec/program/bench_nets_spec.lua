-- The nets that are measured (bench/models.lua): compiled, forward and in whole steps, they never fall back, and give
-- what they give plainly.
local nl = require "nnlua"
local F = nl.F
local models = dofile "bench/models.lua"

local function tokens(...) return nl.randint(1, models.CLASSES + 1, {...}) end

local cases = {
  {"MLP", models.mlp, function() return nl.randn(3, 784), nl.randint(1, 11, {3}) end},
  {"LeNet-5", models.lenet, function() return nl.randn(2, 1, 28, 28), nl.randint(1, 11, {2}) end},
  {"GPT", models.GPT, function() return tokens(1, models.LENGTH), tokens(models.LENGTH) end},
  {"ResNet-18", models.resnet18, function() return nl.randn(2, 3, 32, 32), nl.randint(1, 1001, {2}) end},
}

--- Batch norm, of a network in `eval`, becomes part of convolutions, by rounding.
local function assert_near(wanted, got)
  assert.is_true((wanted - got):abs():max():item() <= wanted:abs():max():item() * 1e-5)
end

local function assert_runs(compiled)
  local report = nl.compile_report(compiled)
  assert.equal(1, #report.programs)
  assert.is_nil(report.programs[1].reason)
  assert.equal(report.calls - 1, report.programs[1].runs)
  assert.equal(0, report.with_gradients)
end

for _, case in ipairs(cases) do
  local name, make, given = table.unpack(case)
  describe("compiled, " .. name, function()
    it("has no fallback in its forward", function()
      local net = make():eval()
      local fast = nl.compile(net)
      for _ = 1, 3 do
        local x = given()
        assert_near(nl.no_grad(net, x), nl.no_grad(fast, x))
      end
      assert_runs(fast)
    end)

    it("has none in a whole step, which leaves the same weights", function()
      local x, target = given()
      local function training(compile)
        nl.manual_seed(3)
        local net = make()
        local opt = nl.optim.Adam(net:parameters(), {lr = 0.001})
        return net, compile(function(input, labels)
          opt:zero_grad()
          local scores = net(input)
          local loss = F.cross_entropy(scores:reshape(-1, scores:size(-1)), labels)
          loss:backward()
          opt:step()
          return loss:detach()
        end)
      end
      local plain, step = training(function(f) return f end)
      local compiled, fast = training(nl.compile)
      for _ = 1, 3 do assert.is_true(nl.equal(step(x, target), fast(x, target))) end
      local weights = compiled:state_dict()
      for key, value in pairs(plain:state_dict()) do assert.is_true(nl.equal(value, weights[key]), key) end
      assert_runs(fast)
    end)
  end)
end
