-- Graphs of gradients and of modules: what leads to what, as text, in dot's language and drawn.
local nl = require "nnlua"
local process = require "support.process"

local nn, plot = nl.nn, nl.plot

describe("the graph of gradients", function()
  it("has each operation once, after what it takes", function()
    local x = nl.ones(2, {requires_grad = true})
    local y = x * 2
    local graph = plot.graph((y + y:exp()):sum(), {x = x})
    assert.equal([[
1  Mul        ← x [2]
2  Exp        ← 1
3  Add        ← 1, 2
4  Sum        ← 3
5  result []  ← 4]], tostring(graph))
    local dot = graph:dot()
    assert.equal(6, select(2, dot:gsub("n%d+ %->", "")))
    assert.matches('n%d+ %[label="x\\n%[2%]"', dot)
  end)

  it("names the parameters of a module", function()
    local net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    assert.equal([[
1  Linear     ← 0.weight [4, 3], 0.bias [4]
2  Tanh       ← 1
3  Linear     ← 2, 2.weight [2, 4], 2.bias [2]
4  Mean       ← 3
5  result []  ← 4]], tostring(plot.graph(net(nl.ones(1, 3)):mean(), net)))
  end)

  it("goes as deep as there are operations", function()
    local x = nl.ones(1, {requires_grad = true})
    local y = x
    for _ = 1, 5000 do y = y + x end
    assert.matches("\n5001  result %[1%]  ← 5000$", tostring(plot.graph(y)))
    assert.matches("result %[1%]", tostring(plot.graph(x)))
  end)

  it("tells what it can't take", function()
    assert.matches("nl.plot.graph: x has no graph", select(2, pcall(plot.graph, nl.ones(2))))
    assert.matches("nl.plot.graph: x must be a tensor, not a number", select(2, pcall(plot.graph, 2)))
    assert.matches("params must be a module", select(2, pcall(plot.graph, nl.ones(1, {requires_grad = true}), {1})))
  end)
end)

describe("the graph of a network", function()
  it("follows tensors from module to module, and through operations in between", function()
    local Block = nn.class "Block"
    function Block:init() self.fc, self.act = nn.Linear(3, 3), nn.ReLU(true) end
    function Block:forward(x) return self.act(self.fc(x) + x) end
    local net = nn.Sequential(Block(), nn.Dropout(0.5))
    assert.equal([[
1  input [2, 3]
2  0.fc: Linear [2, 3]               ← 1
3  Add                               ← 2, 1
4  0.act: ReLU(inplace=True) [2, 3]  ← 3
5  1: Dropout [2, 3]                 ← 4
6  output [2, 3]                     ← 5]], tostring(plot.net(net, nl.ones(2, 3))))
  end)

  it("leaves the network as it was", function()
    local net = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5))
    net[2]:eval()
    local before = net[1].running_mean:clone()
    local x = nl.randn(4, 3)
    plot.net(net, x)
    assert.is_true(net.training and net[1].training and not net[2].training)
    assert.is_true(nl.equal(before, net[1].running_mean))
    assert.is_false(x.requires_grad)
    assert.is_false((pcall(plot.net, net, nl.ones(4, 7))))
    assert.is_true(net.training and net[1].training and not net[2].training)
    nl.no_grad(function() assert.matches("2  0: BatchNorm1d %[4, 3%]", tostring(plot.net(net, x))) end)
  end)

  it("takes whole numbers, several inputs and several results", function()
    assert.matches("2  0: Embedding%(10, 4%) %[2, 4%]%s+← 1",
      tostring(plot.net(nn.Sequential(nn.Embedding(10, 4)), nl.tensor {1, 2})))
    assert.matches("LSTM%(3, 4%) %[5, 2, 4%], %[1, 2, 4%], %[1, 2, 4%]  ← 1", tostring(plot.net(nn.LSTM(3, 4),
      nl.randn(5, 2, 3))))
    assert.matches("← 1, 2", tostring(plot.net(nn.Bilinear(2, 3, 4), nl.ones(1, 2), nl.ones(1, 3))))
    assert.matches("a module was expected first", select(2, pcall(plot.net, 5)))
  end)
end)

describe("a graph", function()
  local graph = plot.graph(nl.ones(1, {requires_grad = true}):exp())

  it("is drawn by dot", function()
    local path = os.tmpname()
    for ending, start in pairs {svg = "<svg", png = "^\x89PNG", dot = "^digraph", txt = "^1  Exp"} do
      graph:save(path .. "." .. ending)
      local file = assert(io.open(path .. "." .. ending, "rb"))
      assert.matches(start, file:read "a")
      file:close()
      os.remove(path .. "." .. ending)
    end
    os.remove(path)
    assert.matches("<svg", graph:svg())
    assert.matches("must end in", select(2, pcall(graph.save, graph, "x.gif")))
  end)

  it("says which package has dot where it isn't there", function()
    local program = [[
      local nl = require "nnlua"
      local graph = nl.plot.graph(nl.ones(1, {requires_grad = true}):exp())
      print(graph)
      print(select(2, pcall(graph.svg, graph)))
    ]]
    local result = process.run({process.nnlua, "-e", program}, {env = {PATH = "/nowhere"}})
    assert.matches("^1  Exp", result.stdout)
    assert.matches("nl.plot.Graph:svg: Graphviz's program dot isn't there.*in the package graphviz", result.stdout)
  end)
end)
