-- The prompt where no one sits: lines from a pipe. tests/spec/prompt has the terminal.
local process = require "support.process"

-- What the prompt prints for these lines, and its errors.
local function answers(lines, arguments)
  local result = process.run_nnlua({"-i", table.unpack(arguments or {})}, {stdin = lines})
  assert.equal(0, result.code)
  return result.stdout, result.stderr
end

describe("the prompt in a pipe", function()
  it("prints the values of expressions, nils included, and nothing else", function()
    local output, errors = answers "1 + 1\n1, nil, 3\nundefined\n"
    assert.equal("2\n1\tnil\t3\nnil\n", output)
    assert.equal("", errors)
  end)

  it("runs statements and keeps globals", function()
    assert.equal("5\n6\n", (answers "x = 5\nprint(x)\n=x + 1\n"))
  end)

  it("keeps values from being printed that a semicolon follows", function()
    assert.equal("7\n", (answers "x = 7\nx;\nx; -- no\n_\n"))
  end)

  it("reads on while a statement is incomplete", function()
    assert.equal("1\n2\n", (answers "for i = 1, 2 do\nprint(i)\nend\n"))
    assert.equal('"a\\nb"\n', (answers "[[a\nb]]\n"))
  end)

  it("reports errors and goes on", function()
    local output, errors = answers "error 'oops'\n)\n1\nerror {}\n"
    assert.equal("1\n", output)
    assert.matches("^entry 1:1: oops\n", errors)
    assert.matches("entry 2:1: unexpected symbol near ')'", errors, 1, true)
    assert.matches("(error object is a table value)", errors, 1, true)
  end)

  it("reports a statement that the input leaves incomplete", function()
    local output, errors = answers "if true then\n"
    assert.equal("", output)
    assert.matches("near <eof>", errors, 1, true)
  end)

  it("survives a broken print, and values that can't be printed", function()
    local output = answers "print = nil\n1\nsetmetatable({}, {__tostring = function() error 'no' end})\n2\n"
    assert.matches("^1\n.*2\n$", output)
  end)

  it("survives that the program takes Lua's functions away", function()
    local output = answers "local g = _G for name in pairs(g) do g[name] = nil end\n1 + 1\nx = 5\nx\n"
    assert.equal("2\n5\n", output)
  end)

  it("has prompts of the user's own", function()
    assert.equal("in: .. .. 1\nin: ", (answers "_PROMPT, _PROMPT2 = 'in: ', '.. '\ndo\nprint(1)\nend\n"))
  end)

  it("takes lines of any length", function()
    local long = ("x"):rep(100000)
    assert.equal("100000\n", (answers("#'" .. long .. "'\n")))
  end)

  it("comes after the script of -i", function()
    local path = process.file "y = 'from the script'"
    finally(function() os.remove(path) end)
    assert.equal('"from the script"\n', (answers("y\n", {path})))
  end)

  it("does not come after a script that failed", function()
    local result = process.run_nnlua({"-i", "no_such_file.lua"}, {stdin = "print 'unreached'"})
    assert.equal(1, result.code)
    assert.not_matches("unreached", result.stdout, 1, true)
  end)

  it("predefines what it does on a terminal, and nothing that is there", function()
    assert.equal('"table"\ttrue\ttrue\ttrue\n',
      (answers "type(nl), nn == nl.nn, F == nl.F, optim == nl.optim\n"))
    assert.equal('"mine"\t"table"\n', (answers("nn, type(nl)\n", {"-e", "nn = 'mine'"})))
  end)

  it("takes an expression behind statements, and prints it", function()
    assert.equal("5\n6\n3\n7\n", (answers "x = 5; x\nlocal y = 6; y\nx = 1; x + 2\nif x then x = 7 end x\n"))
    assert.equal("8\n", (answers "x = 7; x;\nx = 8\nx\n"))
    assert.equal("4\n", (answers "f = function() return 4\nend\nf()\n"))
    local _, errors = answers "f = function() x end\nx = 5 5\n"
    assert.matches("entry 1:1: syntax error near 'end'", errors, 1, true)
    assert.matches("entry 2:1: unexpected symbol near '5'", errors, 1, true)
  end)

  it("prints what the last of several statements gives, if that is a call", function()
    assert.equal("6\n", (answers "local f = function(x) return x + 1 end; f(5)\n"))
    assert.equal("2\n3\n", (answers "x = 2; math.max(1, x)\nx = 3; tostring(x);\nx\n"))
    assert.equal("", (answers "local t = {} for i = 1, 2 do t[i] = i end table.sort(t)\n"))
  end)

  it("does not wait for lines that could not finish a string", function()
    local output, errors = answers "x = \"abc\n1\ny = \"a\\\nb\"; y\n\"c\\z\n  d\"\n"
    assert.equal('1\n"a\\nb"\n"cd"\n', output)
    assert.matches("entry 1:1: unfinished string near", errors, 1, true)
  end)

  it("shows control characters of strings and messages by their codes", function()
    local output, errors = answers "'\\27[31mred\\n\\tx'\n'\\u{9b}1m', 'ä\\0'\n'\\xff'\nerror '\\27[2Jx'\n"
    assert.equal('"\\x1b[31mred\\n\\tx"\n"\\u{9b}1m"\t"ä\\x00"\n"\\xff"\n', output)
    assert.equal("entry 4:1: \\x1b[2Jx\n", errors)
  end)

  it("shows what is in a table that is raised", function()
    local _, errors = answers "error {code = 5, list = {1, 2}}\n"
    assert.equal("(error object is a table value: {code = 5, list = {1, 2}})\n", errors)
  end)

  it("goes on after an error in a hook, without the hook", function()
    local output, errors = answers "debug.sethook(function() error 'no' end, 'l')\nprint(1)\ndebug.gethook()\n2\n"
    assert.equal("nil\n2\n", output)
    assert.matches("entry 1:1: no (in a hook, which is removed)\n", errors, 1, true)
  end)

  it("runs a hook for the program's code alone", function()
    assert.equal("=entry 1 = true\n=entry 2 = true\n=entry 3 = true\n", (answers [[
seen = {} debug.sethook(function() seen[debug.getinfo(2, "S").source] = true end, "l")
a = 1; setmetatable({}, {__tostring = function() return "shown" end});
debug.sethook() local names = {} for source in pairs(seen) do table.insert(names, source) end table.sort(names)
for _, name in ipairs(names) do print(name, "= true") end
]]):gsub("\t", " "))
  end)

  it("survives prompts that can't be printed", function()
    assert.equal("1\n2\n", (answers "_PROMPT = setmetatable({}, {__tostring = function() error 'x' end})\n1\n2\n"))
  end)

  it("ends at quit and exit, unless they are the program's", function()
    assert.equal("1\n", (answers "1\nquit\n2\n"))
    assert.equal("1\n", (answers "1\nexit\n2\n"))
    assert.equal("1\n3\n2\n", (answers "1\nquit = 3\nquit\n2\n"))
    assert.equal("1\n", (answers "1\n:quit\n2\n"))
  end)
end)

describe("local variables of the top level", function()
  it("stay", function()
    assert.equal("5\n", (answers "local x = 5\nx\n"))
    assert.equal("3\t4\n", (answers "local a, b <const> = 3, 4\na, b\n"))
    assert.equal("6\n", (answers "local function f(n) return n > 0 and n + f(n - 1) or 0 end\nf(3)\n"))
    assert.equal("1\t3\n", (answers "local a = 1; for a = 2, 3 do local b = a; c = b end\na, c\n"))
  end)

  it("are the same variables as those that functions closed over", function()
    assert.equal("2\n7\n", (answers "local x = 1\nlocal function add() x = x + 1 end\nadd()\nx\nx = 6\nadd()\nx\n"))
  end)

  it("hide earlier ones of their name, which functions go on seeing", function()
    assert.equal("2\t1\n", (answers "local x = 1\nlocal function old() return x end\nlocal x = 2\nx, old()\n"))
    assert.equal("2\n", (answers "local x = 1\nlocal x = x + 1\nx\n"))
  end)

  it("are not globals", function()
    assert.equal("nil\t5\n", (answers "local x = 5\n_G.x, x\n"))
  end)

  it("keep their attributes", function()
    local output, errors = answers "local x <const> = 5\nx = 6\nx\nlocal y <const> = {}\ny = 1\n"
    assert.equal("5\n", output)
    assert.matches("entry 2:1: attempt to assign to const variable 'x'", errors, 1, true)
    assert.matches("entry 5:1: attempt to assign to const variable 'y'", errors, 1, true)
    assert.equal("closed\nnil\n",
      (answers "local c <close> = setmetatable({}, {__close = function() print 'closed' end})\nc\n"))
  end)

  it("stay when an error comes after them", function()
    assert.equal("1\t2\tnil\n", (answers "local a = 1; local b = 2; error 'x'; local c = 3\na, b, c\n"))
  end)

  it("can be listed and forgotten", function()
    assert.equal("name  type     shape  size\na     integer  1\nb     integer  2\nnil\t2\nnil\tnil\n",
      (answers "local a, b = 1, 2\n:locals\n:forget a\na, b\n:forget\na, b\n"))
  end)

  it("may be hundreds", function()
    local lines = {}
    for i = 1, 300 do lines[i] = ("local v%d = %d\n"):format(i, i) end
    assert.equal("301\n", (answers(table.concat(lines) .. "v1 + v300\n")))
  end)

  it("don't let a line reach out of its function", function()
    local _, errors = answers "end\n1 end local q = function()\n"
    assert.matches("'<eof>' expected near 'end'", (errors:gsub("<eof>", "'<eof>'", 1)), 1, true)
    assert.matches("unexpected symbol near '1'", errors, 1, true)
  end)
end)

describe("the last results", function()
  it("are _ and _1, _2 …, until the next ones", function()
    assert.equal("3\n3\n1\t2\n1\t2\n", (answers "3\n_\n1, 2\n_1, _2\n"))
    assert.equal("1\t2\n1\tnil\n", (answers "1, 2\n_, _3\n"))
    assert.equal("4\n4\n", (answers "4\nx = 1\n_\n"))
  end)

  it("let go of what they held", function()
    local output = answers [[
local weak = setmetatable({}, {__mode = "v"})
weak[1] = {}; return weak[1];
collectgarbage() return weak[1] ~= nil
1
collectgarbage() return weak[1] ~= nil
]]
    assert.equal("true\n1\nfalse\n", output)
  end)
end)

describe("a command of the prompt", function()
  it("times", function()
    local output = answers ":time 1 + 1\n:bench 1 + 1\n:time error 'x'\n"
    assert.matches("^2\n[%d.]+ [num]?s, [%d.]+ [num]?s of processor time\n" ..
      "[%d.]+ ns a run: the median of %d+ x %d+ runs", output)
  end)

  it("tells what memory is used", function()
    local output = answers "nl = require 'nnlua'\nx = nl.ones(1024, 1024);\n:mem\n"
    assert.matches("^4%.%d MB in 1 tensors, at most ", output)
  end)

  it("runs files, whose locals stay, and the last one again", function()
    local path = process.file "#!/usr/bin/env nnlua\nlocal loaded = (loaded or 0) + 1\nprint 'ran'"
    finally(function() os.remove(path) end)
    assert.equal("ran\n1\nran\n2\n", (answers(":load " .. path .. "\nloaded\n:load\nloaded\n")))
    local _, errors = answers ":load /no/such/file.lua\n:load\n"
    assert.matches("/no/such/file.lua: No such file", errors, 1, true)
    assert.matches(":load needs the name of a file", errors, 1, true)
  end)

  it("shows a function's source", function()
    local path = process.file "-- Adds one.\nfunction add_one(x)\n  return x + 1\nend\n"
    finally(function() os.remove(path) end)
    local output, errors = answers("add_one??\n:source add_one\n??print\n", {path})
    local source = "-- Adds one.\nfunction add_one(x)\n  return x + 1\nend\n"
    assert.equal(source .. source, output)
    assert.matches("that function is written in C", errors, 1, true)
    assert.matches("Module:register_parameter",
      (answers "nl = require 'nnlua'\n:source nl.nn.Module.register_parameter\n"))
  end)

  it("shows the source of a class's functions, also of an instance", function()
    for _, name in ipairs {"nn.Linear", "net"} do
      local output = answers("net = nn.Linear(1, 2)\n" .. name .. "??\n")
      assert.matches("^function Linear:init%(%.%.%.%)\n.*\n%-%-%- Draws weight and bias anew%.\n" ..
        ".*\nfunction Linear:reset_parameters%(%)\n.*\n%-%- forward: that function is written in C\n$", output)
    end
    local _, errors = answers "x = 5\nx??\n"
    assert.equal("a function or a class is expected, not a number\n", errors)
  end)

  it("sets", function()
    local output, errors = answers("nl = require 'nnlua'\n:set precision 2\nnl.tensor {1.23456}\n" ..
      ":set speed 3\n:set threads 0\n")
    assert.matches("tensor([1.23])", output, 1, true)
    assert.matches(":set takes the name of a setting", errors, 1, true)
    assert.matches("set_num_threads: a positive number", errors, 1, true)
  end)

  it("may be cut short, and is told when it is none", function()
    local output, errors = answers ":he\n:nonsense\n:\n"
    assert.matches(":bench code", output, 1, true)
    assert.matches(":nonsense is not a command; :help lists them", errors, 1, true)
  end)
end)

describe("a name that is not there", function()
  it("is told with the one that was perhaps meant", function()
    local _, errors = answers "pritn(1)\nlocal weights = 1\nwieghts()\nzzzzzz()\n"
    assert.matches("(global 'pritn'); did you mean 'print'?", errors, 1, true)
    assert.matches("(global 'wieghts'); did you mean 'weights'?", errors, 1, true)
    assert.matches("(global 'zzzzzz')\n", errors, 1, true)
  end)

  it("is told for what the library has elsewhere or under nearly that name", function()
    local _, errors = answers("nl = require 'nnlua'\nnl.onse(3)\nnl.nn.relu(nl.ones(2))\n" ..
      "nl.one_hot(3)\nnl.zzzzzzzz(3)\n")
    assert.matches("(field 'onse'); did you mean nl.ones?", errors, 1, true)
    assert.matches("(field 'relu'); there is nl.relu", errors, 1, true)
    assert.matches("(field 'one_hot'); there is nl.nn.functional.one_hot", errors, 1, true)
    assert.matches("(field 'zzzzzzzz')\n", errors, 1, true)
  end)

  it("is told for fields of what is in sight, whatever is done to them", function()
    local _, errors = answers(table.concat({"local net = nn.Linear(2, 3)", "net.weigth:size()", "net:forwrad()",
      "function f(m) return m[1].weigth + 1 end f(nn.Sequential(net))", "nl.utls.data", "table.insrt()",
      "conf = {learning_rate = 1}", "conf.learning_rat + 1", "conf.zzzzzz.y", ""}, "\n"))
    assert.matches("index a nil value (field 'weigth'); did you mean 'weight'?", errors, 1, true)
    assert.matches("(method 'forwrad'); did you mean 'forward'?", errors, 1, true)
    assert.matches("arithmetic on a nil value (field 'weigth'); did you mean 'weight'?", errors, 1, true)
    assert.matches("(field 'utls'); did you mean 'utils'?", errors, 1, true)
    assert.matches("(field 'insrt'); did you mean 'insert'?", errors, 1, true)
    assert.matches("(field 'learning_rat'); did you mean 'learning_rate'?", errors, 1, true)
    assert.matches("(field 'zzzzzz')\n", errors, 1, true)
  end)

  it("stays nil where it is only read", function()
    assert.equal("nil\tnil\tnil\n", (answers "nn.Linera, nl.onse, nn.Linear(1, 1).weigth\n"))
  end)

  it("is told for locals of a script's function", function()
    local result = process.run_nnlua {"-e", [[
      local nl = require 'nnlua'
      local function step(net) return net.weigth:size() end
      step(nl.nn.Linear(2, 2))]]}
    assert.matches("2: attempt to index a nil value (field 'weigth'); did you mean 'weight'?\nstack traceback:",
      result.stderr, 1, true)
  end)

  it("is told for options, of functions in C and in Lua", function()
    for call, expected in pairs {
      ["nl.ones(2):sum {keepdims = true}"] = "sum: unknown argument 'keepdims'; did you mean 'keepdim'? (known: ",
      ["nl.ones(1):backward {retain_grap = true}"] = "backward: unknown argument 'retain_grap'; did you mean "
        .. "'retain_graph'? (known: ",
      ["optim.SGD({nl.ones(1)}, {momentun = 1})"] = "optim.SGD: no argument is called 'momentun'; did you mean "
        .. "'momentum'? there are: ",
      ["nn.Linear(1, 1):to {dtyp = 1}"] = "to: no argument is called 'dtyp'; did you mean 'dtype'? there are: ",
      ["nn.Linear(1, 1):load_state_dict({}, {strickt = 1})"] = "no argument is called 'strickt'; did you mean 'strict'",
    } do
      local _, errors = answers(call .. "\n")
      assert.matches(expected, errors, 1, true)
    end
  end)

  it("is told to a script, too", function()
    local result = process.run_nnlua {"-e", "local nl = require 'nnlua' nl.rnadn(3)"}
    assert.matches("(command line):1: attempt to call a nil value (field 'rnadn'); did you mean nl.randn?\n" ..
      "stack traceback:", result.stderr, 1, true)
  end)
end)
