local nl = require "nnlua"
local catalogue = require "nnlua.help.catalogue"
local comments = require "nnlua.help.comments"
local core = require "nnlua.nn.core"
local help = nl.help
local options = require "nnlua.help.options"
local text = require "nnlua.help.text"

local function printed(what)
  local lines, original = {}, print
  finally(function() _G.print = original end)
  _G.print = function(...) lines[#lines + 1] = table.concat({...}, "\t") end
  help(what)
  return table.concat(lines, "\n")
end

describe("help", function()
  it("explains functions, classes and names", function()
    for _, what in ipairs {nl.sum, "sum", "nl.sum", "x:sum", "Tensor:sum", "torch.sum", nl.ones(2).sum} do
      assert.matches("^nl%.sum%(input, dim%?, keepdim = false, dtype%?%)\nx:sum%(", help.text(what))
    end
    assert.matches("^nn%.Linear%(in_features, out_features, bias = true", help.text(nl.nn.Linear))
    assert.matches("^nn%.Linear%(", help.text "Linear")
    assert.matches("^optim%.Adam%(params, lr = 0%.001, betas = {0%.9, 0%.999}", help.text(nl.optim.Adam))
    assert.matches("^utils%.data%.DataLoader%(dataset, batch_size = 1", help.text(nl.utils.data.DataLoader))
    assert.matches("^x:item%(%)", help.text "Tensor:item")
    for name, value in pairs {["utils.data.read_csv"] = nl.utils.data.read_csv, ["nl.autograd.grad"] = nl.autograd.grad,
      ["nl.checkpoint.load"] = nl.checkpoint.load, ["nl.plot.scatter"] = nl.plot.scatter} do -- some are C's
      assert.equal(help.text(name), help.text(value))
      assert.equal(1, (help.text(value):find(name, 1, true)))
    end
    assert.matches("^x%.grad", help.text "Tensor.grad")
  end)

  it("explains values by what they are", function()
    assert.matches("^A tensor: shape %[2%], nnlua.float32", help.text(nl.ones(2)))
    assert.matches("^nn%.Linear%(", help.text(nl.nn.Linear(2, 3)))
    assert.matches("Net: a class of your own", help.text(nl.nn.class("Net")()))
    assert.matches("Nothing is known of this number", help.text(5))
  end)

  it("lists what is in a part of the library", function()
    assert.matches("^nn%.init has\n  calculate_gain, constant_, ", help.text(nl.nn.init))
    assert.matches("^F, which is nl.nn.functional has\n", help.text(nl.F))
    assert.matches("Adam, AdamW", help.text(nl.optim))
  end)

  it("finds in-place forms and further names", function()
    assert.matches("^nl%.add%(", help.text "add_")
    assert.matches("^nl%.add%(", help.text(nl.ones(1).add_))
    assert.matches("^nl%.mul%(", help.text "multiply")
  end)

  it("explains arguments, beside a function of that name", function()
    assert.matches("^lr, an argument\n  The learning rate: .*optim%.Adam %(0%.001%)", help.text "lr")
    assert.matches("^weight_decay, an argument\n  %u.*optim%.AdamW%s+%(0%.01%)", help.text "weight_decay")
    assert.matches("^keepdim, an argument\n  %u.*nl%.sum %(false%)", help.text "keepdim")
    assert.matches("^x:dim%(%).*\n\ndim, an argument\n  The dimension", help.text "dim")
    assert.matches("^Nothing is known of weight_deacy. Did you mean weight_decay%?", help.text "weight_deacy")
  end)

  it("says what each argument of each function, method and class means, and its type", function()
    local missing = {}
    for _, entry in ipairs(catalogue.all()) do
      for _, one in ipairs(options.of_entry(entry)) do
        local name, meaning, kind = table.unpack(one, 1, 3)
        if not meaning or not kind then table.insert(missing, entry.name .. ": " .. name) end
      end
    end
    assert.same({}, missing)
  end)

  it("knows what an argument means in a place, and only arguments that there are", function()
    assert.matches("\n  c %(tensor or list%): The class or the number of each point", help.text(nl.plot.scatter))
    assert.matches("\n  momentum %(number%): How much of the last step", help.text(nl.optim.SGD))
    for _, name in ipairs {"nl.nn.functional.local_response_norm", "nn.LocalResponseNorm"} do
      assert.matches("\n  size %(integer%): Over how many neighbouring channels", help.text(name))
    end
    local there = options.names()
    for name in pairs(options.known()) do assert.is_true(there[name], name) end
  end)

  it("tells an argument's type from what its comment adds", function()
    local doc = comments.scan(table.concat({
      "---@param a? number 0.5 unless given", "---@param b boolean false: nothing changes", "---@param c integer",
      "---@param d? table<string, any> by name", "---@param e fun(x: number, y: number): number of two",
      "---@param f? {format: string?, metadata: table<string, string>?}", "---@param g fun(...): Tensor", "---@param h",
      "local function f() end",
    }, "\n"))[1].doc
    local found = {}
    for i, one in ipairs(doc.params) do found[i] = one.kind .. " / " .. one.text end
    assert.same({"number / 0.5 unless given", "boolean / false: nothing changes", "integer / ",
      "table<string, any> / by name", "fun(x: number, y: number): number / of two",
      "{format: string?, metadata: table<string, string>?} / ", "fun(...): Tensor / ", " / "}, found)
    assert.matches("\n  decay %(number%): How much of the average is kept at each update. 0.999 unless\n    given.",
      help.text "get_ema_avg_fn")
  end)

  it("shows the constructor's arguments of each class", function()
    for name, first in pairs {ConvTranspose1d = "in_channels", ConvTranspose2d = "in_channels",
      MultiheadAttention = "embed_dim", Transformer = "d_model = 512", TransformerEncoder = "encoder_layer",
      TransformerDecoder = "decoder_layer", TransformerEncoderLayer = "d_model", TransformerDecoderLayer = "d_model"} do
      assert.equal(("nn.%s(%s"):format(name, first), help.text(nl.nn[name]):match "^[^,]+")
    end
  end)

  it("keeps the lines of shapes in order", function()
    assert.matches("Shapes: input (T, N, in) or (T, in), with batch_first (N, T, in); h (layers *\n  directions",
      help.text(nl.nn.LSTM), 1, true)
    for _, entry in ipairs(catalogue.all()) do
      for _, overload in ipairs(entry.overloads) do
        local after = overload.text:match "\nShapes:[^\n]*\n([^%s][^\n]*)"
        local shapes = table.concat(text.parts(overload.text).shapes, "\n")
        if after then assert.is_truthy(shapes:find(after:gsub("^Shapes:%s*", ""), 1, true), entry.name) end
      end
    end
  end)

  it("looks for words in names and texts, for arguments too, and for names with wildcards", function()
    local found = help.text "convolution images"
    assert.matches("\n  nn.Conv2d   *A convolution of images", "\n" .. found)
    assert.not_matches("nn.Conv1d", found)
    assert.matches("  lr, an argument   *The learning rate", (help.text "learning rate"))
    local pools = help.text "nn.*max*pool2d"
    assert.matches("^  nn.AdaptiveMaxPool2d .*\n  nn.MaxPool2d ", pools)
    assert.not_matches("F.max_pool2d", pools)
    assert.matches("  F.max_unpool2d   *Maxima", help.text "*max_unpool*")
    assert.equal("No entry of the help has to do with qqq www.", help.text "qqq www")
    for line in (help.text "*pool*" .. "\n"):gmatch "(.-)\n" do assert.is_true(utf8.len(line) <= 80, line) end
  end)

  it("explains the arguments that many functions share", function()
    assert.matches('\n  reduction %(string%): What becomes of the losses of all elements: "mean", "sum"\n    or',
      help.text "mse_loss")
  end)

  it("tells a name that was perhaps meant", function()
    assert.matches("^Nothing is known of cnv2d. Did you mean nl.conv2d%?\n  nl.conv2d   *The convolution",
      help.text "cnv2d")
    assert.equal("Nothing is known of zzzzzzzz.", help.text "zzzzzzzz")
  end)

  it("gives a tour, and prints", function()
    assert.matches("Tensors.*Gradients.*Modules.*Training", help.text())
    assert.equal(help.text(nl.sum), (printed(nl.sum)))
  end)

  it("keeps lines within 80 columns but for examples", function()
    for _, entry in ipairs(catalogue.all()) do
      for line in help.find(entry.name):gmatch "[^\n]+" do
        if not line:find "^    " and line:find " " then assert.is_true(utf8.len(line) <= 80, line) end
      end
    end
  end)
end)

describe("the catalogue", function()
  it("has an entry for every public name", function()
    local missing, list, seen = {}, catalogue.all(), {}
    local function look(part, prefix)
      if seen[part] then return end
      seen[part] = true
      for name, value in pairs(part) do
        if type(name) == "string" and not name:find "^_" then
          local full, meta = prefix .. name, debug.getmetatable(value)
          local is_class = core.is_class(value) or type(value) == "table" and rawget(value, "__name") and meta.__call
          local is_there = list.by_value[value] or list.by_name[full] or list.by_name["nl." .. full]
          if type(value) == "table" and not is_class then look(value, full .. ".")
          elseif (is_class or type(value) == "function") and not is_there then table.insert(missing, full) end
        end
      end
    end
    for _, name in ipairs(require "nnlua.parts") do assert(nl[name]) end -- read when they are asked for
    look(nl, "")
    assert.same({}, missing)
  end)

  it("has a description and a signature for every entry", function()
    for _, entry in ipairs(catalogue.all()) do
      local described = false
      for _, overload in ipairs(entry.overloads) do
        described = described or overload.text ~= ""
        assert.is_true(#overload.signatures > 0, entry.name)
      end
      assert.is_true(described, entry.name)
    end
  end)

  it("shows every function, class, method and field in use, a method perhaps where its class is shown", function()
    local missing = {}
    for _, entry in ipairs(catalogue.all()) do
      if not catalogue.shown_by(entry) then table.insert(missing, entry.name) end
    end
    assert.same({}, missing)
  end)

  it("says in help whose example shows a method", function()
    assert.matches("\n  Example: that of nl%.Trainer$", help.text "nl.Trainer:fit")
  end)

  it("has an example for every form of an op, and its shapes", function()
    for _, entry in ipairs(catalogue.all()) do
      for i, overload in ipairs(entry.overloads) do
        local parts = text.parts(overload.text)
        if parts.examples[1] then -- each can be pasted at the prompt as it stands
          assert.truthy(parts.examples[1]:find "^> ", entry.name)
        end
        if entry.kind == "op" then
          assert.is_true(#parts.examples > 0, entry.name .. " form " .. i .. " has no example")
          assert.is_true(#parts.shapes > 0, entry.name .. " form " .. i .. " has no shapes")
        end
      end
    end
  end)
end)
