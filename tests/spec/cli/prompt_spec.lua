local process = require "support.process"

-- What the prompt answers to these lines, without the banner. Nothing here is a terminal, so nothing is predefined.
local function answers(lines, arguments)
  local result = process.run_nnlua({"-i", table.unpack(arguments or {})}, {stdin = lines})
  assert.equal(0, result.code)
  return (result.stdout:gsub("^[^\n]*\n[^\n]*\n", "")), result.stderr
end

-- The same on a terminal of its own.
local function terminal(lines, arguments)
  local command = table.concat({process.nnlua, table.unpack(arguments or {})}, " ")
  return process.run({"script", "-qec", command, "/dev/null"}, {stdin = lines}).stdout
end

describe("the prompt", function()
  it("prints the values of expressions, nils included", function()
    assert.equal("> 2\n> 1\tnil\t3\n> nil\n> \n", answers "1 + 1\n1, nil, 3\nundefined\n")
  end)

  it("runs statements and keeps globals", function()
    assert.equal("> > 5\n> 6\n> \n", answers "x = 5\nprint(x)\n=x + 1\n")
  end)

  it("reads on while a statement is incomplete", function()
    assert.equal("> >> >> 1\n2\n> \n", answers "for i = 1, 2 do\nprint(i)\nend\n")
    assert.equal("> >> a\nb\n> \n", answers "[[a\nb]]\n")
  end)

  it("reports errors and goes on", function()
    local output, errors = answers "error 'oops'\n)\n1\nerror {}\n"
    assert.equal("> > > 1\n> > \n", output)
    assert.matches("^stdin:1: oops\nstack traceback:", errors)
    assert.matches("stdin:1: unexpected symbol near ')'", errors, 1, true)
    assert.matches("(error object is a table value)", errors, 1, true)
  end)

  it("reports a statement that the input leaves incomplete", function()
    local output, errors = answers "if true then\n"
    assert.equal("> >> > \n", (output:gsub(">> $", ">> ")))
    assert.matches("near <eof>", errors, 1, true)
  end)

  it("survives a broken print", function()
    local _, errors = answers "print = function() error('no', 0) end\n1\n"
    assert.matches("error calling 'print' (no)", errors, 1, true)
  end)

  it("has prompts of the user's own", function()
    assert.equal("> in: .. .. 1\nin: \n", answers "_PROMPT, _PROMPT2 = 'in: ', '.. '\ndo\nprint(1)\nend\n")
  end)

  it("takes lines of any length", function()
    local long = ("x"):rep(100000)
    assert.equal("> 100000\n> \n", answers("#'" .. long .. "'\n"))
  end)

  it("comes after the script of -i", function()
    local path = process.file "y = 'from the script'"
    finally(function() os.remove(path) end)
    assert.equal("> from the script\n> \n", answers("y\n", {path}))
  end)

  it("does not come after a script that failed", function()
    local result = process.run_nnlua({"-i", "no_such_file.lua"}, {stdin = "print 'unreached'"})
    assert.equal(1, result.code)
    assert.not_matches("unreached", result.stdout, 1, true)
  end)

  it("predefines nothing where no one sits", function()
    assert.equal("> nil\tnil\tnil\tnil\n> \n", answers "nl, nn, F, optim\n")
  end)
end)

describe("the prompt on a terminal", function()
  it("opens by itself, says which versions these are and predefines nl, nn, F and optim", function()
    local output = terminal "type(nl), nl == require 'nnlua', nn == nl.nn, F == nl.F, optim == nl.optim\n"
    assert.matches("Lua 5%.4.-nnlua %d.-Predefined: nl, nn, F and optim", output)
    assert.matches("table\ttrue\ttrue\ttrue\ttrue", output, 1, true)
  end)

  it("leaves the user's own globals alone", function()
    local output = terminal("nn, type(nl)\n", {"-i", "-e", '"nn = [[mine]]"'})
    assert.matches("mine\ttable", output, 1, true)
  end)
end)
