-- Sequential, ModuleList, ModuleDict.
local nl = require "nnlua"
local warnings = require "support.warnings"

local nn = nl.nn

local function names(module)
  local list = {}
  for name in module:named_children() do
    table.insert(list, name)
  end
  return list
end

local function some(n)
  local list = {}
  for i = 1, n do
    list[i] = nn.Linear(i, i)
  end
  return list
end

local function children(module)
  local list = {}
  for i, child in ipairs(module) do
    list[i] = child
  end
  return list
end

describe("Sequential", function()
  it("K1: names its modules by number, or as a list of pairs does", function()
    local seq = nn.Sequential(table.unpack(some(3)))
    assert.same({"0", "1", "2"}, names(seq))
    seq = nn.Sequential({{"fc", nn.Linear(1, 2)}, {"act", nn.ReLU()}})
    assert.same({"fc", "act"}, names(seq))
    assert.equal(seq.fc, seq[1])
    assert.error_matches(function() nn.Sequential({fc = nn.ReLU()}) end, "has no order; give a list of pairs")
    assert.error_matches(function() nn.Sequential({nn.ReLU()}) end, "or with names as a list of pairs")
    assert.error_matches(function() nn.Sequential(nn.ReLU(), 3) end, "a module was expected, got a number")
  end)

  it("K1: empty it is the identity", function()
    local x = nl.ones(2)
    assert.equal(x, nn.Sequential()(x))
    assert.equal(0, #nn.Sequential())
  end)

  it("K1: takes nil, which fails when called", function()
    local seq = nn.Sequential(nn.ReLU(), nil)
    assert.equal(2, #seq)
    assert.is_nil(seq[2])
    assert.error_matches(function() seq(nl.ones(1)) end, "is nil")
  end)

  it("runs its modules one after the other", function()
    local Add = nn.class("Add")
    function Add:init(n) self.n = n end
    function Add:forward(x) return x * 10 + self.n end
    assert.equal(123, nn.Sequential(Add(1), Add(2), Add(3))(0))
  end)

  it("K2: is indexed from 1, and from the end", function()
    local list = some(3)
    local seq = nn.Sequential(table.unpack(list))
    assert.equal(list[1], seq[1])
    assert.equal(list[3], seq[-1])
    assert.equal(list[1], seq[-3])
    assert.equal(3, #seq)
    assert.is_nil(seq[4])
    assert.error_matches(function() return seq[5] end, "index 5 is out of range, there are 3 entries")
    assert.error_matches(function() return seq[0] end, "index 0 is out of range.*counted from 1")
    assert.error_matches(function() return seq[-4] end, "out of range")
    assert.error_matches(function() return seq[1.5] end, "an index is an integer")
    assert.same(list, children(seq))
  end)

  it("K2: a slice keeps names and class", function()
    local Mine = nn.class("Mine", nn.Sequential)
    local seq = Mine(table.unpack(some(4)))
    local part = seq[{2, 3}]
    assert.same({"1", "2"}, names(part))
    assert.is_true(part:is_a(Mine))
    assert.equal(seq[2], part[1])
    assert.same({"2", "3"}, names(seq[{3}]))
    assert.equal(4, #seq[{}])
    assert.same({"0", "2"}, names(seq[{1, 4, 2}]))
    assert.same({"2", "3"}, names(seq[{-2, 9}]))
    assert.equal(0, #seq[{3, 2}])
  end)

  it("K2: assigning by index keeps the name; deleting numbers anew", function()
    local seq, new = nn.Sequential({{"a", nn.ReLU()}, {"b", nn.ReLU()}, {"c", nn.Identity()}}), nn.ReLU()
    seq[2] = new
    assert.same({"a", "b", "c"}, names(seq))
    assert.equal(new, seq.b)
    seq:delete(1)
    assert.same({"0", "1"}, names(seq))
    assert.equal(new, seq[1])
    seq = nn.Sequential(table.unpack(some(4)))
    seq:delete({2, 3})
    assert.same({"0", "1"}, names(seq))
    assert.error_matches(function() seq:delete(3) end, "out of range")
    assert.error_matches(function() seq[1] = 3 end, "a module was expected, got a number")
  end)

  it("K3: append, insert, extend return the container", function()
    local a, b, c, d = table.unpack(some(4))
    local seq = nn.Sequential(a)
    assert.equal(seq, seq:append(b))
    assert.equal(seq, seq:insert(1, c))
    assert.equal(seq, seq:extend(nn.Sequential(d)))
    assert.same({c, a, b, d}, children(seq))
    assert.same({"0", "1", "2", "3"}, names(seq))
    local new = nn.ReLU()
    seq:insert(5, new)
    assert.equal(new, seq[5])
    seq:insert(-1, nn.Identity())
    assert.equal(new, seq[6])
    assert.error_matches(function() seq:insert(9, nn.ReLU()) end, "out of range")
  end)

  it("K3: append finds a free number, insert moves numbers only", function()
    local seq = nn.Sequential(table.unpack(some(3)))[{2}]
    seq:append(nn.ReLU())
    assert.same({"1", "2", "3"}, names(seq))
    assert.error_matches(function() seq:insert(1, nn.ReLU()) end, "a child is called '1'")
  end)

  it("K3: a new place at the end can be assigned", function()
    local seq = nn.Sequential()
    seq[#seq + 1] = nn.ReLU()
    seq[#seq + 1] = nn.Identity()
    assert.same({"0", "1"}, names(seq))
  end)

  it("K3: + joins, * repeats the same modules", function()
    local a, b = nn.Sequential(nn.ReLU()), nn.Sequential(nn.Identity())
    local sum = a + b
    assert.same({a[1], b[1]}, children(sum))
    assert.equal(1, #a)
    local product = sum * 2
    assert.same({a[1], b[1], a[1], b[1]}, children(product))
    assert.equal(4, #(2 * sum))
    assert.error_matches(function() return a * 0 end, "the factor must be from 1 to 65536, not 0")
    assert.error_matches(function() return a * "x" end, "multiplied by an integer only")
    assert.error_matches(function() return a + 3 end, "can't be joined")
  end)

  it("K3: pop takes one out", function()
    local list = some(3)
    local seq = nn.Sequential(table.unpack(list))
    assert.equal(list[3], seq:pop())
    assert.equal(list[1], seq:pop(1))
    assert.same({"0"}, names(seq))
    assert.error_matches(function() seq:pop(2) end, "out of range")
  end)
end)

describe("ModuleList", function()
  it("K4: is made from a list, a container or an iterator", function()
    local list = some(3)
    assert.same(list, children(nn.ModuleList(list)))
    assert.same(list, children(nn.ModuleList(nn.Sequential(table.unpack(list)))))
    assert.same(list, children(nn.ModuleList(nn.Sequential(table.unpack(list)):children())))
    assert.error_matches(function() nn.ModuleList(3) end, "a list of modules was expected, got a number")
    assert.error_matches(function() nn.ModuleList {1} end, "a module was expected, got a number")
  end)

  it("K4: a slice is numbered anew", function()
    local list = nn.ModuleList(some(3))
    local part = list[{2, 3}]
    assert.same({"0", "1"}, names(part))
    assert.is_true(part:is_a(nn.ModuleList))
    assert.equal(list[2], part[1])
  end)

  it("K4: set, delete, append, extend, insert, pop, +", function()
    local a, b, c, d = table.unpack(some(4))
    local list = nn.ModuleList()
    list:append(a):extend({b, c})
    list[1] = d
    assert.same({d, b, c}, children(list))
    list:delete(2)
    assert.same({"0", "1"}, names(list))
    list:insert(-1, b)
    assert.same({d, b, c}, children(list))
    assert.equal(c, list:pop())
    assert.same({d, b, a}, children(list + nn.ModuleList {a}))
    assert.error_matches(function() list:append(1) end, "a module was expected, got a number")
    assert.error_matches(function() return list["x" .. 1] * 2 end, "nil")
  end)

  it("K4: iterates modules", function()
    local list, seen = nn.ModuleList(some(3)), {}
    for i, m in pairs(list) do
      seen[i] = m
    end
    assert.same(children(list), seen)
  end)
end)

describe("ModuleDict", function()
  it("K5: is made from a table, pairs or another one", function()
    local _, dict = warnings.of(nn.ModuleDict, {b = nn.ReLU(), a = nn.Identity()})
    assert.same({"a", "b"}, names(dict))
    dict = nn.ModuleDict {{"b", nn.ReLU()}, {"a", nn.Identity()}}
    assert.same({"b", "a"}, names(dict))
    assert.same({"b", "a"}, names(nn.ModuleDict(dict)))
    assert.equal(2, #dict)
    assert.equal(dict.a, dict["a"])
    assert.is_nil(dict.missing)
    assert.error_matches(function() nn.ModuleDict(3) end, "a table of modules was expected")
  end)

  it("K5: its names hide no method and have no dot", function()
    local dict = nn.ModuleDict()
    for _, name in ipairs {"type", "keys", "train"} do
      assert.error_matches(function() dict[name] = nn.ReLU() end, "has a method or field of that name")
      assert.error_matches(function() nn.ModuleDict {[name] = nn.ReLU()} end, "has a method or field")
    end
    assert.error_matches(function() dict["a.b"] = nn.ReLU() end, "dot")
    assert.error_matches(function() dict:update {x = 3} end, "a module was expected, got a number")
  end)

  it("K5: update, pop, clear, contains, keys, values, items", function()
    local dict = nn.ModuleDict()
    dict.a = nn.ReLU()
    dict.b = nn.Identity()
    local b = dict.b
    dict:update {b = nn.ReLU(), c = nn.ReLU()}
    assert.not_equal(b, dict.b)
    assert.is_true(dict:contains("c"))
    assert.is_false(dict:contains("train"))
    local seen = {}
    for name, module in dict:items() do seen[name] = module end
    assert.same({a = dict.a, b = dict.b, c = dict.c}, seen)
    seen = {}
    for name in dict:keys() do table.insert(seen, name) end
    assert.same({"a", "b", "c"}, seen)
    seen = {}
    for module in dict:values() do table.insert(seen, module) end
    assert.same({dict.a, dict.b, dict.c}, seen)
    for name, module in pairs(dict) do assert.equal(dict[name], module) end
    local a = dict.a
    assert.equal(a, dict:pop("a"))
    assert.error_matches(function() dict:pop("a") end, "there is no module 'a'")
    dict:clear()
    assert.equal(0, #dict)
  end)
end)
