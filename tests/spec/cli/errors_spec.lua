-- How scripts end: errors, signals, os.exit.
-- parts: 1
local process = require "support.process"

-- The side of a matrix whose product takes a while; the sanitized build cuts it into hundreds of times as many pieces.
local side, many = 1200, 2000000
if process.is_sanitized() then side, many = 200, 100000 end

local function assert_same(arguments, options)
  local lua, nnlua = process.run_both(arguments, options)
  assert.same(lua, nnlua)
  return nnlua
end

local function fails(program, message)
  local result = assert_same {"-e", program}
  assert.equal(1, result.code)
  assert.matches(message, result.stderr, 1, true)
  return result
end

describe("an error that nobody catches", function()
  it("ends with a message, a traceback and exit code 1", function()
    local program = "local function f() error 'deep' end\nlocal function g() f() end\ng()"
    local result = fails(program, "(command line):1: deep")
    assert.matches("stack traceback:", result.stderr, 1, true)
    assert.matches("in upvalue 'f'", result.stderr, 1, true)
  end)

  it("is reported with the script's name", function()
    local path = process.file "#!/usr/bin/env nnlua\nlocal t = nil\nprint(t.field)"
    finally(function() os.remove(path) end)
    local result = assert_same {path}
    assert.matches(path .. ":3: attempt to index a nil value (local 't')", result.stderr, 1, true)
    assert.equal(1, result.code)
  end)

  it("may be any value", function()
    fails("error {}", "(error object is a table value)")
    fails("error(nil)", "(error object is a nil value)")
    fails("error(true)", "(error object is a boolean value)")
    fails("error(42)", "42")
    fails("error('no position', 0)", "lua: no position")
    fails("error()", "nil")
  end)

  it("speaks through __tostring, without a traceback", function()
    local result = fails("error(setmetatable({}, {__tostring = function() return 'own words' end}))", "lua: own words")
    assert.not_matches("traceback", result.stderr, 1, true)
    fails("error(setmetatable({}, {__tostring = function() return nil end}))", "(error object is a table value)")
  end)

  it("may come from the parser or the file system", function()
    fails("x = = 1", "unexpected symbol near '='")
    fails("for i = 1, 2 do", "<eof>")
    assert.equal(1, assert_same({"no_such_file.lua"}).code)
    assert.equal(1, assert_same({"-e", "require 'no.such.module'"}).code)
  end)

  it("may be a stack that is too deep", function()
    local result = process.run_nnlua {"-e", "local function f() return 1 + f() end f()"}
    assert.matches("(command line):1: stack overflow", result.stderr, 1, true)
    assert.matches("skipping %d+ levels", result.stderr)
    assert.equal(1, result.code)
  end)

  it("may be a string or an expression that is too long", function()
    assert.equal(1, assert_same({"-e", "('x'):rep(1 << 62)"}).code)
    assert_same {"-e", "local s = string.rep('(', 1000) print(load('return ' .. s))"}
  end)

  it("runs finalizers and closes variables on its way out", function()
    local result = fails([[
      setmetatable({}, {__gc = function() print 'collected' end})
      local guard <close> = setmetatable({}, {__close = function() print 'closed' end})
      error 'out'
    ]], "out")
    assert.equal("closed\ncollected\n", result.stdout)
  end)
end)

describe("an interrupt", function()
  it("raises an error in the running program, as Ctrl-C does", function()
    local program = [[
      local pid = io.open "/proc/self/stat":read "n"
      print(pcall(function()
        io.popen("kill -INT " .. pid):close()
        while true do end
      end))
    ]]
    local result = assert_same {"-e", program}
    assert.matches("interrupted!", result.stdout, 1, true)
    assert.equal(0, result.code)
  end)
end)

describe("os.exit", function()
  local finalizer = "setmetatable({}, {__gc = function() print 'collected' end}) "

  it("gives the exit code", function()
    for _, code in ipairs {"0", "3", "true", "false", "7, true", ""} do
      assert_same {"-e", "os.exit(" .. code .. ")"}
    end
    assert.equal(7, assert_same({"-e", "os.exit(7, true)"}).code)
  end)

  it("closes the state when asked to", function()
    assert.equal("collected\n", assert_same({"-e", finalizer .. "os.exit(true, true)"}).stdout)
    assert.equal("", assert_same({"-e", finalizer .. "os.exit(true)"}).stdout)
  end)

  it("closes pending variables too", function()
    local program = "local guard <close> = setmetatable({}, {__close = function() print 'closed' end}) os.exit(0, true)"
    assert.equal("closed\n", assert_same({"-e", program}).stdout)
  end)
end)

describe("Ctrl-C", function()
  --- Runs a script, and sends it a signal once it has called go(), which may be at once: what is to be interrupted
  --- calls it. The result's stdout is what comes after that.
  local function interrupt(text)
    local path = process.file([[
      io.stdout:setvbuf "no"
      local nl = require "nnlua"
      local function go() print(io.open "/proc/self/stat":read "n") end]] .. text)
    local script = 'set -o pipefail; "$0" "$1" | { read -r process; kill -INT "$process"; cat; }'
    local result = process.run {"bash", "-c", script, process.nnlua, path}
    os.remove(path)
    return result
  end

  it("ends a loop with an error, as under lua", function()
    local result = interrupt " go() while true do end"
    assert.equal(1, result.code)
    assert.matches("interrupted!\nstack traceback:", result.stderr, 1, true)
  end)

  it("ends the process the second time, whatever catches the first, and says so", function()
    local product = ("local a = nl.ones(%d, %d) while true do a:mm(a) end"):format(side, side)
    for _, body in ipairs {"while true do end", product} do
      local result = interrupt([[
        local process = io.open "/proc/self/stat":read "n"
        local function stubborn(start, ...) start(...) ]] .. body .. [[ end
        local _, message = pcall(stubborn, go)
        print(message)
        pcall(stubborn, os.execute, "(sleep 0.5; kill -INT " .. process .. ") &")
        print "still there"]])
      assert.matches("interrupted!\n$", result.stdout)
      assert.not_matches("still there", result.stdout, 1, true)
      assert.equal("\ninterrupted!\n", result.stderr)
      assert.equal(130, result.code)
    end
  end)

  it("ends a training loop, which may catch it and go on as if nothing had been", function()
    local result = interrupt [[
      local net = nl.nn.Linear(3, 2)
      net:register_full_backward_hook(function() end)
      net.weight:register_hook(function(g) return g * 1 end)
      local function step()
        net:zero_grad()
        net(nl.ones(4, 3)):sum():backward()
        return net.weight.grad:sum():item()
      end
      local expected = step()
      local ok, message = pcall(function()
        go()
        while true do nl.no_grad(function() nl.enable_grad(step) end) end
      end)
      print(ok, step() == expected, nl.is_grad_enabled())
      error(message, 0)]]
    assert.equal("false\ttrue\ttrue\n", result.stdout)
    assert.matches("interrupted!", result.stderr, 1, true)
    assert.equal(1, result.code)
  end)

  it("ends a plan, which runs again as if nothing had been", function()
    local result = interrupt [[
      local a = nl.eye(200)
      local product = nl.compile(function(x)
        for _ = 1, 10 do x = x:mm(a) end
        return x
      end)
      local w = nl.ones(3):requires_grad_()
      local optimizer = nl.optim.SGD({w}, {lr = 0.0})
      local step = nl.compile(function(x)
        optimizer:zero_grad()
        local loss = (w * x):sum()
        loss:backward()
        optimizer:step()
        return loss
      end)
      local x = nl.ones(3)
      for _ = 1, 2 do product(a) step(x) end
      print(pcall(function()
        go()
        while true do
          product(a)
          step(x)
        end
      end))
      print(nl.equal(product(a), a), step(x):item(), nl.compile_report(step).programs[1].reason)]]
    assert.matches("^false\t[^\n]*interrupted!\ntrue\t3.0\tnil\n$", result.stdout)
  end)

  it("stops a long operation between pieces and leaves all as it was", function()
    local result = interrupt(([[
      local a = nl.eye(%d)
      local before = nl.memory_stats().tensors
      print(pcall(function()
        go()
        while true do local b = a:mm(a) end
      end))
      collectgarbage()
      print(nl.memory_stats().tensors == before, a:mm(a):sum():item())]]):format(side))
    assert.matches("^false\t[^\n]*interrupted!\ntrue\t" .. side .. ".0\n$", result.stdout)
  end)

  it("never stops a change in place half-way", function()
    local result = interrupt(([[
      local a, steps = nl.zeros(%d), 0
      print(pcall(function()
        go()
        while true do a:add_(1) steps = steps + 1 end
      end))
      local least = a:min():item()
      print(least == a:max():item(), least - steps == 0 or least - steps == 1)]]):format(many))
    assert.matches("^false\t[^\n]*interrupted!\ntrue\ttrue\n$", result.stdout)
  end)

  it("reaches a loop in a coroutine, with operations and without", function()
    for _, body in ipairs {"x = x + 1", ""} do
      local result = interrupt([[
        local co = coroutine.wrap(function()
          local x = nl.ones(3)
          go()
          while true do ]] .. body .. [[ end
        end)
        print(pcall(co))]])
      assert.matches("^false\t[^\n]*interrupted!\n$", result.stdout)
    end
  end)
end)

describe("coroutine.resume and coroutine.wrap", function()
  it("are Lua's own", function()
    local result = assert_same {"-e", [[
      local function show(...) print(select("#", ...), ...) end
      local co = coroutine.create(function(...) show(...) show(coroutine.yield(1, nil)) error "in it" end)
      show(coroutine.resume(co, 5, nil)) show(coroutine.resume(co, 7)) show(coroutine.resume(co))
      local closed = coroutine.wrap(function()
        local x <close> = setmetatable({}, {__close = function() print "closed" end})
        coroutine.yield(1)
        error {}
      end)
      show(closed()) show(select("#", pcall(closed))) show(pcall(closed))
      show(pcall(coroutine.resume, 1)) show(pcall(coroutine.wrap, 1))
      show(coroutine.resume(coroutine.running()))
      local function deep(n) return coroutine.wrap(function() return n == 0 and "bottom" or deep(n - 1) end)() end
      show(deep(100)) show(pcall(deep, 250))
      show(coroutine.resume(coroutine.create(function(...) return select("#", ...) end), table.unpack({}, 1, 100000)))
      error(coroutine.wrap(function() error "out of it" end)())]]}
    assert.equal(1, result.code)
  end)
end)
