-- All that writes and reads numbers, for tests/spec/locale_spec.lua: prints what it sees. Arguments: when to set the
-- locale ("before" nnlua is loaded, "after", or "never", where the host has done it), its name, and a file to write to.
local when, locale, path = arg[1], arg[2], arg[3]

if when == "before" then assert(os.setlocale(locale)) end
local nl = require "nnlua"
if when == "after" then assert(os.setlocale(locale)) end
if locale ~= "C" then assert(("%.1f"):format(0.5) == "0,5", "the locale is not on") end

local nn, F, data = nl.nn, nl.F, nl.utils.data
local system, core = require "nnlua.system", require "nnlua.nn.core"

local function fails(f, ...)
  local ok, message = pcall(f, ...)
  print(ok, (tostring(message):gsub("^[^:]*:%d+: ", ""):gsub(path:gsub("%p", "%%%0"), "FILE")))
end

local function write(text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

-- Rows: default arguments, and derivatives that are parsed
local x = nl.tensor({-1.5, 0.25, 2.0}, {dtype = nl.float64, requires_grad = true})
for _, name in ipairs {"leaky_relu", "elu", "selu", "gelu", "softplus", "hardshrink", "softshrink", "hardtanh", "silu",
    "mish", "hardswish", "rrelu", "celu"} do
  local y = F[name](x)
  local first = nl.autograd.grad(y:sum(), x, {create_graph = true})
  local second = first.requires_grad and nl.autograd.grad(first:sum(), x, {allow_unused = true})
  print(name, y, first, second)
end
for _, row in ipairs(nl.ops()) do
  for _, one in ipairs(row.args) do
    if one.default then io.write(row.row, " ", one.name, " ", one.default, "\n") end
  end
end
print(nl.allclose(nl.ones(2), nl.ones(2) + 1e-6), nl.einsum("ij,jI->iI", nl.ones(2, 2), nl.ones(2, 2)))

-- Printing
print(nl.tensor {1.5, -0.25}, nl.tensor {1e-6, 1e9}, nl.tensor({1.5}, {dtype = nl.bfloat16}), nl.complex(1.5, -0.5))
nl.set_printoptions {precision = 2}
print(nl.tensor {3.14159})
nl.set_printoptions {profile = "default"}
local net = nn.Sequential(nn.Dropout(0.25), nn.BatchNorm1d(3), nn.LeakyReLU(), nn.ConstantPad1d(1, 0.5))
local optimizer = nl.optim.Adam(nn.Linear(2, 1):parameters(), {lr = 0.125})
print(net, optimizer)
print(core.format("%s %g %.3f %d %s", 0.1, 1e-7, 2 / 3, 12, nil), core.number "0.125" == 0.125, core.number "x")

print(nl.repr {0.5, x = 1e-7, [0.25] = nl.tensor {1.5}}, nl.finfo(nl.float32), nl.iinfo(nl.int8))
local parser = nl.argparse.ArgumentParser {prog = "train"}
parser:add_argument("--lr", {default = 0.125, help = "the rate"})
parser:add_argument("--drop", {type = "number", choices = {0.25, 0.5}})
print(parser:parse_args {"--lr", 0.5, "--drop", "0.25"}, parser:format_help())

-- Errors
fails(nn.Dropout, 1.5)
fails(nl.arange, 0.5, nl.inf)
fails(nl.tensor, {1.5}, {dtype = nl.int64})
fails(function() return x[1.5] end)
fails(nl.bernoulli, nl.zeros(2), 1.25)
fails(nl.optim.SGD, net:parameters(), {lr = -0.5})
fails(nl.testing.assert_close, nl.tensor {1.5}, nl.tensor {2.25})
fails(nl.testing.assert_close, {a = {0.5}}, {a = {[1.5] = 0.25}})
fails(data.random_split, {1, 2}, {0.5, 0.25})
fails(data.Subset, {1, 2}, {1.5})
fails(data.default_collate, {{[0.5] = 1}, {}})

-- Files
write "1.5,-2.5e-3,0.1000000000000000055511151231257827,12345678901234567890.5\n"
local row = data.read_csv(path, {dtype = nl.float64})[1]:tolist()
print(row[1] == 1.5, row[2] == -2.5e-3, row[3] == 0.1, row[4] == 12345678901234567890.5)
write "1,5;2\n"
fails(data.read_csv, path, {delimiter = ";"})
print(#system.read_json "[1.5, 1e-3, -0.25]", system.read_json("[1.5]")[1] == 1.5, system.read_json("[2e-1]")[1] == 0.2)
print(system.read_json "[1,5.]")
local kept = {lr = 0.1, list = {1e-300, 0.5, 1.0, math.huge}, [0.75] = "key", w = nl.tensor {0.5}}
nl.save(path, kept)
local file <close> = assert(io.open(path, "rb"))
print(#file:read "a", nl.load(path).lr == 0.1, nl.load(path).list[1] == 1e-300, nl.load(path)[0.75])
fails(nl.save, path, {[0.5] = print})

-- Progress, help
local paper = {write = function(_, ...) print((table.concat {...}:gsub("[%d.]+/s", "RATE"))) end}
local progress = nl.progress(2, {out = paper, interval = 0})
for _ in progress do progress:set("loss", 0.125) end
print(require "nnlua.help".text "nn.Dropout")
