local nl = require "nnlua"
local pretty = require "nnlua.prompt.pretty"
local nn = nl.nn

local function shown(value, options)
  return pretty.text(value, options or {})
end

describe("a table at the prompt", function()
  it("stands on a line if it fits", function()
    assert.equal("{}", shown {})
    assert.equal('{1, 2, "three", a = true, b = {c = 4}}', shown {1, 2, "three", b = {c = 4}, a = true})
    assert.equal("{[true] = 3, [0] = 1, [2.5] = 2}", shown {[0] = 1, [2.5] = 2, [true] = 3})
    assert.equal('{["end"] = 1, ["two words"] = 2}', shown {["two words"] = 2, ["end"] = 1})
  end)

  it("has an entry a line otherwise, indented", function()
    assert.equal('{\n  "aaaaaaaaaa",\n  names = {\n    first = "bbbbbbbbbb",\n    second = "cccccccccc",\n  },\n}',
      shown({"aaaaaaaaaa", names = {first = "bbbbbbbbbb", second = "cccccccccc"}}, {width = 30}))
  end)

  it("is shown to a depth and up to a number of entries", function()
    assert.equal("{{{{…}}}}", shown({{{{1}}}}, {depth = 3}))
    assert.equal("{1, 2, … 3 more}", shown({1, 2, 3, 4, 5}, {items = 2}))
  end)

  it("may hold itself", function()
    local t = {name = "t"}
    t.self, t.list = t, {t}
    assert.equal('{list = {{…: a table above}}, name = "t", self = {…: a table above}}', shown(t))
    local shared = {1}
    assert.equal("{{1}, {1}}", shown {shared, shared})
  end)

  it("runs no code of its own but __tostring", function()
    local function fail() error "called" end
    local t = setmetatable({1}, {__index = fail, __pairs = fail, __len = fail, __name = "Thing"})
    assert.equal("Thing {1}", shown(t))
    assert.equal("own words", shown(setmetatable({}, {__tostring = function() return "own words" end})))
    assert.equal("\\x1b[2J", shown(setmetatable({}, {__tostring = function() return "\27[2J" end})))
    assert.equal("\\x1b[2J {}", shown(setmetatable({}, {__name = "\27[2J"})))
    assert.matches("^%(__tostring raised .*no words%)$",
      shown(setmetatable({}, {__tostring = function() error "no words" end})))
    assert.equal("{words}", shown {setmetatable({}, {__tostring = function() return "words" end})})
  end)

  it("takes any size and depth", function()
    local deep, wide = {}, {}
    local t = deep
    for i = 1, 100000 do
      t[1] = {}
      t = t[1]
      wide["key" .. i] = i
    end
    assert.equal("{{{{{…}}}}}", shown(deep))
    assert.matches("… 99950 more", shown(wide))
    assert.is_true(#shown(deep, {depth = 150}) < 100000)
  end)
end)

describe("a string at the prompt", function()
  it("is quoted, and nothing in it acts on a terminal", function()
    assert.equal('"two\\nlines \\x1b[31m"', shown "two\nlines \27[31m")
    assert.equal('{"two\\nlines \\"quoted\\" \\\\ \\x01"}', shown {"two\nlines \"quoted\" \\ \1"})
    assert.equal('{"é日本"}', shown {"é日本"})
    assert.equal('{"\\xff\\xfe"}', shown {"\xff\xfe"})
  end)

  it("is cut off in tables where it is long", function()
    assert.equal('{"' .. ("x"):rep(200) .. '"… (1000 bytes)}', shown({("x"):rep(1000)}, {width = 300}))
    assert.matches('"… %(900 bytes%)', shown({("日"):rep(300)}, {width = 300}))
  end)
end)

describe("other values at the prompt", function()
  it("are what they are", function()
    assert.equal("nil", shown(nil))
    assert.equal("1.0", shown(1.0))
    assert.equal("nnlua.float32", shown(nl.float32))
    assert.matches("^function %(.*pretty_spec.lua:%d+%)$", shown(function() end))
    assert.equal("{function (C)}", shown {string.rep})
    assert.equal("function (\\x1b[2J:0)", shown(load("return 1", "=\27[2J")))
    assert.equal("{\\x1b[2J(…)}", shown {nn.class "\27[2J"()})
  end)

  it("are tensors as PyTorch prints them, with a line about them", function()
    assert.equal("tensor([1., 1.])", shown(nl.ones(2)))
    assert.equal("tensor([1., 1.])\n[2 float32]", shown(nl.ones(2), {footers = true}))
    assert.equal("tensor([[0]])\n\27[2m[1x1 int64]\27[0m", shown(nl.tensor {{0}}, {footers = true, colours = true}))
    assert.equal("tensor(3)", shown(nl.tensor(3), {footers = true}))
    assert.matches("\n%[2 float32 requires_grad%]$", shown(nl.ones(2, {requires_grad = true}), {footers = true}))
  end)

  it("are tensors in tables in short", function()
    assert.equal("{tensor([1., 1.]), tensor(2x3 float32), w = tensor(100 int64)}",
      shown {nl.ones(2), nl.ones(2, 3), w = nl.arange(0, 100)})
  end)

  it("are modules with the number of their parameters", function()
    local net = nn.Sequential(nn.Linear(100, 100), nn.ReLU())
    assert.equal(tostring(net) .. "\n[10,100 parameters]", shown(net, {footers = true}))
    net:get_submodule("0").bias:requires_grad_(false)
    assert.matches("\n%[10,100 parameters, 10,000 of them trained%]$", shown(net, {footers = true}))
    assert.matches("%[parameters not made yet%]$", shown(nn.LazyLinear(3), {footers = true}))
    assert.equal("{net = Sequential(…)}", shown {net = net})
  end)
end)
