-- Plain Lua programs, none of which knows of nnlua, behave as under the stock interpreter.
local process = require "support.process"

local function prints(expected, program)
  local lua, nnlua = process.run_both {"-e", program}
  assert.same(lua, nnlua)
  assert.same({stdout = expected, stderr = "", code = 0}, nnlua)
end

local function same(program)
  local lua, nnlua = process.run_both {"-e", program}
  assert.same(lua, nnlua)
  assert.equal(0, nnlua.code)
end

describe("a script", function()
  it("finds the globals and libraries of Lua and no others", function()
    same [[
      local names = {}
      for name in pairs(_G) do table.insert(names, name) end
      for name in pairs(package.loaded) do table.insert(names, "loaded " .. name) end
      table.sort(names)
      print(table.concat(names, "\n"))
    ]]
  end)

  it("looks for modules where Lua does", function()
    same "print(package.path, package.cpath, package.config)"
    same "print(#package.searchers, _VERSION, math.maxinteger, math.pi)"
  end)

  it("has nnlua at hand, not loaded", function()
    local program = "print(type(package.preload.nnlua), package.loaded.nnlua, nl, nn, F, optim)"
    local result = process.run_nnlua {"-e", program}
    assert.equal("function\tnil\tnil\tnil\tnil\tnil\n", result.stdout)
  end)
end)

describe("the collector", function()
  it("is generational to begin with", function()
    prints("generational\n", "print(collectgarbage 'incremental')")
  end)

  it("changes its mode and names the one before", function()
    prints("generational incremental incremental generational\n", [[
      local modes = {}
      for _, mode in ipairs {"incremental", "incremental", "generational", "generational"} do
        table.insert(modes, collectgarbage(mode))
      end
      print(table.concat(modes, " "))
    ]])
  end)

  it("stops, restarts and steps", function()
    prints("true false true 0\n", [[
      local before = collectgarbage "isrunning"
      collectgarbage "stop"
      local stopped = collectgarbage "isrunning"
      collectgarbage "restart"
      print(("%s %s %s %d"):format(before, stopped, collectgarbage "isrunning", collectgarbage()))
    ]])
  end)

  it("clears weak tables and calls finalizers in reverse order", function()
    prints("nil\n3 2 1\n", [[
      local weak = setmetatable({}, {__mode = "v"})
      weak[1] = {}
      local order = {}
      for i = 1, 3 do
        setmetatable({}, {__gc = function() table.insert(order, i) end})
      end
      collectgarbage()
      print(weak[1])
      print(table.concat(order, " "))
    ]])
  end)
end)

describe("coroutines", function()
  it("pass values both ways", function()
    prints("1\ta\n3\tb\n6\tc\nfalse\tcannot resume dead coroutine\n", [[
      local co = coroutine.create(function(sum)
        for _, name in ipairs {"a", "b"} do sum = sum + coroutine.yield(sum, name) end
        return sum, "c"
      end)
      for i = 1, 3 do print(select(2, coroutine.resume(co, i))) end
      print(coroutine.resume(co))
    ]])
  end)

  it("yield across pcall, metamethods and iterators", function()
    prints("1\t2\t3\tdone\n", [[
      local object = setmetatable({}, {__add = function(_, n) coroutine.yield(n) return n + 1 end})
      local co = coroutine.wrap(function()
        pcall(function() coroutine.yield(1) error "caught" end)
        local three = object + 2
        for n in function(_, last) if not last then return coroutine.yield(three) end end do print(n) end
        return "done"
      end)
      print(co(), co(), co(), co())
    ]])
  end)

  it("close their pending variables", function()
    prints("closed\ntrue\ndead\n", [[
      local co = coroutine.create(function()
        local guard <close> = setmetatable({}, {__close = function() print "closed" end})
        coroutine.yield()
      end)
      coroutine.resume(co)
      print(coroutine.close(co))
      print(coroutine.status(co))
    ]])
  end)

  it("keep their own traceback", function()
    same [[
      local co = coroutine.create(function() local x = nil; x() end)
      print(coroutine.resume(co))
      print(debug.traceback(co))
    ]]
  end)
end)

describe("errors", function()
  it("keep their value through pcall, error and xpcall", function()
    prints("true\nfalse\ttext\nfalse\tnil\nhandled 12\n", [[
      local object = {}
      print(select(2, pcall(error, object)) == object)
      print(pcall(error, "text"))
      print(pcall(error))
      print(select(2, xpcall(function() error(12) end, function(e) return "handled " .. e end)))
    ]])
  end)

  it("name their place by level", function()
    same [[
      local function at(level) error("here", level) end
      for level = 0, 2 do print(pcall(function() at(level) end)) end
    ]]
  end)

  it("name the variable that was wrong", function()
    same [[
      for _, text in ipairs {"local a; a.b = 1", "a.b.c = 1", "return {} + 1", "return #5", "return 1 < 'x'",
                             "return 2^53 | 0.5", "return 1 // 0", "return ('x'):nope()", "string.rep()"} do
        print(pcall(load(text)))
      end
    ]]
  end)
end)

describe("the language", function()
  it("keeps integers and floats apart", function()
    same "print(7 // 2, 7.0 // 2, 2^31, 1 << 63, 10 / 2, 3 | 4, math.type(3.0), '10' + 5, 0x7fffffffffffffff + 1)"
  end)

  it("has goto, attributes, integer division and varargs", function()
    prints("1 3 5\n3\tnil\tz\n", [[
      local odd <const> = {}
      for i = 1, 5 do
        if i % 2 == 0 then goto continue end
        table.insert(odd, i)
        ::continue::
      end
      print(table.concat(odd, " "))
      print((function(...) return select("#", ...), (select(2, ...)), (select(-1, ...)) end)("x", nil, "z"))
    ]])
  end)

  it("has the libraries whole", function()
    same [[
      print(string.format("%5.2f|%q|%-5s|%x", 3.14159, "a\nb", "ab", 255), ("x y z"):gsub("%w", "%0%0"))
      print(utf8.char(228, 8364), utf8.len "äöü", string.pack("<i4", 7):byte(1, -1))
      print(table.unpack(table.move({1, 2, 3}, 1, 3, 2)))
      print(os.time {year = 2020, month = 1, day = 1, hour = 12}, os.getenv "NO_SUCH_VARIABLE")
      print(load("return ...", "chunk", "t", {})(1), math.tointeger "8", tostring(1e15), 2^63)
      math.randomseed(42)
      print(math.random(100), math.random(100), math.random())
    ]]
  end)

  it("reads and writes files and pipes", function()
    same [[
      local name = os.tmpname()
      local file <close> = io.open(name, "w+")
      print(file:write("one\n", 2, "\n"):seek "set")
      for line in file:lines() do print(line) end
      print(os.remove(name), io.open(name) == nil)
      local pipe = io.popen "echo from a pipe; exit 3"
      print(pipe:read "a", pipe:close())
    ]]
  end)

  it("dumps and loads its own bytecode", function()
    prints("42\n", "print(load(string.dump(function() return 42 end))())")
  end)
end)

describe("a C rock", function()
  it("loads: cjson", function()
    prints('{"list":[1,2.5,"three",true]}\t2.0\n', [[
      local cjson = require "cjson"
      print(cjson.encode {list = {1, 2.5, "three", true}}, cjson.decode('{"a": [1, 2]}').a[2])
    ]])
  end)

  it("loads: lpeg", function()
    prints("2\t12\n", [[
      local lpeg = require "lpeg"
      local number = lpeg.C(lpeg.R "09" ^ 1) / tonumber
      print(lpeg.match(lpeg.P "a", "abc"), lpeg.match(number, "12 apples"))
    ]])
  end)

  it("loads: lfs", function()
    prints("directory\tfalse\n", [[
      local lfs = require "lfs"
      print(lfs.attributes("/", "mode"), (pcall(lfs.dir, "/no/such/folder")))
    ]])
  end)
end)
