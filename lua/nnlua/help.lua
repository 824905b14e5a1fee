-- nl.help: what is known of a function, a layer, an optimizer, a value.

local catalogue = require "nnlua.help.catalogue"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local options = require "nnlua.help.options"
local search = require "nnlua.help.search"
local similar = require "nnlua.prompt.similar"
local text = require "nnlua.help.text"

local help = {}

local TOUR = [[
help(nl.conv2d), help "conv2d", help(nn.Linear), help(net) tell what is known of something; ?conv2d does at the prompt.
help "learning rate" looks for words in names and texts, help "*pool*" for names.

Tensors     nl.tensor, nl.zeros, nl.randn, nl.arange …; x:sum(2), x + y, x[{1, {2, 3}}]; x.shape, x.dtype, x.grad
Gradients   x:backward(), nl.no_grad, nl.autograd.grad
Modules     nn.class, nn.Module, nn.Sequential, nn.Linear, nn.Conv2d, nn.LSTM …; F for functions
Training    optim.SGD, optim.Adam …, optim.lr_scheduler; nl.utils.data.DataLoader, nl.progress
            nl.Trainer, nl.callbacks, nl.metrics, nl.checkpoint: loops that go on after they were left
Draws       nl.distributions.Normal, Categorical …: sample, log_prob, entropy, kl_divergence
Scripts     nl.argparse, nl.device, nl.time, nl.repr
Files       nl.save, nl.load, net:state_dict(); pictures: nl.io
Specs       nl.testing

reference.md, in share/doc/nnlua, has all of it on one page. Everything that counts starts at 1.]]

--- The methods that a class, or Tensor, has, for a line of their names.
local function methods_of(entry)
  local names = {}
  for _, other in ipairs(catalogue.all()) do
    local owner, name = other.name:match "^(.+):([%w_]+)$"
    if owner == entry.name then names[#names + 1] = name end
  end
  return names
end

local function entry_text(entry)
  if entry.kind == "class" and not entry.methods then entry.methods = methods_of(entry) end
  local shown_by = catalogue.shown_by(entry)
  if shown_by and shown_by ~= entry then entry.shown_by = shown_by.name end
  return text.entry(entry, options.of_entry(entry))
end

local function tensor_text(x)
  return ("A tensor: shape %s, %s. x:name(…) calls a method, among them all ops of help(\"nl.name\"); x.shape, "
    .. "x.dtype, x.grad, x.T and others are fields. help \"Tensor:item\" explains a method, "
    .. "help \"Tensor.grad\" a field."):format(x.shape, x.dtype)
end

--- The parts of the library, by their tables.
local function parts()
  local nn, optim = nl.nn, nl.optim
  return {
    [nl] = "nl", [nl.F] = "F, which is nl.nn.functional", [nl.linalg] = "nl.linalg", [nl.special] = "nl.special",
    [nl.masked] = "nl.masked",
    [nl.autograd] = "nl.autograd", [nn] = "nn", [nn.init] = "nn.init", [nn.utils] = "nn.utils",
    [nn.utils.rnn] = "nn.utils.rnn",
    [nn.utils.parametrize] = "nn.utils.parametrize", [nn.utils.parametrizations] = "nn.utils.parametrizations",
    [nn.utils.prune] = "nn.utils.prune",
    [nn.quantized.dynamic] = "nn.quantized.dynamic", [optim] = "optim",
    [optim.lr_scheduler] = "optim.lr_scheduler", [optim.swa_utils] = "optim.swa_utils",
    [nl.utils.data] = "nl.utils.data", [nl.argparse] = "nl.argparse", [nl.cuda] = "nl.cuda",
    [nl.metrics] = "nl.metrics", [nl.callbacks] = "nl.callbacks", [nl.checkpoint] = "nl.checkpoint",
    [nl.distributions] = "nl.distributions", [nl.distributions.constraints] = "nl.distributions.constraints",
    [nl.accelerator] = "nl.accelerator", [nl.testing] = "nl.testing", [nl.fft] = "nl.fft",
    [nl.signal.windows] = "nl.signal.windows", [nl.io] = "nl.io",
    [nl.transforms] = "nl.transforms", [nl.transforms.functional] = "nl.transforms.functional",
    [nl.datasets] = "nl.datasets", [nl.text] = "nl.text", [nl.audio] = "nl.audio", [nl.vision] = "nl.vision",
    [nl.plot] = "nl.plot",
    [nl.distributions.transforms] = "nl.distributions.transforms",
  }
end

--- What is in a part of the library.
local function part_text(part, name)
  local names = {}
  for key in pairs(part) do
    if type(key) == "string" and not key:find "^_" then names[#names + 1] = key end
  end
  table.sort(names)
  return ("%s has\n%s"):format(name, text.wrapped(table.concat(names, ", "), "  "))
end

--- The names of all entries, for what is nearly one of them.
local function known_names()
  local names = {}
  for name in pairs(options.names()) do names[name] = true end
  for _, entry in ipairs(catalogue.all()) do names[entry.short] = true end
  return names
end

local function unknown(name)
  if name:find "[%s*]" then
    return search.text(name) or ("No entry of the help has to do with %s."):format(name)
  end
  local nearest = similar.nearest(name:match "[^.:]+$" or name, known_names())
  local entry = nearest and catalogue.find(nearest)
  local suggestion = nearest and (" Did you mean %s?"):format(entry and entry.name or nearest) or ""
  local others = search.text(name)
  return ("Nothing is known of %s.%s%s"):format(name, suggestion, others and "\n" .. others or "")
end

--- The text of the entry of a name or value, and of the argument of that name; nil if there is neither.
---     > nl.help.find("Tensor:numel"):match "[^\n]+"
---     x:numel()
---     > nl.help.find "no such name"
---     nil
function help.find(what)
  local entry = catalogue.find(what)
  local argument = type(what) == "string" and options.text(what, entry ~= nil)
  if entry and argument then return entry_text(entry) .. "\n\n" .. argument end
  return argument or entry and entry_text(entry)
end

--- What help prints of a name or a value; of nothing a tour.
---     > nl.help.text(nl.ones(2)):match "[^.]+"
---     A tensor: shape [2], nnlua
---@param what any
---@return string
function help.text(what)
  if what == nil then return TOUR end
  local found = help.find(what)
  if found then return found end
  local part = type(what) == "table" and parts()[what]
  if part then return part_text(what, part) end
  if core.is_tensor(what) then return text.wrapped(tensor_text(what), "") end
  if core.is_module(what) then
    return help.find(core.class_of(what)) or tostring(core.class_of(what)) .. ": a class of your own, from nn.Module"
  end
  local class = type(what) == "table" and getmetatable(what)
  if type(class) == "table" and help.find(class) then return help.find(class) end
  if type(what) == "string" then return unknown(what) end
  return ("Nothing is known of this %s; help \"name\" looks a name up."):format(type(what))
end

--- Prints what is known of a value, or of a name: `help(nl.conv2d)`, `help "nn.Linear"`.
return setmetatable(help, {__call = function(_, what) print(help.text(what)) end})
