-- nl.report, and a trainer's report.
local nl = require "nnlua"
local nn = nl.nn

local path

before_each(function() path = os.tmpname() end)
after_each(function() os.remove(path) end)

local function page_of(...)
  nl.report(path, ...)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function count(page, pattern)
  return select(2, page:gsub(pattern, ""))
end

describe("a report", function()
  local history = {
    {epoch = 1, step = 5, loss = 2.0, val_loss = 2.5, accuracy = 0.25, lr = 0.1},
    {epoch = 2, step = 10, loss = 1.0, val_loss = 1.5, accuracy = 0.5, lr = 0.1},
  }

  it("is one page that needs nothing else", function()
    local page = page_of(history, {title = "a <run>", samples = {nl.rand(3, 4, 4), nl.plot.line({1, 2})}})
    assert.matches("^<!DOCTYPE html>\n", page)
    assert.matches("<title>a &lt;run&gt;</title>", page)
    assert.is_nil(page:find("<script", 1, true) or page:find("<link", 1, true) or page:find "src=\"[^d]")
    assert.equal(count(page, "https?://"), count(page, 'xmlns="http://www.w3.org/2000/svg"'))
    for _, tag in ipairs {"div", "figure", "section", "table", "tr", "td", "svg"} do
      assert.equal(count(page, "<" .. tag .. "[ >]"), count(page, "</" .. tag .. ">"), tag)
    end
  end)

  it("draws each value with that of the validation, for light and dark screens", function()
    local page = page_of(history)
    assert.equal(6, count(page, "<svg")) -- loss, accuracy, lr
    assert.equal(3, count(page, "<figcaption>"))
    assert.is_nil(page:find("<figcaption>val_loss", 1, true))
    assert.equal(0, count(page_of {history[1]}, "<svg"))
    assert.equal(0, count(page_of {}, "<svg"))
  end)

  it("tells the epochs, the best one, samples, settings and the model", function()
    local page = page_of(history, {
      best = {epoch = 2, value = 1.5, name = "val_loss"}, settings = {batch_size = 8, name = "a&b"},
      model = nn.Linear(3, 2), samples = {{title = "text", value = "x < y"}, {title = "gray", value = nl.rand(4, 4)}},
    })
    assert.matches('<b>1.5</b><span>best val_loss, in epoch 2</span>', page, 1, true)
    assert.matches('<b>8</b><span>parameters</span>', page, 1, true)
    assert.matches('<b>0.5</b><span>accuracy, at the end</span>', page, 1, true)
    assert.matches('<tr class="best"><td>2</td><td>10</td><td>1</td>', page, 1, true)
    assert.matches("<td>name</td><td>a&amp;b</td>", page, 1, true)
    assert.matches("<pre>x &lt; y</pre><figcaption>text</figcaption>", page, 1, true)
    assert.matches("Linear(in_features=3, out_features=2, bias=True)", page, 1, true)
    assert.matches("<td[^>]*>Linear</td><td>8</td><td>yes</td>", page) -- without an input: no shapes
    assert.is_nil(page:find("Mult-adds", 1, true))
    local bytes = page:match 'src="data:image/png;base64,([%w+/=]+)"'
    assert.is_true(#bytes % 4 == 0 and bytes:find "^iVBORw0KGgo" == 1)
  end)

  it("has the table of the summary's layers, set in by their depth", function()
    local net = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 2))
    net[2].weight:requires_grad_(false)
    net[2].bias:requires_grad_(false)
    local page = page_of(history, {model = net, summary = nn.summary(net, nl.ones(5, 3))})
    local function cell(text) return ">" .. text .. "</td>" end
    assert.equal(6, count(page:match '<table class="layers">.-</table>', "<tr>"))
    assert.matches('<td style="padding-left:2.7em">0: Linear</td><td style="text-align:left">[5, 4]</td>'
      .. "<td>16</td><td>60</td>", page, 1, true) -- 3 * 4 + 4 parameters, 5 * 3 * 4 products
    assert.matches('<td style="padding-left:1.5em">1: Linear</td><td style="text-align:left">[5, 2]</td>'
      .. "<td>(10)</td><td>40</td>", page, 1, true)
    assert.matches("<b>26</b><span>Total params</span>", page, 1, true)
    assert.matches("<b>100</b><span>Total mult-adds</span>", page, 1, true)
    assert.matches("<b>26</b><span>parameters</span>", page, 1, true)
    assert.truthy(page:find(cell "no", 1, true) and page:find(cell "yes", 1, true))
  end)

  it("is written by a trainer", function()
    local net = nn.Linear(2, 1)
    local trainer = nl.Trainer(net, {optimizer = nl.optim.SGD(net:parameters(), {lr = 0.1}), loss = nn.MSELoss(),
      max_epochs = 3, progress = false})
    local data = nl.utils.data
    trainer:fit(data.DataLoader(data.TensorDataset(nl.ones(8, 2), nl.ones(8, 1)), {batch_size = 4}))
    trainer:report(path, "a line")
    local page = assert(io.open(path)):read "a"
    assert.matches("<h1>a line</h1>", page, 1, true)
    assert.matches("<td>batch_size</td><td>4</td>", page, 1, true)
    assert.matches("<td>max_epochs</td><td>3</td>", page, 1, true)
    assert.matches("best loss, in epoch 3", page, 1, true)
    assert.matches('Linear</td><td style="text-align:left">[4, 1]</td><td>3</td><td>8</td>', page, 1, true)
  end)

  it("tells the rate that a run began with, whatever a schedule made of it", function()
    local net = nn.Linear(2, 1)
    local optimizer = nl.optim.SGD({{params = {net.weight}}, {params = {net.bias}, lr = 0.5}}, {lr = 0.25})
    local trainer = nl.Trainer(net, {optimizer = optimizer, loss = nn.MSELoss(), max_epochs = 3, progress = false,
      scheduler = nl.optim.lr_scheduler.StepLR(optimizer, 1, 0.1)})
    trainer:fit(nl.utils.data.DataLoader(nl.utils.data.TensorDataset(nl.ones(8, 2), nl.ones(8, 1))))
    trainer:report(path)
    local page = assert(io.open(path)):read "a"
    assert.matches("Parameter Group 0\n.-    lr: 0.25\n.-Parameter Group 1\n.-    lr: 0.5\n", page)
    assert.is_nil(page:find("initial_lr", 1, true))
  end)

  it("tells the rate that a run began with, and was resumed with, if a schedule by a metric has changed it", function()
    local function train(epochs, resume)
      local net = nn.Linear(2, 1)
      local optimizer = nl.optim.SGD({{params = {net.weight}}, {params = {net.bias}, lr = 0.5}}, {lr = 0.25})
      local trainer = nl.Trainer(net, {optimizer = optimizer, loss = nn.MSELoss(), max_epochs = epochs,
        progress = false, folder = path .. ".run",
        scheduler = nl.optim.lr_scheduler.ReduceLROnPlateau(optimizer, {patience = 0, threshold = 1e9})})
      local set = nl.utils.data.TensorDataset(nl.ones(8, 2), nl.ones(8, 1))
      trainer:fit(nl.utils.data.DataLoader(set), {resume = resume})
      assert.is_true(optimizer.param_groups[1].lr < 0.2)
      trainer:report(path)
      assert.matches("Parameter Group 0\n.-    lr: 0.25\n.-Parameter Group 1\n.-    lr: 0.5\n",
        assert(io.open(path)):read "a")
    end
    train(3, false)
    train(5, true)
    os.execute("rm -r '" .. path .. ".run'")
  end)

  it("of a trainer with a training_step has the parameters alone, or the summary that it is given", function()
    local net = nn.Linear(2, 1)
    local trainer = nl.Trainer(net, {optimizer = nl.optim.SGD(net:parameters(), {lr = 0.1}), progress = false,
      training_step = function(model, x) return model(x:relu()):sum() end})
    trainer:fit(nl.utils.data.DataLoader(nl.utils.data.TensorDataset(nl.ones(8, 2)), {batch_size = 4}))
    trainer:report(path)
    local page = assert(io.open(path)):read "a"
    assert.is_nil(page:find("Mult-adds", 1, true))
    assert.matches("Linear</td><td>3</td><td>yes</td>", page, 1, true)
    trainer:report(path, {summary = nn.summary(net, {5, 2})})
    assert.matches("[5, 1]</td><td>3</td><td>10</td>", assert(io.open(path)):read "a", 1, true)
  end)

  it("of a model that can't evaluate what it trained on has the parameters alone", function()
    local Odd = nn.class "Odd"
    function Odd:init() self.inner = nn.Linear(2, 1) end
    function Odd:forward(x) return assert(self.training and self.inner(x), "only trains") end
    local net = Odd()
    local trainer = nl.Trainer(net, {optimizer = nl.optim.SGD(net:parameters(), {lr = 0.1}), loss = nn.MSELoss(),
      progress = false})
    trainer:fit(nl.utils.data.DataLoader(nl.utils.data.TensorDataset(nl.ones(8, 2), nl.ones(8, 1))))
    trainer:report(path)
    assert.matches("inner: Linear</td><td>3</td><td>yes</td>", assert(io.open(path)):read "a", 1, true)
  end)

  it("says what it can't take", function()
    for text, f in pairs {
      ["nl.report: history[2] must be a table of values, not a number"] =
        function() nl.report(path, {{loss = 1}, 2}) end,
      ["nl.report: samples must be a table, not a number"] = function() nl.report(path, {}, {samples = 3}) end,
      ["nl.report: summary must be what nn.summary gives, not a string"] =
        function() nl.report(path, {}, {summary = "x"}) end,
    } do
      local _, message = pcall(f)
      assert.equal(text, (message:gsub("^[^\n:]*report_spec.lua:%d+: ", "")))
    end
  end)
end)
