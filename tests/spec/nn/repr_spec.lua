-- How modules are printed.
local nl = require "nnlua"
local nn = nl.nn

local function text(...)
  return table.concat({...}, "\n")
end

describe("a module is printed", function()
  it("P1: on one line without children", function()
    assert.equal("ReLU()", tostring(nn.ReLU()))
    assert.equal("Linear(in_features=2, out_features=3, bias=True)", tostring(nn.Linear(2, 3)))
  end)

  it("P1: with children in lines, indented by 2", function()
    local net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Dropout(0.25)), nn.Sequential())
    assert.equal(text(
      "Sequential(",
      "  (0): Linear(in_features=2, out_features=3, bias=True)",
      "  (1): Sequential(",
      "    (0): ReLU()",
      "    (1): Dropout(p=0.25, inplace=False)",
      "  )",
      "  (2): Sequential()",
      ")"), tostring(net))
  end)

  it("P1: with its own lines before its children's", function()
    local Net = nn.class("Net")
    function Net:extra_repr() return self.lines end
    local net = Net()
    net.lines = "a=1\nb=2"
    assert.equal("Net(\n  a=1\n  b=2\n)", tostring(net))
    net.child = nn.ReLU()
    net.empty = nn.ReLU()
    net.empty = nil
    net.lines = "a=1"
    assert.equal("Net(\n  a=1\n  (child): ReLU()\n  (empty): None\n)", tostring(net))
  end)

  it("P1: without indenting blank lines", function()
    local Net = nn.class("Net")
    function Net:__tostring() return "first\n\nlast" end -- luacheck: no self
    assert.equal("Sequential(\n  (0): first\n\n  last\n)", tostring(nn.Sequential(Net())))
  end)

  it("P2: as a list with equal neighbours merged", function()
    local list = nn.ModuleList {
      nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU(), nn.Sequential(nn.ReLU()), nn.Sequential(nn.ReLU()),
    }
    assert.equal(text(
      "ModuleList(",
      "  (0-2): 3 x Linear(in_features=1, out_features=1, bias=True)",
      "  (3): ReLU()",
      "  (4-5): 2 x Sequential(",
      "    (0): ReLU()",
      "  )",
      ")"), tostring(list))
    assert.equal("ModuleList()", tostring(nn.ModuleList()))
  end)

  it("P3: with the arguments of its layer", function()
    assert.equal("Linear(in_features=2, out_features=3, bias=False)", tostring(nn.Linear(2, 3, {bias = false})))
    assert.equal("ReLU(inplace=True)", tostring(nn.ReLU(true)))
    assert.equal("Dropout(p=0.5, inplace=False)", tostring(nn.Dropout()))
    assert.equal("Dropout(p=1.0, inplace=True)", tostring(nn.Dropout(1.0, true)))
    assert.equal("Identity()", tostring(nn.Identity(54, "unused")))
    for _, name in ipairs {"MSELoss", "CrossEntropyLoss", "NLLLoss"} do
      assert.equal(name .. "()", tostring(nn[name]()))
    end
  end)

  it("with names of classes where they are asked for", function()
    assert.equal("nn.Linear", tostring(nn.Linear))
  end)
end)
