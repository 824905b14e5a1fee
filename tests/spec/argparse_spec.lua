-- nl.argparse: options of scripts.
-- parts: 1
local nl = require "nnlua"
local process = require "support.process"

--- A parser whose errors are Lua errors.
local function new_parser(settings)
  local parser = nl.argparse.ArgumentParser(settings or {prog = "x.lua"})
  function parser:error(message) error({message}, 0) end -- luacheck: no self
  return parser
end

--- What a parser says of a command line that doesn't fit.
local function refusal(parser, list)
  local ok, problem = pcall(parser.parse_args, parser, list)
  assert.is_false(ok)
  return type(problem) == "table" and problem[1] or problem
end

local function plain(namespace)
  local t = {}
  for name, value in pairs(namespace) do t[name] = value end
  return t
end

describe("an ArgumentParser", function()
  it("takes types from defaults, and converts", function()
    local parser = new_parser()
    parser:add_argument("--steps", {default = 100})
    parser:add_argument("--lr", {default = 0.1})
    parser:add_argument("--name", {default = "net"})
    parser:add_argument("--seed", {type = "integer"})
    parser:add_argument("--text")
    assert.same({steps = 100, lr = 0.1, name = "net"}, plain(parser:parse_args {}))
    local options = parser:parse_args {"--steps", "5", "--lr", "1", "--name", "7", "--seed=-3", "--text", "8"}
    assert.same({steps = 5, lr = 1.0, name = "7", seed = -3, text = "8"}, plain(options))
    assert.equal("float", math.type(options.lr))
    assert.equal(-0.5, parser:parse_args({"--lr", "-5e-1"}).lr)
    assert.equal(math.huge, parser:parse_args({"--lr", "inf"}).lr)
    assert.equal("argument --steps: invalid integer value: '1.5'", refusal(parser, {"--steps", "1.5"}))
    assert.equal("argument --lr: invalid number value: 'fast'", refusal(parser, {"--lr=fast"}))
    assert.equal("argument --lr: expected one argument", refusal(parser, {"--lr", "--steps", "3"}))
  end)

  it("takes a function for a type, also for a default that is a text", function()
    local parser = new_parser()
    parser:add_argument("--device", {type = nl.device, default = "cpu"})
    parser:add_argument("--even", {type = function(text) return tonumber(text) % 2 == 0 and tonumber(text) or nil end})
    assert.equal(nl.device "cpu", parser:parse_args({}).device)
    assert.equal(nl.device "meta", parser:parse_args({"--device", "meta"}).device)
    assert.matches("^argument %-%-device: device: there is no device 'tpu'", refusal(parser, {"--device", "tpu"}))
    assert.equal(4, parser:parse_args({"--even", "4"}).even)
    assert.equal("argument --even: invalid value: '3'", refusal(parser, {"--even", "3"}))
  end)

  it("knows switches, pairs of them, counts and lists", function()
    local parser = new_parser()
    parser:add_argument("--no-cuda", {action = "store_true"})
    parser:add_argument("--plain", {action = "store_false"})
    parser:add_argument("--bias", {default = true})
    parser:add_argument("-v", "--verbose", {action = "count", default = 0})
    parser:add_argument("-q", {action = "store_const", const = "quiet"})
    parser:add_argument("--tag", {action = "append", default = {"first"}})
    local function parsed(...) return plain(parser:parse_args {...}) end
    assert.same({no_cuda = false, plain = true, bias = true, verbose = 0, tag = {"first"}}, parsed())
    assert.same({no_cuda = true, plain = false, bias = false, verbose = 3, q = "quiet", tag = {"first", "a", "b"}},
      parsed("--no-cuda", "--plain", "--no-bias", "-vvq", "--verbose", "--tag", "a", "--tag=b"))
    assert.same({"first"}, parsed().tag)
    assert.equal("argument --no-cuda: ignored explicit argument '1'", refusal(parser, {"--no-cuda=1"}))
  end)

  it("gives values as lists where several follow", function()
    local parser = new_parser()
    parser:add_argument("--layers", {nargs = "+", default = {10, 5}})
    parser:add_argument("--betas", {nargs = 2, type = "number"})
    parser:add_argument("--log", {nargs = "?", const = "log.txt"})
    assert.same({layers = {10, 5}}, plain(parser:parse_args {}))
    assert.same({layers = {1, 2}, betas = {0.9, 0.99}, log = "log.txt"},
      plain(parser:parse_args {"--layers", "1", "2", "--log", "--betas", "0.9", "0.99"}))
    assert.equal("argument --layers: expected at least one argument", refusal(parser, {"--layers"}))
    assert.equal("argument --betas: expected 2 arguments", refusal(parser, {"--betas", "1"}))
  end)

  it("tells arguments by their places, among options", function()
    local parser = new_parser()
    parser:add_argument("source")
    parser:add_argument("more", {nargs = "*"})
    parser:add_argument("target")
    parser:add_argument("-n", {default = 1})
    assert.same({source = "a", more = {}, target = "b", n = 1}, plain(parser:parse_args {"a", "b"}))
    assert.same({source = "a", more = {"b", "-c"}, target = "d", n = 2},
      plain(parser:parse_args {"a", "-n2", "b", "--", "-c", "d"}))
    assert.equal("the following arguments are required: target", refusal(parser, {"a"}))
    assert.equal("the following arguments are required: source, target", refusal(parser, {}))
  end)

  it("tells what was perhaps meant", function()
    local parser = new_parser()
    parser:add_argument("--epochs", {default = 3})
    parser:add_argument("--net", {choices = {"mlp", "cnn"}, required = true})
    assert.equal("unrecognized arguments: --epcohs 3; did you mean --epochs?",
      refusal(parser, {"--net", "mlp", "--epcohs", "3"}))
    assert.equal("unrecognized arguments: x", refusal(parser, {"--net", "mlp", "x"}))
    assert.equal("argument --net: invalid choice: 'mpl' (choose from mlp, cnn); did you mean mlp?",
      refusal(parser, {"--net", "mpl"}))
    assert.equal("the following arguments are required: --net", refusal(parser, {}))
    local options, rest = parser:parse_known_args {"--net", "cnn", "--wd", "1"}
    assert.same({{net = "cnn", epochs = 3}, {"--wd", "1"}}, {plain(options), rest})
  end)

  it("gives a table that print shows and nl.save takes", function()
    local parser = new_parser()
    parser:add_argument("--lr", {default = 0.5})
    parser:set_defaults {lr = 0.25, mode = "train", device = nl.device "cpu"}
    local options = parser:parse_args {}
    assert.equal('Namespace(device=cpu, lr=0.25, mode="train")', tostring(options))
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    nl.save(path, {options = options})
    assert.same(plain(options), nl.load(path).options)
    assert.is_nil(options.momentum)
  end)

  it("describes itself", function()
    local parser = new_parser {prog = "train.lua", description = "Trains a net.", epilog = "The end."}
    parser:add_argument("-b", "--batch-size", {default = 64, metavar = "N", help = "rows of a batch"})
    parser:add_argument("--net", {choices = {"mlp", "cnn"}, default = "mlp", help = "its kind, by default %(default)s"})
    parser:add_argument("--half", {action = "store_true", help = "50%% off in %(prog)s"})
    parser:add_argument("data", {help = "where it is"})
    assert.equal([[
usage: train.lua [-h] [-b N] [--net {mlp,cnn}] [--half] data

Trains a net.

positional arguments:
  data                where it is

options:
  -h, --help          show this help message and exit
  -b, --batch-size N  rows of a batch (default: 64)
  --net {mlp,cnn}     its kind, by default mlp
  --half              50% off in train.lua

The end.
]], parser:format_help())
    assert.equal("usage: train.lua [-h] [-b N] [--net {mlp,cnn}] [--half] data\n", parser:format_usage())
  end)

  it("says what is wrong in a script's own lines", function()
    local function failure(...)
      local ok, message = pcall(nl.argparse.ArgumentParser().add_argument, new_parser(), ...)
      assert.is_false(ok)
      return message
    end
    assert.matches("a name is missing", failure())
    assert.matches("there is an option '%-%-help' already", failure("--help"))
    assert.matches("no argument is called 'defualt'", failure("--lr", {defualt = 1}))
    assert.matches("type is a function of a text or one of boolean, integer, number, string, not 'int'",
      failure("--lr", {type = "int"}))
    assert.matches("there is no action 'store_ture'", failure("--lr", {action = "store_ture"}))
    assert.matches("nargs is a number from 1 on", failure("--lr", {nargs = 0}))
    assert.matches("'file' is told by its place, so it has no other name", failure("file", "name"))
    assert.matches("nargs = \"%?\" or \"%*\" says that it may be left out", failure("file", {required = false}))
    local parser = new_parser()
    parser:add_argument("--no-bias", {action = "store_true"})
    local ok, message = pcall(parser.add_argument, parser, "--bias", {default = true})
    assert.is_false(ok)
    assert.matches("there is an option '%-%-no%-bias' already", message)
  end)

  it("says which method was called with something else", function()
    for _, method in ipairs {"add_argument", "set_defaults", "parse_args", "parse_known_args", "format_usage",
      "format_help", "print_usage", "print_help", "error"} do
      for _, given in ipairs {5, {}, "--lr"} do
        local ok, message = pcall(nl.argparse.ArgumentParser[method], given)
        assert.is_false(ok)
        assert.matches(method .. ": the first argument must be argparse.ArgumentParser", message, 1, true)
        assert.not_matches("nnlua/", message, 1, true)
      end
    end
    local wrong = {
      set_defaults = "set_defaults: a table of values by name was expected",
      parse_args = "parse_args: a list of texts was expected",
      parse_known_args = "parse_known_args: a list of texts was expected",
      print_usage = "print_usage: an open file was expected", print_help = "print_help: an open file was expected",
    }
    for method, expected in pairs(wrong) do
      local ok, message = pcall(nl.argparse.ArgumentParser[method], new_parser(), "--lr 1")
      assert.is_false(ok)
      assert.matches(expected, message, 1, true)
    end
  end)
end)

describe("a script with nl.argparse", function()
  local function run(...)
    return process.run_nnlua {"examples/digits_mlp.lua", ...}
  end

  it("shows its help and ends well", function()
    local result = run("--help")
    assert.same({0, ""}, {result.code, result.stderr})
    assert.matches("^usage: digits_mlp.lua %[%-h%] .*%-%-epochs EPOCHS +times to go through the digits %(default: 30%)",
      result.stdout)
  end)

  it("ends with status 2 where an option is unknown", function()
    local result = run("--epcohs", "3")
    assert.same({2, ""}, {result.code, result.stdout})
    assert.matches("^usage: .*\ndigits_mlp.lua: error: unrecognized arguments: %-%-epcohs 3; did you mean "
      .. "%-%-epochs%?\n$", result.stderr)
  end)
end)

describe("every example with options", function()
  it("refuses those that it doesn't know", function()
    for _, name in ipairs {"char_gpt", "char_lstm", "digits", "digits_mlp", "names"} do
      local result = process.run_nnlua {"examples/" .. name .. ".lua", "--unheard-of"}
      assert.equal(2, result.code, name)
      assert.matches("unrecognized arguments: %-%-unheard%-of\n$", result.stderr)
    end
  end)
end)
