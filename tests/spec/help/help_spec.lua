local nl = require "nnlua"
local catalogue = require "nnlua.help.catalogue"
local help = nl.help
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

  it("tells a name that was perhaps meant", function()
    assert.equal("Nothing is known of con2d. Did you mean nl.conv2d?", help.text "con2d")
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
  it("has an entry with a description for every public name", function()
    for _, entry in ipairs(catalogue.all()) do
      local described = false
      for _, overload in ipairs(entry.overloads) do described = described or overload.text ~= "" end
      assert.is_true(described, entry.name)
    end
  end)

  it("has an example for every op, layer, optimizer, schedule and dataset, and shapes for ops and layers", function()
    local bases = {["nn.Module"] = true, ["optim.Optimizer"] = true, ["utils.data.Dataset"] = true}
    for _, entry in ipairs(catalogue.all()) do
      for i, overload in ipairs(entry.overloads) do
        local parts = text.parts(overload.text)
        local is_base = bases[entry.name] or entry.name:find "Base$" or entry.name:find "Iterable"
          or entry.short == "Sampler" or entry.short == "LRScheduler"
        if (entry.kind == "op" or entry.kind == "class") and not is_base then
          assert.is_true(#parts.examples > 0, entry.name .. " form " .. i .. " has no example")
        end
        if entry.kind == "op" then
          assert.is_true(#parts.shapes > 0, entry.name .. " form " .. i .. " has no shapes")
        end
      end
    end
  end)
end)
