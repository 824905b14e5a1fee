local nl = require "nnlua"
local chunk = require "nnlua.prompt.chunk"
local completion = require "nnlua.prompt.completion"
local similar = require "nnlua.prompt.similar"

local locals

--- What Tab offers at the end of a text, and the text before it.
local function offered(text)
  local from, candidates = completion.complete(text, #text + 1, locals)
  return candidates, text:sub(1, from - 1)
end

local function set_local(name, value)
  chunk.set(locals, name, value)
end

local function has(candidates, name)
  for _, one in ipairs(candidates) do
    if one == name then return true end
  end
  return false
end

describe("completion", function()
  before_each(function() locals = chunk.new_locals() end)

  it("offers keywords, globals and local variables of the session", function()
    assert.same({"function"}, (offered "func"))
    assert.same({"tonumber", "tostring"}, (offered "x = to"))
    set_local("weights", 1)
    local candidates, before = offered "1 + wei"
    assert.same({"weights"}, candidates)
    assert.equal("1 + ", before)
  end)

  it("offers all at the beginning, nothing behind an operator alone", function()
    assert.is_true(has(offered "", "print"))
    assert.same({}, (offered "x = "))
  end)

  it("offers the fields of tables, by way of __index too", function()
    set_local("t", setmetatable({alpha = 1, [1] = 2}, {__index = {along = 2}}))
    assert.same({"along", "alpha"}, (offered "t.al"))
    assert.same({"huge"}, (offered "math.hu"))
    set_local("deep", {inner = {leaf = 1}})
    assert.same({"leaf"}, (offered "deep.inner."))
    assert.same({}, (offered "deep.nothing."))
  end)

  it("quotes keys that are no names", function()
    set_local("d", {["odd key"] = 1, ["end"] = 2, open = 3, ["a.b"] = 4})
    local candidates, before = offered "x = d.o"
    assert.same({".open", '["odd key"]'}, candidates)
    assert.equal("x = d", before)
    assert.same({'["end"]'}, (offered "d.e"))
    candidates, before = offered 'd["o'
    assert.same({'odd key"]', 'open"]'}, candidates)
    assert.equal('d["', before)
    assert.same({"a.b']"}, (offered "d['a"))
    local net = nl.nn.Sequential(nl.nn.Linear(2, 3))
    set_local("net", net)
    assert.is_false(has(offered "net.", "0"))
  end)

  it("looks through indices", function()
    set_local("net", nl.nn.Sequential(nl.nn.Linear(2, 3), nl.nn.ReLU()))
    set_local("t", {{leaf = 1}, name = {["a key"] = {inner = 2}}})
    assert.same({"weight"}, (offered "net[1].wei"))
    assert.is_true(has(offered "net[1].weight[1]:", "softmax"))
    assert.same({}, (offered "net[2].wei"))
    assert.same({"leaf"}, (offered "t[1].l"))
    assert.same({"inner"}, (offered 't.name["a key"].i'))
    assert.same({"inner"}, (offered "(t.name)['a key'].i"))
    assert.is_true(has(offered "net(x):", "softmax"))
    assert.same({"gsub"}, (offered '("text"):gsu'))
  end)

  it("offers the options that a call takes, without those it has", function()
    set_local("nl", nl)
    local candidates, before = offered "nl.nn.Linear(1, 2, {b"
    assert.same({"bias = "}, candidates)
    assert.equal("nl.nn.Linear(1, 2, {", before)
    assert.same({"bias = ", "device = ", "dtype = "}, (offered "nl.nn.Linear(1, 2, {"))
    assert.same({"device = ", "dtype = "}, (offered "nl.nn.Linear(1, 2, {bias = false, "))
    assert.same({"keepdim = "}, (offered "nl.ones(2):sum(1, {keep"))
    assert.same({"momentum = "}, (offered "nl.optim.SGD(f(1, {2, 3}), {lr = 0.1, mom"))
    assert.is_true(has(offered "nl.nn.Linear(1, 2, {bias = f", "false"))
    assert.same({}, (offered "f({"))
  end)

  it("offers only functions after a colon", function()
    set_local("t", {alpha = 1, along = function() end})
    assert.same({"along"}, (offered "t:"))
  end)

  it("offers methods of strings", function()
    set_local("s", "text")
    assert.is_true(has(offered "s:", "gsub"))
  end)

  it("hides names with an underscore in front until it is typed", function()
    set_local("t", {_hidden = 1, open = 2})
    assert.same({"open"}, (offered "t."))
    assert.same({"_hidden"}, (offered "t._"))
  end)

  it("offers a tensor's methods and properties", function()
    set_local("x", nl.ones(2))
    assert.is_true(has(offered "x:", "softmax"))
    assert.is_false(has(offered "x:", "shape"))
    assert.same({"shape"}, (offered "x.sha"))
    set_local("y", nl.ones(2))
    assert.is_true(has(offered "y.shape:", "unpack"))
  end)

  it("offers a module's children, attributes and methods", function()
    local net = nl.nn.Sequential(nl.nn.Linear(2, 3))
    net.encoder = nl.nn.Linear(3, 4)
    set_local("net", net)
    assert.same({"encoder"}, (offered "net.enc"))
    assert.is_true(has(offered "net:", "parameters"))
    assert.same({"weight"}, (offered "net.encoder.wei"))
    assert.is_true(has(offered "net.encoder.weight:", "backward"))
  end)

  it("knows what calls of the core and of classes give", function()
    set_local("nl", nl)
    assert.is_true(has(offered "nl.ones(2, 3):", "softmax"))
    assert.is_true(has(offered "nl.nn.Linear(2, 3):", "state_dict"))
    assert.is_true(has(offered "nl.nn.", "Linear"))
    assert.is_true(has(offered "nl.", "optim"))
  end)

  it("runs none of the user's code", function()
    local ran = false
    local function run() ran = true end
    set_local("t", setmetatable({}, {__index = run, __pairs = run, __call = run}))
    set_local("f", run)
    assert.same({}, (offered "t."))
    assert.same({}, (offered "t.a."))
    assert.same({}, (offered "f()."))
    local net = nl.nn.class("Watched")
    net.__index = run
    assert.is_false(ran)
  end)

  it("offers modules for require", function()
    assert.is_true(has(offered 'require "nnlua.n', "nnlua.nn"))
    assert.is_true(has(offered "require('nnlua.n", "nnlua.nn"))
  end)

  it("offers modules that lie on package.path", function()
    local path, original = package.path, completion.list_folder
    finally(function() package.path, completion.list_folder = path, original end)
    package.path = "./?.lua;./lib/?/init.lua"
    local folders = {
      ["."] = {["mymodel.lua"] = false, ["mydata"] = true, ["my.txt"] = false},
      ["./"] = {["mymodel.lua"] = false, ["mydata"] = true, ["my.txt"] = false},
      [".//mydata"] = {["loader.lua"] = false}, ["./mydata/"] = {["loader.lua"] = false},
      ["./lib/"] = {mypack = true, myother = true}, ["./lib//mypack"] = {["init.lua"] = false},
    }
    completion.list_folder = function(folder) return folders[folder] or {} end
    assert.same({"mydata.", "mymodel", "mypack"}, (offered 'require "my'))
    assert.same({"mydata.loader"}, (offered 'require("mydata.'))
  end)

  it("offers files in strings, folders with a slash", function()
    local given
    local original = completion.list_folder
    finally(function() completion.list_folder = original end)
    completion.list_folder = function(path)
      given = path
      return {data = true, ["data.csv"] = false, [".hidden"] = false, other = false}
    end
    local candidates, before = offered 'io.open "da'
    assert.same({"data.csv", "data/"}, candidates)
    assert.equal('io.open "', before)
    assert.equal(".", given)
    assert.same({"/tmp/data.csv", "/tmp/data/"}, (offered "f('/tmp/d"))
    assert.equal("/tmp/", given)
    assert.is_false(has(offered 'f "', ".hidden"))
    assert.same({"./.hidden"}, (offered 'f "./.'))
    assert.same({"data.csv", "data/"}, (offered ":load da"))
  end)

  it("offers the prompt's commands", function()
    assert.same({"time"}, (offered ":ti"))
    assert.is_true(has(offered ":", "bench"))
    set_local("weights", 1)
    assert.same({"weights"}, (offered ":time weig"))
    assert.same({"weight_norm", "weights"}, (offered "?weig"))
    assert.same({"weights"}, (offered ":forget x, weig"))
    assert.same({"depth"}, (offered ":set dep"))
    local candidates, before = offered "?cross_en"
    assert.same({"cross_entropy"}, candidates)
    assert.equal("?", before)
    assert.same({"weights"}, (offered "=weig"))
  end)

  it("offers nothing in comments, and survives any text", function()
    assert.same({}, (offered "x -- pri"))
    for _, text in ipairs {"(", ")", "))):", "a.b.c.d.", "[[", "[==[ x", "'\\", "1.", "1..", ":", "?", "=", "::", "é.",
      "\xff\xfe.", "f(]).", "x:y:z", ")."} do
      assert.is_table((offered(text)))
    end
  end)
end)

describe("the signature of what is being called", function()
  before_each(function()
    locals = chunk.new_locals()
    set_local("nl", nl)
    set_local("x", nl.ones(2))
  end)

  local function hint(text)
    return completion.hint(text, #text + 1, locals)
  end

  it("is that of the innermost open call", function()
    assert.equal("nl.sum(input, dim?, keepdim = false, dtype?)", hint "nl.sum(")
    assert.equal("x:sum(dim?, keepdim = false, dtype?)", hint "y = x:sum(1, {keep")
    assert.matches("^nn%.Linear%(in_features", hint "nl.relu(nl.nn.Linear(2, (3 + 4), ")
    assert.equal("nl.relu(input, inplace = false)", hint "nl.relu(nl.nn.Linear(2, 3)(x), ")
    set_local("net", nl.nn.Sequential(nl.nn.Linear(2, 3)))
    assert.equal("x:sum(dim?, keepdim = false, dtype?)", hint "net[1].weight:sum(")
  end)

  it("is none where nothing known is called", function()
    for _, text in ipairs {
      "", "nl.sum", "nl.sum(x)", "print(", "(1 + ", "f(", "'nl.sum('", "nl.sum(x) if (", ")(",
    } do
      assert.is_nil(hint(text), text)
    end
  end)
end)

describe("the nearest name", function()
  local names = {print = true, pairs = true, ipairs = true, weight = true, tostring = true}

  it("has few letters changed, added, missing or swapped", function()
    assert.equal("print", similar.nearest("pritn", names))
    assert.equal("print", similar.nearest("prnt", names))
    assert.equal("weight", similar.nearest("wieght", names))
    assert.equal("tostring", similar.nearest("toString", names))
    assert.equal("weight", similar.nearest("Weight", names))
  end)

  it("is none if all are far", function()
    assert.is_nil(similar.nearest("zzz", names))
    assert.is_nil(similar.nearest("x", names))
    assert.is_nil(similar.nearest("print", {print = true}))
  end)
end)
