local process = require "support.process"

local function assert_same(arguments, options)
  local lua, nnlua = process.run_both(arguments, options)
  assert.same(lua, nnlua)
  return nnlua
end

describe("the command line", function()
  local script

  setup(function()
    script = process.file [[
      local first = 0
      while arg[first - 1] do first = first - 1 end
      for i = first, #arg do print(i, i == 0 and "script" or arg[i]) end
      print(select("#", ...), ...)
    ]]
  end)

  teardown(function() os.remove(script) end)

  it("runs -e, in one word or two, in order", function()
    local result = assert_same {"-e", "x = 1", "-ex = x + 1", "-e", "print(x)"}
    assert.equal("2\n", result.stdout)
  end)

  it("stops at the first -e that fails", function()
    local result = assert_same {"-e", "print(1)", "-e", "error 'two'", "-e", "print(3)"}
    assert.equal("1\n", result.stdout)
    assert.equal(1, result.code)
  end)

  it("runs a script after -e", function()
    local result = assert_same {"-e", "print 'first'", script, "a", "b c"}
    assert.matches("^first\n", result.stdout)
  end)

  it("loads libraries into globals", function()
    assert.equal("true\n", assert_same({"-l", "string", "-e", "print(string == require 'string')"}).stdout)
    assert.equal("4\n", assert_same({"-l", "s=string", "-e", "print(s.len 'four')"}).stdout)
    assert.equal("4\n", assert_same({"-ls=string", "-e", "print(s.len 'four')"}).stdout)
  end)

  it("reports a library that is not there", function()
    local result = assert_same {"-l", "no_such_module", "-e", "print 'unreached'"}
    assert.matches("module 'no_such_module' not found", result.stderr, 1, true)
    assert.equal(1, result.code)
  end)

  it("fills arg and the script's arguments", function()
    assert_same {script}
    assert_same {script, "a", "", "-e", "b c"}
    assert_same {"-W", "-E", script, "a"}
    assert_same {"-e", "x = 1", "--", script, "--", "a"}
    assert_same {"-e", "print(#arg, arg[0], arg[1], arg[2], arg[-1])"}
  end)

  it("passes what a program has made of arg", function()
    local result = assert_same {"-e", "arg = {'new', 'list'}", script, "old"}
    assert.matches("2\tnew\tlist\n$", result.stdout)
    assert_same {"-e", "arg = nil", script}
  end)

  it("turns warnings on with -W", function()
    assert.equal("", assert_same({"-e", "warn 'careful'"}).stderr)
    assert.equal("Lua warning: careful\n", assert_same({"-W", "-e", "warn 'careful'"}).stderr)
    assert.equal("Lua warning: two\n",
      assert_same({"-W", "-e", "warn '@off' warn 'one' warn '@on' warn 'two'"}).stderr)
  end)

  -- The first line as lua's, then a usage of our own.
  it("explains itself when an option is wrong", function()
    local wrong = {{"-x"}, {"--unknown"}, {"-e"}, {"-l"}, {"-e", "-v"}, {"-vi"}, {"-Wx"}, {"-Ex"}, {"-ix", "y"}}
    for _, arguments in ipairs(wrong) do
      local lua, nnlua = process.run_both(arguments)
      assert.equal(lua.stderr:match "^[^\n]*\n", nnlua.stderr:match "^[^\n]*\n")
      assert.matches("\nusage: lua [options] [script [args]]\n", nnlua.stderr, 1, true)
      assert.matches("\n'lua %-%-help' lists the options%.\n$", nnlua.stderr)
      assert.equal(1, nnlua.code)
      assert.equal("", nnlua.stdout)
    end
  end)

  it("says what was meant", function()
    local wrong = {
      [{"--thread", "2"}] = "unrecognized option '--thread'; did you mean '--threads'?",
      [{"--thread=2"}] = "unrecognized option '--thread=2'; did you mean '--threads'?",
      [{"--verison"}] = "unrecognized option '--verison'; did you mean '--version'?",
      [{"-version"}] = "unrecognized option '-version'; did you mean '--version'?",
      [{"--hlep"}] = "unrecognized option '--hlep'; did you mean '--help'?",
      [{"-h"}] = "unrecognized option '-h'; did you mean '--help'?",
      [{"-V"}] = "unrecognized option '-V'; did you mean '-v' or '--version'?",
      [{"--unknown"}] = "unrecognized option '--unknown'",
      [{"--" .. ("long"):rep(100)}] = "unrecognized option '--" .. ("long"):rep(100) .. "'",
      [{"--threads"}] = "'--threads' needs argument",
      [{"--threads", "two"}] = "'--threads' needs a number of threads, from 1 on, not 'two'",
      [{"--threads=0"}] = "'--threads' needs a number of threads, from 1 on, not '0'",
      [{"--threads="}] = "'--threads' needs a number of threads, from 1 on, not ''",
      [{"--threads=99999999999999999999"}] =
        "'--threads' needs a number of threads, from 1 on, not '99999999999999999999'",
      [{"--version=1"}] = "'--version' takes no argument",
    }
    for arguments, message in pairs(wrong) do
      local result = process.run_nnlua(arguments)
      assert.equal(process.nnlua .. ": " .. message, result.stderr:match "^[^\n]*")
      assert.equal(1, result.code)
      assert.equal("", result.stdout)
    end
  end)

  it("shows its options with --help", function()
    local result = process.run_nnlua {"--help"}
    assert.equal(0, result.code)
    assert.equal("", result.stderr)
    assert.matches("^usage: ", result.stdout)
    for _, option in ipairs {"-e stat", "-i", "-l mod", "-l g=mod", "-v", "-E", "-W", "--", "-", "--threads N"} do
      assert.matches("\n  " .. option .. "  ", result.stdout, 1, true)
    end
    assert.equal(result.stdout, process.run_nnlua({"--help", "-e", "print 'not run'"}).stdout)
  end)

  it("says what it is made of with --version", function()
    local result = process.run_nnlua({"--threads", "1", "--version", "-e", "print 'not run'"},
      {env = {NNLUA_ISA = "base"}})
    assert.equal("", result.stderr)
    assert.equal(0, result.code)
    local lines = "^nnlua %d+%.%d+%.%d+, Lua 5%.4%.%d+\nOpenBLAS %d+%.%d+%.%d+ for %w+\nbase kernels, 1 thread\n$"
    assert.matches(lines, result.stdout)
    assert.matches(", 3 threads\n$", process.run_nnlua({"--version"}, {env = {NNLUA_NUM_THREADS = "3"}}).stdout)
  end)

  it("sets the number of threads", function()
    local program = "print(require 'nnlua'.get_num_threads(), arg[0])"
    for _, arguments in ipairs {{"--threads", "3", "-e", program}, {"--threads=3", "-e", program}} do
      local result = process.run_nnlua(arguments, {env = {NNLUA_NUM_THREADS = "2"}})
      assert.equal("3\t" .. process.nnlua .. "\n", result.stdout)
    end
    local result = process.run_nnlua {"--threads", "3", script, "a"}
    assert.matches("%-2\t%-%-threads\n%-1\t3\n0\tscript\n1\ta\n1\ta\n$", result.stdout)
  end)

  it("prints both versions with -v and stops", function()
    local lua, nnlua = process.run_both({"-v"}, {stdin = "print 'unread'"})
    assert.equal(lua.stdout, nnlua.stdout:match "^[^\n]*\n")
    assert.matches("^nnlua %d+%.%d+%.%d+\n$", nnlua.stdout:match "\n(.*)$")
    assert.equal(0, nnlua.code)
  end)

  it("goes on to a script after -v", function()
    assert.matches("\n1\n$", process.run_nnlua({"-v", "-e", "print(1)"}).stdout)
  end)
end)

local function _() end
describe("stdin", function()
  it("is the script when it is no terminal", function()
    local result = assert_same({}, {stdin = "print(..., arg[0] ~= nil, #arg)\nprint 'two'"})
    assert.matches("two\n$", result.stdout)
  end)

  it("is the script called -", function()
    local result = assert_same({"-", "a", "b"}, {stdin = "print(arg[0], ...)"})
    assert.equal("-\ta\tb\n", result.stdout)
    assert_same({"-e", "print 'first'", "-"}, {stdin = "print 'second'"})
    assert_same({"--", "-"}, {stdin = "print 'a file named -'"})
  end)

  it("is left to a script that reads it", function()
    assert_same({"-e", "print(io.read 'a')"}, {stdin = "some\ntext"})
  end)

  it("names its chunk stdin", function()
    local result = assert_same({"-"}, {stdin = "\nerror 'second line'"})
    assert.matches("stdin:2: second line", result.stderr, 1, true)
    assert.equal(1, result.code)
  end)

  -- Here the stock interpreter says 0, so that a pipeline goes on as if all were well.
  it("fails with exit code 1 without being named, too", function()
    local lua, nnlua = process.run_both({}, {stdin = "error 'wrong'"})
    assert.equal(lua.stderr, nnlua.stderr)
    assert.equal(1, nnlua.code)
  end)
end)

describe("the environment", function()
  it("holds a program to run first", function()
    local result = assert_same({"-e", "print(x)"}, {env = {LUA_INIT = "x = 'set'"}})
    assert.equal("set\n", result.stdout)
    assert_same({"-e", "print(x)"}, {env = {LUA_INIT_5_4 = "x = 'this'", LUA_INIT = "x = 'not this'"}})
  end)

  it("may name a file", function()
    local path = process.file "print 'from a file'"
    finally(function() os.remove(path) end)
    assert.equal("from a file\n", assert_same({"-e", ""}, {env = {LUA_INIT = "@" .. path}}).stdout)
    assert.equal(1, assert_same({"-e", ""}, {env = {LUA_INIT = "@/no/such/file"}}).code)
  end)

  it("stops everything when its program fails", function()
    local result = assert_same({"-e", "print 'unreached'"}, {env = {LUA_INIT = "error 'early'"}})
    assert.matches("LUA_INIT:1: early", result.stderr, 1, true)
    assert.equal("", result.stdout)
    assert.equal(1, result.code)
  end)

  it("is ignored with -E", function()
    local env = {LUA_INIT = "x = 'set'", LUA_PATH = "./?.other", LUA_CPATH = "./?.else"}
    local program = "print(x, package.path, package.cpath)"
    assert_same({"-e", program}, {env = env})
    local result = assert_same({"-E", "-e", program}, {env = env})
    assert.matches("^nil\t", result.stdout)
    assert.not_matches("other", result.stdout, 1, true)
  end)
end)
