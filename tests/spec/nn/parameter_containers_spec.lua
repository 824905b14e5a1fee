-- ParameterList and ParameterDict (module_semantics K6, P4).
local nl = require "nnlua"
local warnings = require "support.warnings"

local nn = nl.nn

local function keys(map)
  local list = {}
  for key in pairs(map) do table.insert(list, key) end
  return list
end

describe("K6: a ParameterList", function()
  it("makes parameters of tensors and keeps other values", function()
    local list = nn.ParameterList {nn.Parameter(nl.zeros(2, 3)), nl.zeros(4), 5, "a"}
    assert.equal(4, #list)
    assert.is_true(list[2].requires_grad)
    assert.same({5, "a"}, {list[3], list[-1]})
    assert.same({"0", "1"}, keys(list:state_dict()))
  end)

  it("shares its parameters with its slices", function()
    local list = nn.ParameterList {nl.zeros(1), nl.zeros(2), nl.zeros(3)}
    local part = list[{2, 3}]
    assert.equal(list[2], part[1])
    assert.same({"0", "1"}, keys(part:state_dict()))
  end)

  it("grows at its end only", function()
    local list = nn.ParameterList():append(nl.zeros(1)):extend {nl.zeros(2)}
    list[3] = nl.zeros(3)
    list[1] = nl.ones(1)
    assert.equal(3, #list)
    assert.equal(1, list[1]:item())
    assert.equal(4, #(list + nn.ParameterList {nl.zeros(1)}))
    assert.is_nil(list[4])
    assert.error_matches(function() return list[5] end, "index 5 is out of range, there are 3 entries")
    assert.error_matches(function() list:extend(nl.zeros(1)) end, "a list of parameters was expected")
    local count = 0
    for i, p in ipairs(list) do count = count + p:numel() * i end
    assert.equal(1 + 4 + 9, count)
  end)

  it("has no forward", function()
    assert.error_matches(function() nn.ParameterList {nl.zeros(1)}(1) end, "no forward")
  end)

  it("P4: prints each entry", function()
    local list = nn.ParameterList {nl.zeros(2, 3), nl.zeros(4), 5}
    assert.equal("ParameterList(\n    (0): Parameter containing: [nnlua.float32 of size 2x3]\n"
      .. "    (1): Parameter containing: [nnlua.float32 of size 4]\n    (2): Object of type: number\n)", tostring(list))
  end)
end)

describe("K6: a ParameterDict", function()
  it("takes a table in alphabetical order and pairs in theirs", function()
    local _, dict = warnings.of(nn.ParameterDict, {b = nl.zeros(1), a = nl.zeros(2)})
    assert.same({"a", "b"}, keys(dict))
    assert.same({"b", "a"}, keys(nn.ParameterDict {{"b", nl.zeros(1)}, {"a", nl.zeros(2)}}))
  end)

  it("is asked and changed by name", function()
    local dict = nn.ParameterDict {a = nl.zeros(1)}
    assert.equal(7, dict:get("z", 7))
    assert.is_true(dict:setdefault("b", nl.ones(2)).requires_grad)
    dict:set("a", nl.ones(1))
    assert.same({"a", "b"}, keys(dict))
    assert.same({true, false}, {dict:contains "a", dict:contains "z"})
    local b = dict.b
    assert.equal(b, dict:pop "b")
    assert.is_nil(dict.b)
    assert.error_matches(function() dict:pop "b" end, "no entry 'b'")
    assert.error_matches(function() dict:set("forward", nl.zeros(1)) end, "method or field")
    local name = dict:popitem()
    assert.same({"a", 0}, {name, #dict})
  end)

  it("joins, copies and starts from keys", function()
    local dict = nn.ParameterDict {a = nl.zeros(1)} | {b = nl.zeros(2)}
    assert.same({"a", "b"}, keys(dict))
    assert.equal(dict.a, dict:copy().a)
    assert.same({1, 2}, {dict:fromkeys({"x", "y"}, 1).x, #dict:fromkeys({"x", "y"}, 1)})
    dict:clear()
    assert.equal(0, #dict)
    assert.same({}, keys(dict:state_dict()))
  end)
end)
