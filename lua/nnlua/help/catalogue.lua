-- All that the help knows: an entry for each public name.

local args = require "nnlua.args"
local comments = require "nnlua.help.comments"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local parts = require "nnlua.parts"
local rows = require "nnlua.help.rows"
local text = require "nnlua.help.text"

local catalogue = {}

-- An entry: `name` ("nn.Linear"), `short` ("Linear"), `kind` (op, class, method, function, value), `group` (a title of
-- the reference), `overloads` (a list of signatures and a text), `value` (what it describes, if that is one value),
-- `doc` (of a comment: params, returns, fields).

-- ------------------------------------------------------------- signatures

local value_text
function value_text(v)
  if v == nl.none then return "nl.none" end
  if type(v) ~= "table" then return type(v) == "string" and ("%q"):format(v) or core.format("%s", v) end
  local texts = {}
  for i, one in ipairs(v) do texts[i] = value_text(one) end
  return "{" .. table.concat(texts, ", ") .. "}"
end

--- The arguments of an args.parser spec as a text.
local function spec_text(spec)
  local texts = {}
  for i, one in ipairs(spec) do
    local name, kind, default = one[1], one[2], one[3]
    if default ~= nil then texts[i] = ("%s = %s"):format(name, value_text(default))
    else texts[i] = name .. (kind:find "%?" and "?" or "") end
  end
  return table.concat(texts, ", ")
end

--- The spec of the args.parser that a function reads what it takes by, or one that it calls.
local function spec_read_by(f, deep)
  local i, name, value = 1, debug.getupvalue(f, 1)
  while name do
    local spec = args.by_parser[value] or deep and type(value) == "function" and spec_read_by(value)
    if spec then return spec end
    i = i + 1
    name, value = debug.getupvalue(f, i)
  end
end

--- The spec of a function that says no more than "..." of what it takes, or of what it takes behind some arguments:
--- then another one may read the rest for it.
local function spec_of(f, found)
  local said = found and found.arguments or "..."
  if not f or not said:find("...", 1, true) then return nil end
  f = core.unguarded(f)
  return spec_read_by(f) or said ~= "..." and spec_read_by(f, true) or nil
end

--- The arguments of a function of some full name as a text, and their spec if there is one.
local function arguments_of(name, found, f)
  local said = found and found.arguments or "..."
  local spec = args.specs[name] or args.specs[name:match "^nl%.(.*)$"] or spec_of(f, found)
  if not spec then return (said:gsub("%.%.%.", "…"):gsub("^self,?%s*", "")) end
  local texts, known = {}, {self = true}
  for _, one in ipairs(spec) do known[one[1]] = true end
  for before in (said:find("...", 1, true) and said or ""):gmatch "([%a_][%w_]*)," do
    if not known[before] then texts[#texts + 1] = before end
  end
  texts[#texts + 1] = spec_text(spec)
  return table.concat(texts, ", "), spec
end

-- ------------------------------------------------------------------ adding

local function new_list()
  return {by_value = {}, by_name = {}}
end

local function add(list, entry)
  if list.by_name[entry.name] then return end
  list[#list + 1] = entry
  list.by_name[entry.name] = entry
  if entry.value ~= nil and not list.by_value[entry.value] then list.by_value[entry.value] = entry end
  return entry
end

local function entry_of(name, kind, group, found, value, signature)
  local doc = found and found.doc
  return {
    name = name, short = name:match "[^.:]+$", kind = kind, group = group, value = value, doc = doc or nil,
    overloads = {{signatures = {signature}, text = doc and doc.text or ""}},
  }
end

local function add_function(list, name, value, group)
  local found = comments.of_value(name)
  if debug.getinfo(core.unguarded(value), "S").what ~= "C" then found = comments.of_function(value) or found end
  local arguments, spec = arguments_of(name, found, value)
  local entry = entry_of(name, "function", group, found, value, ("%s(%s)"):format(name, arguments))
  entry.spec = spec
  return add(list, entry)
end

local function is_class(value)
  local meta = debug.getmetatable(value)
  return core.is_class(value) or type(value) == "table" and rawget(value, "__name") ~= nil
    and type(meta) == "table" and meta.__call ~= nil
end

local function full_class_name(class)
  return rawget(class, "__name") or tostring(class)
end

local function add_methods(list, name, class, group)
  local keys = {}
  for key, value in next, class do
    if type(key) == "string" and type(value) == "function" and not key:find "^_" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = class[key]
    local found = debug.getinfo(core.unguarded(value), "S").what ~= "C" and comments.of_function(value)
    if found and found.doc and found.doc.text ~= "" then
      local method = name .. ":" .. key
      local arguments, spec = arguments_of(method, found, value)
      local entry = entry_of(method, "method", group, found, value, ("%s(%s)"):format(method, arguments))
      entry.spec = spec
      add(list, entry)
    end
  end
end

local function add_class(list, name, class, group)
  local found = comments.of_class(full_class_name(class))
  local init = rawget(class, "init")
  local maker = init and comments.of_function(init)
  local arguments, spec = arguments_of(full_class_name(class), maker or {arguments = "…"}, init)
  local entry = entry_of(name, "class", group, found, class, ("%s(%s)"):format(name, arguments))
  entry.spec, entry.class = spec, class
  add(list, entry)
  add_methods(list, name, class, group)
end

-- --------------------------------------------------------------- the parts

local function sorted_names(t)
  local names = {}
  for name in pairs(t) do
    if type(name) == "string" and not name:find "^_" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Adds the functions and classes of a part of the library.
local function add_part(list, part, prefix, group)
  for _, name in ipairs(sorted_names(part)) do
    local value, full = part[name], prefix .. name
    if type(value) == "function" then
      local is_known = list.by_name[full] or list.by_value[value]
      if not is_known then add_function(list, full, value, group) end
    elseif is_class(value) then
      add_class(list, full, value, group)
    end
  end
end

local groups_of_declared = {nl = "nnlua", Tensor = "Tensor", utils = "Data", ["nl.autograd"] = "autograd"}

--- Adds what a source declares (core.lua, graph.lua, fields.lua, questions.lua, settings.lua): what C provides and no
--- row describes.
local function add_declared(list, source)
  for _, one in ipairs(comments.of_source(source)) do
    local name = one.name
    local is_method = name:find ":" ~= nil
    local group = groups_of_declared[name:match "^nl%.autograd" or name:match "^%a+"]
    local signature = one.kind == "function" and ("%s(%s)"):format(name:gsub("^Tensor:", "x:"), one.arguments or "") or
      name:gsub("^Tensor%.", "x.")
    add(list, entry_of(name, is_method and "method" or one.kind, group, one, nil, signature))
  end
end

local function add_ops(list)
  local _, members = debug.getupvalue(debug.getmetatable(nl.empty(0)).__index, 1)
  for _, entry in ipairs(rows.entries()) do
    local in_nl = {nl, members, nl.F}
    add(list, entry)
    for _, suffix in ipairs {"", "_"} do
      for _, name in ipairs {entry.short, table.unpack(entry.aliases)} do
        for _, place in ipairs(entry.space and {nl[entry.space], entry.rows[1].in_nl and nl or nil} or in_nl) do
          local value = rawget(place, name .. suffix)
          if value then list.by_value[value] = list.by_value[value] or entry end
        end
      end
    end
  end
end

--- What a full name stands for in the library, nil for a method.
local function value_of(name)
  local value = nl
  for part in (name:gsub("^nl%.", "")):gmatch "[^.]+" do
    if type(value) ~= "table" then return nil end
    value = value[part]
  end
  return value
end

--- Lets functions be found that C provides, or that are declared elsewhere than where they are made.
local function add_values(list)
  for _, entry in ipairs(list) do
    local value = (entry.kind == "function" or entry.kind == "class") and not entry.value and value_of(entry.name)
    if value and not list.by_value[value] then list.by_value[value] = entry end
  end
end

local function build()
  local list = new_list()
  for _, name in ipairs(parts) do assert(nl[name]) end -- loaded when they are asked for
  add_declared(list, "nnlua/help/core.lua")
  add_declared(list, "nnlua/help/graph.lua")
  add_declared(list, "nnlua/help/fields.lua")
  add_declared(list, "nnlua/help/questions.lua")
  add_declared(list, "nnlua/help/settings.lua")
  add_values(list)
  add_ops(list)
  local nn, optim, data = nl.nn, nl.optim, nl.utils.data
  add_part(list, nl, "nl.", "nnlua")
  for _, name in ipairs {"cuda", "accelerator"} do add_part(list, nl[name], "nl." .. name .. ".", "nnlua") end
  add_part(list, {Module = nn.Module}, "nn.", "Modules")
  add_part(list, nn, "nn.", "Modules")
  add_part(list, nn.quantized.dynamic, "nn.quantized.dynamic.", "Modules")
  add_part(list, nl.F, "F.", "Modules")
  add_part(list, nn.init, "nn.init.", "Initial values")
  add_part(list, nn.utils, "nn.utils.", "Tools for modules")
  for _, part in ipairs {"rnn", "parametrize", "parametrizations", "prune"} do
    add_part(list, nn.utils[part], "nn.utils." .. part .. ".", "Tools for modules")
  end
  add_part(list, {Optimizer = optim.Optimizer}, "optim.", "Optimizers")
  add_part(list, optim, "optim.", "Optimizers")
  add_part(list, optim.functional, "optim.functional.", "Optimizers")
  add_part(list, optim.lr_scheduler, "optim.lr_scheduler.", "Schedules")
  add_part(list, optim.swa_utils, "optim.swa_utils.", "Averages of models")
  add_part(list, data, "utils.data.", "Data")
  for _, part in ipairs {"", "transforms.", "constraints.", "utils."} do
    local prefix = "distributions." .. part
    add_part(list, part == "" and nl.distributions or nl.distributions[part:sub(1, -2)], prefix, "Distributions")
  end
  add_part(list, {Trainer = nl.Trainer}, "nl.", "Training")
  add_part(list, nl.callbacks, "nl.callbacks.", "Training")
  add_part(list, {Metric = nl.metrics.Metric}, "nl.metrics.", "Training")
  add_part(list, nl.metrics, "nl.metrics.", "Training")
  add_part(list, nl.checkpoint, "nl.checkpoint.", "Training")
  add_part(list, nl.datasets, "datasets.", "Data")
  add_part(list, nl.transforms, "transforms.", "Pictures")
  add_part(list, nl.transforms.functional, "nl.transforms.functional.", "Pictures")
  add_part(list, nl.plot, "nl.plot.", "Plots")
  add_part(list, nl.vision, "nl.vision.", "Pictures")
  add_part(list, nl.audio, "nl.audio.", "Sound")
  add_part(list, nl.text, "text.", "Text")
  add_part(list, nl.argparse, "argparse.", "Scripts")
  add_part(list, nl.autograd, "nl.autograd.", "autograd")
  add_part(list, require "nnlua.gradcheck", "nl.autograd.", "autograd")
  add_part(list, nl.autograd.functional, "nl.autograd.functional.", "autograd")
  add_part(list, nl.autograd.forward_ad, "nl.autograd.forward_ad.", "autograd")
  add_part(list, nl.func, "nl.func.", "func")
  add_part(list, nl.program, "nl.program.", "Programs")
  add_part(list, nl.onnx, "nl.onnx.", "Programs")
  add_part(list, nl.profiler, "nl.profiler.", "Profiles")
  add_part(list, nl.distributed, "nl.distributed.", "Several processes")
  add_part(list, nl.distributed.nn.functional, "nl.distributed.nn.functional.", "Several processes")
  add_part(list, nl.distributed.optim, "nl.distributed.optim.", "Several processes")
  add_part(list, nn.parallel, "nn.parallel.", "Several processes")
  add_part(list, nl.quasirandom, "nl.quasirandom.", "nnlua")
  add_part(list, nl.random, "nl.random.", "nnlua")
  for _, name in ipairs {"mha", "cuda", "cudnn", "mps"} do
    add_part(list, nl.backends[name], "nl.backends." .. name .. ".", "nnlua")
  end
  add_part(list, {find = nl.help.find, text = nl.help.text}, "nl.help.", "nnlua")
  add_part(list, {make_folder = nl.utils.make_folder, interrupts = nl.utils.interrupts,
    terminal_width = nl.utils.terminal_width}, "nl.utils.", "Training")
  add_part(list, nl.utils.tensorboard, "nl.utils.tensorboard.", "Training")
  add_part(list, nl.utils.checkpoint, "nl.utils.checkpoint.", "autograd")
  add_part(list, nl.amp, "nl.amp.", "autograd")
  add_part(list, nl.signal.windows, "nl.signal.windows.", "nnlua")
  add_part(list, nl.io, "nl.io.", "Files")
  add_part(list, nl.testing, "testing.", "Testing")
  return list
end

local built

--- The list of all entries; `by_value` and `by_name` find one.
function catalogue.all()
  built = built or build()
  return built
end

--- The entry of a name: written in full, with or without "nl.", or in short; of a value: the function or class itself.
function catalogue.find(what)
  local list = catalogue.all()
  if type(what) ~= "string" then return list.by_value[what] end
  local name = what:gsub("^torch%.", "nl."):gsub("[()]", ""):gsub("^x[:.]", "Tensor:"):gsub("^F%.", "nl.nn.functional.")
  for _, candidate in ipairs {name, "nl." .. name, (name:gsub("^nl%.", "")), "nn." .. name, (name:gsub(":", "."))} do
    if list.by_name[candidate] then return list.by_name[candidate] end
  end
  local short = name:match "[^.:]+$"
  local bare = short and short:gsub("_$", "")
  for _, wanted in ipairs {short, bare} do
    for _, entry in ipairs(list) do
      if entry.short == wanted then return entry end
      for _, alias in ipairs(entry.aliases or {}) do
        if alias == wanted then return entry end
      end
    end
  end
end

-- ---------------------------------------------------------------- examples

--- The lines of an entry's examples.
local function example_lines(entry)
  local lines = {}
  for _, overload in ipairs(entry.overloads) do
    local more = text.parts(overload.text).examples
    table.move(more, 1, #more, #lines + 1, lines)
  end
  return lines
end

--- Whether an entry's examples call a method of that name; `init` is what the call of a class comes to.
local function shows(entry, name)
  if name == "init" and entry.kind == "class" then return #example_lines(entry) > 0 end
  for _, line in ipairs(example_lines(entry)) do
    if line:find("[.:]" .. name .. "%f[^%w_]") then return true end
  end
  return false
end

--- The entry whose examples show one in use: itself; for a method without any, its class or another method of that
--- which calls it there. nil if there is none.
function catalogue.shown_by(entry)
  if #example_lines(entry) > 0 then return entry end
  local class = entry.kind == "method" and entry.name:match "^(.+):"
  if not class then return nil end
  local list = catalogue.all()
  if list.by_name[class] and shows(list.by_name[class], entry.short) then return list.by_name[class] end
  for _, other in ipairs(list) do
    if other.kind == "method" and other.name:match "^(.+):" == class and shows(other, entry.short) then return other end
  end
end

return catalogue
