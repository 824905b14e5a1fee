-- Userdata of each kind are told from each other, wherever they are given.
local nl = require "nnlua"
local process = require "support.process"
local userdata = require "support.userdata"

local folder = process.nnlua:match "^(.*)/[^/]*$" or "."

describe("userdata", function()
  it("of every kind may be given as every argument", function()
    local faults = {}
    userdata.try_all(function(text) table.insert(faults, text) end)
    assert.same({}, faults)
  end)

  it("may be so in a C host, whose allocator hides nothing", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write [[
      package.path = "tests/?.lua;" .. package.path
      local n = 0
      require "support.userdata".try_all(function(text) n = n + 1 print(text) end)
      print(n .. " faults")
    ]]
    file:close()
    local result = process.run {folder .. "/nnlua_script", path}
    os.remove(path)
    assert.equal("0 faults\n", result.stdout .. result.stderr)
    assert.equal(0, result.code)
  end)

  it("lists whose length is beyond all memory are told", function()
    local powers = {}
    for bit = 2, 61 do table.insert(powers, ("[1 << %d] = 1"):format(bit)) end
    local long = load("return {1, 2, [3] = 3, " .. table.concat(powers, ", ") .. "}")()
    for _, f in ipairs {"permute", "cat"} do
      local list = f == "cat" and {long} or {nl.ones(2), long}
      assert.error_matches(function() nl[f](table.unpack(list)) end, f .. ": a list of 2305843009213693952 elements is")
    end
  end)

  it("nl.newaxis and nl.ellipsis are no sizes", function()
    for _, value in ipairs {nl.newaxis, nl.ellipsis} do
      assert.error_matches(function() nl.zeros(value) end, "argument 'size': a list of integers expected, got nl%.")
      assert.error_matches(function() nl.tensor(value) end, "tensor: ")
      assert.error_matches(function() nl.ones(2):view(value) end, "got nl%.")
    end
  end)

  it("of hooks and modes are what their methods take, and nothing else", function()
    local x = nl.ones(2, {requires_grad = true})
    local remove, close = x:register_hook(function() end).remove, nl.no_grad().close
    nl._reset_modes()
    for _, given in ipairs(userdata.values()) do
      local ok, message = pcall(remove, given[2])
      assert.is_true(ok or message:find "the handle of a hook expected" ~= nil, message)
      ok, message = pcall(close, given[2])
      assert.is_true(ok or message:find "a mode was expected" ~= nil, message)
    end
  end)
end)

-- The debug library can give our values other metatables, user values and upvalues. What is read of them at each call
-- is checked.
describe("the debug library", function()
  local junk = {1, true, "text", print, io.stdout}

  local function refused(f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    assert.equal("string", type(message))
  end

  --- Runs a text in an interpreter of its own, which must end as it says. What lost its metatable is never released.
  local function runs(text)
    local code = "local nl = require 'nnlua' local nn = nl.nn " .. text
    local result = process.run({process.nnlua, "-e", code}, {env = {ASAN_OPTIONS = "detect_leaks=0"}})
    assert.equal("done\n", result.stdout .. result.stderr)
    assert.equal(0, result.code)
  end

  it("may call metamethods with anything", function()
    local x = nl.ones(2, {requires_grad = true})
    for _, value in ipairs {x, x.shape, nl.float32, (x * 2).grad_fn, nl.Generator(), nl.newaxis, nl.nn.Linear(2, 2)} do
      for name, f in pairs(debug.getmetatable(value)) do
        if type(f) == "function" and name ~= "__gc" then
          for _, given in ipairs(junk) do
            pcall(f, given)
            pcall(f, given, "weight", given)
          end
        end
      end
    end
    refused(debug.getmetatable(nl.nn.Linear(2, 2)).__call, x.shape)
    refused(debug.getmetatable(nl.nn.Linear(2, 2)).__index, x.shape, "weight")
    refused(debug.getmetatable(nl.nn.Linear(2, 2)).__newindex, x.shape, "weight", 1)
  end)

  it("may change metatables", function()
    runs [[
      local x = nl.ones(2, {requires_grad = true})
      local values = {x * 2, x.shape, nl.Generator(), (x * 2).grad_fn, nn.Linear(2, 2), x:register_hook(type)}
      for _, v in ipairs(values) do
        for _, other in ipairs(values) do
          if v ~= other then
            debug.setmetatable(v, debug.getmetatable(other))
            for _, f in ipairs {tostring, function() return v.weight, v:size() end, function() v.weight = 1 end,
              function() return v + 1 end, function() return v(x) end, function() return v[1], #v end} do pcall(f) end
          end
        end
      end
      collectgarbage()
      print "done"
    ]]
  end)

  -- What a call of a mode or a scope has on its stack serves later calls, too.
  it("gives no way to end another call's mode or scope", function()
    local function of_call()
      local name, value = debug.getlocal(3, 1)
      assert.equal("(C temporary)", name)
      return value
    end
    local function close(value) local _ <close> = value end
    local function fails(with, f, ...)
      local ok, message = pcall(f, ...)
      assert.is_false(ok)
      assert.truthy(message:find(with, 1, true), message)
    end
    local calls = {
      no_grad = function(f) nl.no_grad(f) end,
      enable_grad = function(f) nl.enable_grad(f) end,
      inference_mode = function(f) nl.inference_mode(f) end,
      scope = function(f) nl.scope(f) end,
    }
    for name, call in pairs(calls) do
      local why = name == "scope" and "close: this scope is a call's, which ends it itself"
        or "close: this mode is a call's, which ends it itself"
      local kept
      call(function()
        kept = of_call()
        assert.equal("userdata", type(kept))
        fails(why, close, kept)
      end)
      fails(why, close, kept)
      call(function()
        local before = nl.is_grad_enabled()
        fails(why, close, kept)
        fails(why, coroutine.wrap(close), kept)
        assert.equal(before, nl.is_grad_enabled())
      end)
      assert.is_true(nl.is_grad_enabled())
      -- what ends a call otherwise still does
      for _, problem in ipairs {"stop", false} do
        assert.is_false((pcall(call, function() error(problem or nil, 0) end)))
        assert.is_true(nl.is_grad_enabled())
      end
      local co = coroutine.create(function() call(coroutine.yield) end)
      coroutine.resume(co)
      assert.is_true(coroutine.close(co))
      assert.is_true(nl.is_grad_enabled())
    end
    nl.scope(function()
      local scope = of_call()
      fails("this scope is a call's", scope.close, scope)
      fails("this mode is a call's", close, (debug.getuservalue(scope, 1)))
    end)
    local block <close> = nl.scope()
    fails("this mode is a call's", close, (debug.getuservalue(block, 1)))
  end)

  it("may change user values", function()
    runs [[
      local x = nl.ones(2, {requires_grad = true})
      for _, junk in ipairs {1, true, "text", {}, type, x, nn} do
        for place = 1, 3 do
          for _, v in ipairs {x * 2, (x * 2).grad_fn, nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2))} do
            debug.setuservalue(v, junk, place)
            for _, f in ipairs {function() return v(x) end, function() return v.weight, v.next_functions end,
              function() return v + 1, v:view(-1) end, function() v.bias = nil end,
              function() return v:parameters() end,
              function() return v:register_hook(type) end, function() v:sum():backward() end, tostring} do
              pcall(f, v)
            end
          end
        end
      end
      collectgarbage()
      print "done"
    ]]
  end)

  it("may change upvalues", function()
    runs [[
      local x, net = nl.ones(2), nn.Linear(2, 2)
      local meta = debug.getmetatable(x)
      for _, junk in ipairs {1, true, "text", print, io.stdout, x, net} do
        local make = debug.getmetatable(nn.Linear).__call
        for _, f in ipairs {nl.add, nl.max, nl.split, meta.__index, meta.__newindex, make} do
          for place = 1, 2 do
            local name, old = debug.getupvalue(f, place)
            if name then
              debug.setupvalue(f, place, junk)
              pcall(f, x, x) pcall(f, x, "shape") pcall(f, x, 1) pcall(f, nn.Linear, 2, 2)
              debug.setupvalue(f, place, old)
              pcall(debug.setuservalue, old, junk, 1)
              pcall(f, x, x)
            end
          end
        end
      end
      print "done"
    ]]
  end)
end)
