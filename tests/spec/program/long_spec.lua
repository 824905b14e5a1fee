-- Programs of very many steps, and what recording holds while it goes on.
local nl = require "nnlua"
local same = require "support.same"
local trace = nl.program.trace

local ROUNDS <const> = 20000

--- A compiled function's results of two calls, and the steps of its plan.
local function compiled(f, x)
  local fast = nl.compile(f)
  local first, second = nl.no_grad(fast, x), nl.no_grad(fast, x)
  local program = nl.compile_report(fast).programs[1]
  assert.equal(1, program.runs, program.reason)
  assert.is_nil(same.difference(first, second))
  return second, program.steps
end

describe("a program of 20,000 rounds", function()
  it("runs as chains, as many as their operands need", function()
    local y, steps = compiled(function(x)
      for i = 1, ROUNDS do x = x:mul(0.5):add(i) end
      return x
    end, nl.full({3}, 7.0, {dtype = nl.float64}))
    -- x / 2 + i comes to 2 i - 2 in the end, up to what the first rounds leave, which is far below a double's digits
    assert.same({2.0 * ROUNDS - 2, 2.0 * ROUNDS - 2, 2.0 * ROUNDS - 2}, y:tolist())
    assert.is_true(steps <= ROUNDS / 4, steps)
  end)

  it("finds what is computed twice among rows that differ by an argument", function()
    local function sum(x)
      local total = nl.zeros(4)
      for i = 1, ROUNDS do total = total + x:roll(i % 100, 1):cos() end
      return total
    end
    local x = nl.randn(4)
    local y, steps = compiled(sum, x)
    assert.is_nil(same.difference(nl.no_grad(sum, x), y))
    assert.is_true(steps < ROUNDS, steps)
  end)

  it("has views of one tensor, and changes in place", function()
    local x = nl.arange(ROUNDS, {dtype = nl.float64})
    local y = compiled(function(input)
      local copy, total = input:clone(), nl.zeros(1, {dtype = nl.float64})
      for i = 1, ROUNDS do total:add_(copy:narrow(1, i, 1)) end
      return total
    end, x)
    assert.equal(ROUNDS * (ROUNDS - 1) / 2, y:item())
  end)

  it("puts what lives long beside what passes", function()
    local function twice(x)
      local kept = {}
      for i = 1, ROUNDS // 20 do
        x = x:cumsum(1):flip(1)
        kept[i] = x
      end
      for i = #kept, 1, -1 do x = (x - kept[i]):flip(1) end
      return x
    end
    local x = nl.randint(0, 2, {6}):to(nl.int32)
    assert.is_nil(same.difference(twice(x), (compiled(twice, x))))
  end)

  it("is one that was traced, too", function()
    local function f(x)
      for i = 1, ROUNDS do x = (x * 3 + i) % 1001 end
      return x
    end
    local x = nl.arange(5)
    local program = trace(f, x)
    for _ = 1, 2 do assert.is_nil(same.difference(f(x), program(x))) end
  end)
end)

describe("a recording", function()
  it("lets go of what nothing reads any more", function()
    local n <const> = 100000
    local function noisy(x)
      for _ = 1, 40 do
        x = nl.dropout(x, 0.5, true):view(100, n // 100):t():clone():flatten()
        x:add_(1)
      end
      return x
    end
    local x = nl.ones(n)
    local program = trace(noisy, x)
    local _ <close> = nl.no_grad()
    for _ = 1, 3 do -- plainly, recording, by the plan
      collectgarbage()
      nl.manual_seed(3)
      local before = nl.memory_allocated()
      nl.reset_peak_memory_stats()
      local y = program(x)
      assert.is_true(nl.max_memory_allocated() - before < 16 * n * 4)
      nl.manual_seed(3)
      assert.is_nil(same.difference(noisy(x), y))
    end
  end)

  it("keeps what is constant, and views of it", function()
    local n <const> = 50000
    local function f(x)
      local steps = nl.arange(n):float() * 2
      local pairs = steps:view(n // 2, 2)
      for _ = 1, 30 do x = nl.dropout(x, 0.5, true) + pairs:select(2, 1):mean() end
      return x + steps:sum()
    end
    local program, x = trace(f, nl.ones(n)), nl.ones(n)
    local _ <close> = nl.no_grad()
    for _ = 1, 3 do
      nl.manual_seed(4)
      local y = program(x)
      nl.manual_seed(4)
      assert.is_nil(same.difference(f(x), y))
    end
  end)
end)
