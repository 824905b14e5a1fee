-- Figures: what is drawn of which data, in the terminal's cells, as SVG and as PNG.
local nl = require "nnlua"
local marks = require "nnlua.plot.marks"
local process = require "support.process"
local scale = require "nnlua.plot.scale"

local plot = nl.plot

local function plain(fig, width, height)
  return fig:text({width = width or 40, height = height or 10, colors = 0})
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

-- Whether all elements of an XML text are closed, in order.
local function is_well_formed(text)
  local open = {}
  for closing, name, rest in text:gmatch "<(/?)(%a+)([^<>]*)>" do
    if closing == "/" then
      if table.remove(open) ~= name then return false end
    elseif rest:sub(-1) ~= "/" then
      open[#open + 1] = name
    end
  end
  return #open == 0 and not text:find "&[^%a#]"
end

-- The points of the lines of an SVG text, one flat list for each.
local function lines_of(svg)
  local lines = {}
  for points in svg:gmatch '<polyline points="([^"]*)"' do
    local list = {}
    for v in points:gmatch "[-%d.]+" do list[#list + 1] = tonumber(v) end
    lines[#lines + 1] = list
  end
  return lines
end

local function texts_of(svg)
  local texts = {}
  for text in svg:gmatch ">([^<>]*)</text>" do texts[text] = (texts[text] or 0) + 1 end
  return texts
end

local function ticks_of(on, low, high, most)
  local texts = {}
  for _, tick in ipairs(on.ticks(low, high, most)) do texts[#texts + 1] = tick.text end
  return table.concat(texts, " ")
end

describe("scales", function()
  it("mark round numbers with as many digits as they need", function()
    assert.equal("0 2 4 6 8 10", ticks_of(scale.linear, 0, 10, 6))
    assert.equal("-1.0 -0.5 0.0 0.5 1.0", ticks_of(scale.linear, -1.1, 1.1, 5))
    assert.equal("0.00 0.05 0.10", ticks_of(scale.linear, 0, 0.12, 3))
    assert.equal("0 1e30 2e30", ticks_of(scale.linear, 0, 2e30, 3))
    assert.equal("0 2e-8 4e-8", ticks_of(scale.linear, 0, 5e-8, 3))
    assert.equal("100000.0002 100000.0004", ticks_of(scale.linear, 100000.0001, 100000.0005, 3))
  end)

  it("mark powers of ten where they are logarithmic", function()
    assert.equal("0.1 1 10 100", ticks_of(scale.log, -1, 2, 5))
    assert.equal("10⁻³⁰ 10⁻²⁰ 10⁻¹⁰ 10⁰ 10¹⁰ 10²⁰ 10³⁰", ticks_of(scale.log, -30, 30, 7))
    assert.equal("2 3 4 5 6", ticks_of(scale.log, math.log(2, 10), math.log(6, 10), 6))
  end)
end)

describe("a line", function()
  it("goes through its points, to the ends of the axes and their margins", function()
    local svg = plot.line({0, 10}, {0, 1}):svg()
    local points = lines_of(svg)[1]
    assert.equal(4, #points)
    local width, height = points[3] - points[1], points[2] - points[4]
    local more = plot.line({0, 5, 10}, {0, 1, 0.5}):svg()
    local three = lines_of(more)[1]
    assert.near(points[1] + width / 2, three[3], 0.11)
    assert.near(points[2] - height, three[4], 0.11)
    assert.near(points[2] - height / 2, three[6], 0.11)
  end)

  it("takes tensors of all kinds, lists, matrices and tables of names", function()
    local same = plot.line({1, 2, 3}):svg()
    for _, dtype in ipairs {"float64", "float16", "bfloat16", "int8", "uint8", "int64"} do
      assert.equal(same, plot.line(nl.tensor({1, 2, 3}, {dtype = nl[dtype]})):svg())
    end
    assert.equal(same, plot.line(nl.tensor({1.0, 2.0, 3.0}, {requires_grad = true})):svg())
    assert.equal(same, plot.line(nl.tensor {{1, 9}, {2, 9}, {3, 9}}:t()[1]):svg())
    assert.equal(same, plot.line({nl.tensor(1), nl.tensor(2), 3.0}):svg())
    assert.equal(plot.line({0, 1}):svg(), plot.line(nl.tensor {false, true}):svg())
    assert.equal(2, #lines_of(plot.line(nl.randn(5, 2)):svg()))
    assert.equal(2, #lines_of(plot.line({{1, 2}, {3, 4}}):svg()))
    local named = texts_of(plot.line({train = {1, 2}, ["<valid> & more"] = {3, 4}}):svg())
    assert.equal(1, named.train)
    assert.equal(1, named["&lt;valid&gt; &amp; more"])
  end)

  it("has gaps where there are no numbers", function()
    assert.equal(2, #lines_of(plot.line({1, 2, 0 / 0, 4, 5}):svg()))
    assert.equal(2, #lines_of(plot.line({1, 2, 1 / 0, 4, 5}):svg()))
    assert.equal(2, #lines_of(plot.line({1, 2, nl.none, 4, 5}):svg()))
    assert.equal(2, #lines_of(plot.line({1, 2, 0, 4, 5}, {yscale = "log"}):svg()))
  end)

  it("stays within limits that are set", function()
    local points = lines_of(plot.line({0, 1, 2, 3}, {0, 1, 2, 3}, {xlim = {1, 2}, ylim = {1.5, 1e9}}):svg())[1]
    local whole = lines_of(plot.line({0, 3}, {0, 3}, {xlim = {0, 3}, ylim = {0, 3}}):svg())[1]
    for i = 1, #points, 2 do assert.is_true(points[i] >= 20 and points[i] <= 640 and points[i + 1] >= 0) end
    assert.is_true(whole[1] < whole[3])
    local half = lines_of(plot.line({0, 3}, {0, 3}, {xlim = {0, 3}, ylim = {1.5, nl.none}}):svg())[1]
    assert.near((whole[1] + whole[3]) / 2, half[1], 3) -- the tick's texts are wider by a digit
  end)

  it("of very many points keeps the lowest and the highest", function()
    local n = 300000
    local y = nl.zeros(n)
    y[12345], y[200001] = 5, -7
    local fig = plot.line(y, {ylim = {-7, 5}})
    local points = lines_of(fig:svg())[1]
    assert.is_true(#points < 40000)
    local low, high = math.huge, -math.huge
    for i = 2, #points, 2 do low, high = math.min(low, points[i]), math.max(high, points[i]) end
    local span = lines_of(plot.line({-7, 5}, {ylim = {-7, 5}}):svg())[1]
    assert.near(span[2], high, 0.11)
    assert.near(span[4], low, 0.11)
    assert.is_true(#plot.line(nl.rand(100000), nl.rand(100000)):svg() < 500000)
  end)

  it("is drawn where nearly nothing is known of it", function()
    for _, y in ipairs {{}, {5}, {0 / 0}, {1 / 0}, {3, 3, 3}, {1e-30, 1e30}, {-1.7e308, 1.7e308}, {0, 5e-324},
      {math.maxinteger, math.mininteger}, nl.tensor(3.0), nl.empty(0)} do
      for _, yscale in ipairs {"linear", "log"} do
        local fig = plot.line(y, {yscale = yscale})
        assert.is_true(is_well_formed(fig:svg()))
        assert.not_matches("nan", fig:svg())
        assert.not_matches("inf", fig:svg())
        assert.is_string(plain(fig))
      end
    end
    assert.matches("no values to show", plot.line({}):svg())
  end)

  it("tells what it can't take", function()
    local function problem(f, ...)
      local ok, message = pcall(f, ...)
      assert.is_false(ok)
      return message:gsub("^[^:]*:%d+: ", "")
    end
    assert.equal("nl.plot.line: x has 2 values and y has 3: they must be as many",
      problem(plot.line, {1, 2}, {1, 2, 3}))
    assert.matches("nl.plot.line: y has shape %[2, 2, 2%]: %(n%), or %(n, series%)",
      problem(plot.line, nl.ones(2, 2, 2)))
    assert.matches("nl.plot.line: y is complex: plot its abs%(%), real or imag",
      problem(plot.line, nl.ones(2, {dtype = nl.complex64})))
    assert.matches("y%[2%] must be a number, not a string", problem(plot.line, {1, "two"}))
    assert.matches("is on the meta device", problem(plot.line, nl.ones(2, {device = "meta"})))
    assert.matches("y must be a tensor or a list of numbers, not a string", problem(plot.line, "text"))
    assert.matches("no argument is called 'titel'; did you mean 'title'", problem(plot.line, {1}, {titel = "x"}))
    assert.matches("yscale must be \"linear\" or \"log\", not 'cubic'", problem(plot.line, {1}, {yscale = "cubic"}))
    assert.matches("xlim must be {low, high}, the lower one first", problem(plot.line, {1}, {xlim = {2, 1}}))
    assert.matches("ylim has 0, which is nowhere on a log scale",
      problem(plot.line, {1}, {ylim = {0, 1}, yscale = "log"}))
    assert.matches("color must be .* not 'rod'", problem(plot.line, {1}, {color = "rod"}))
    assert.matches("linestyle must be .* not '%.%.%.'", problem(plot.line, {1}, {linestyle = "..."}))
    assert.matches("must end in %.svg, %.png or %.txt", problem(function() plot.line({1}):save "x.gif" end))
    assert.matches("hist: bins must be", problem(plot.hist, {1, 2}, {bins = {}}))
    assert.matches("range must be {low, high}, two finite",
      problem(plot.hist, {1, 2}, {range = {-math.huge, math.huge}}))
    assert.matches("c must be all texts or all numbers: c%[2%] is", problem(plot.scatter, {1, 2, 3}, {1, 2, 3},
      {c = {"a", 1, "b"}}))
    for _, x in ipairs {nl.ones(2, 2), nl.ones(2, 2, {dtype = nl.uint8})} do
      for _, f in ipairs {plot.heatmap, plot.image} do
        assert.matches("vmin and vmax must be finite", problem(f, x, {vmin = -math.huge, vmax = math.huge}))
        assert.matches("vmin and vmax must be finite", problem(f, x, {vmax = 0 / 0}))
      end
    end
    local fig = plot.line {1, 2}
    local before = fig:svg()
    assert.is_false((pcall(fig.line, fig, {1, 2}, {1, 2, 3}, {title = "never"})))
    assert.equal(before, fig:svg())
    assert.matches("line: the first argument must be nl.plot.Figure", problem(plot.Figure.line, {1}))
  end)
end)

describe("other marks", function()
  it("count as NumPy's histogram", function()
    -- numpy.histogram([1, 2, 2, 3, 10], bins = 3) gives 4 0 1 between 1, 4, 7, 10
    local svg = plot.hist({1, 2, 2, 3, 10, 0 / 0}, {bins = 3, ylim = {0, 4}}):svg()
    local heights = {}
    for h in svg:gmatch '<rect x="[^"]*" y="[^"]*" width="[^"]*" height="([%d.]+)" fill="#1f77b4"' do
      heights[#heights + 1] = tonumber(h)
    end
    assert.equal(2, #heights) -- an empty bin is nothing to draw
    assert.near(4, heights[1] / heights[2], 0.01)
    assert.equal(count(plot.hist({1, 2, 3}, {bins = {0, 2, 4}}):svg(), 'fill="#1f77b4"'), 2)
    assert.is_string(plain(plot.hist {}))
    assert.is_string(plain(plot.hist(nl.ones(10))))
    assert.is_string(plain(plot.hist {a = nl.randn(10), b = {1, 2}}))
  end)

  it("have quartiles as NumPy's percentile, and whiskers of 1.5 times their distance", function()
    local box = marks.quartiles {1, 2, 3, 4, 100}
    assert.same({2, 3, 4, 1, 4}, {box.q1, box.median, box.q3, box.low, box.high})
    assert.same({100}, box.fliers)
    box = marks.quartiles {4, 1, 3, 2}
    assert.same({1.75, 2.5, 3.25}, {box.q1, box.median, box.q3})
    assert.is_string(plain(plot.box {{1, 2, 3}, {}, {5}}))
  end)

  it("stand beside each other", function()
    local svg = plot.bar({"a", "b"}, {{1, 2}, {3, -4}}, {label = {"x", "y"}}):svg()
    assert.equal(3, count(svg, 'fill="#1f77b4"'))
    assert.same({1, 1, 1, 1}, {texts_of(svg).a, texts_of(svg).b, texts_of(svg).x, texts_of(svg).y})
    assert.equal(plot.bar({"a", "b"}, {1, 2}):svg(), plot.bar({a = 1, b = 2}):svg())
    assert.matches("epoch 9.*epoch 10", plot.bar({["epoch 10"] = 1, ["epoch 9"] = 2}):svg())
    assert.is_string(plain(plot.bar({"a"}, {0}, {horizontal = true})))
    assert.is_string(plain(plot.bar({1, 2, 3}, {yscale = "log"})))
    assert.is_false((pcall(plot.bar, {"a"}, {1, 2})))
  end)

  it("have texts beside points, where there is room", function()
    local x, y, texts = {1, 2, 3, 3.001}, {1, 5, 1, 1}, {"low", "high", "last <&>", "hidden by it"}
    local fig = plot.scatter(x, y, {texts = texts})
    local found = texts_of(fig:svg())
    for _, text in ipairs {"low", "high", "last &lt;&amp;&gt;"} do assert.equal(1, found[text], text) end
    assert.matches("high", plain(fig))
    assert.equal(1, texts_of(plot.scatter(x, y, {texts = texts, c = {"a", "a", "b", "b"}}):svg()).high)
    assert.equal(1, texts_of(plot.scatter(x, y, {texts = texts, c = {0.5, 1.5, 2, 3}}):svg()).high)
    local crowd = {}
    for i = 1, 50 do crowd[i] = "text " .. i end
    local shown = count(plot.scatter(nl.zeros(50), nl.zeros(50), {texts = crowd}):svg(), ">text %d+<")
    assert.is_true(shown >= 1 and shown <= 4, shown)
    assert.error_matches(function() plot.scatter(x, y, {texts = {"a"}}) end, "texts must have one for each of the 4")
  end)

  it("scatter points by class or by number", function()
    local points = nl.tensor {{1.0, 2.0}, {2.0, 3.0}, {3.0, 1.0}}
    local svg = plot.scatter(points, {c = nl.tensor {1, 2, 1}, label = {"cat", "dog"}}):svg()
    assert.same({1, 1}, {texts_of(svg).cat, texts_of(svg).dog})
    assert.is_truthy(texts_of(plot.scatter({1, 2}, {1, 2}, {c = {"one", "two"}}):svg()).two)
    assert.matches("epoch 9.*epoch 10", plot.scatter({1, 2}, {1, 2}, {c = {"epoch 10", "epoch 9"}}):svg())
    assert.is_truthy(plot.scatter({1, 2}, {1, 2}, {c = {0.5, 0 / 0}}):svg():find "<image")
    assert.is_true(#plot.scatter(nl.rand(200000, 2)):svg() < 1500000)
    assert.is_false((pcall(plot.scatter, {1, 2}, {1, 2}, {c = {1}})))
  end)

  it("smooth curves as TensorBoard does", function()
    -- of 1, 0, 0 at 0.5: 0.5/0.5, 0.25/0.75, 0.125/0.875
    local smooth = lines_of(plot.curves({loss = {1, 0, 0}}, {smooth = 0.5, ylim = {0, 1}}):svg())[2]
    local exact = lines_of(plot.line({1, 1 / 3, 1 / 7}, {ylim = {0, 1}}):svg())[1]
    for i = 1, 6 do assert.near(exact[i], smooth[i], 0.11) end
    local epochs = plot.curves({{loss = 1, acc = 0}, {loss = 0.5}, {loss = 0.2, acc = 1}}):svg()
    assert.equal(1, texts_of(epochs).acc)
    assert.is_false((pcall(plot.curves, {loss = {1}}, {smooth = 1})))
  end)
end)

describe("matrices and pictures", function()
  it("have the colours of their map", function()
    local text = plot.image(nl.tensor({{0, 255}}, {dtype = nl.uint8})):text({width = 20, height = 5, colors = 1 << 24})
    assert.matches("38;2;0;0;0", text)
    assert.matches("38;2;255;255;255", text)
    -- matplotlib's viridis at 0 and 1
    text = plot.heatmap(nl.tensor {{0.0, 1.0}}, {cbar = false}):text({width = 20, height = 5, colors = 1 << 24})
    assert.matches("2;68;1;84", text)
    assert.matches("2;253;231;37", text)
    local huge = plot.heatmap(nl.tensor({{1e308, -1e308, 0, 1}}, {dtype = nl.float64}))
    assert.is_string(plain(huge))
    assert.not_matches("nan", huge:svg())
    local rgb = nl.tensor({{{200}}, {{100}}, {{50}}}, {dtype = nl.uint8})
    assert.matches("38;2;200;100;50", plot.image(rgb):text({width = 20, height = 5, colors = 1 << 24}))
  end)

  it("show pictures of all forms", function()
    for _, shape in ipairs {{8, 8}, {1, 8, 8}, {3, 8, 8}, {4, 8, 8}, {5, 8, 8}, {10, 1, 8, 8}, {2, 3, 4, 9}} do
      local bytes = nl.randint(0, 255, shape):to(nl.uint8)
      for _, x in ipairs {nl.rand(shape), nl.randn(shape), bytes, nl.ones(shape):bool()} do
        local fig = plot.image(x, {title = "t", titles = {"first"}})
        assert.is_true(is_well_formed(fig:svg()))
        assert.is_string(fig:text({width = 40, colors = 256}))
        assert.is_string(plain(fig))
      end
    end
    assert.is_string(plain(plot.image({nl.rand(3, 4), nl.rand(3, 5, 6)}, {nrow = 1})))
    assert.is_string(plain(plot.image(nl.tensor {{0 / 0, 1 / 0}, {-1 / 0, 1e300}})))
    assert.is_false((pcall(plot.image, nl.rand(2, 2, 2, 2))))
    assert.is_false((pcall(plot.image, nl.empty(0, 3))))
    assert.is_false((pcall(plot.image, "text")))
  end)

  it("write numbers into fields", function()
    local svg = plot.heatmap({{1, 2.5}, {0 / 0, 1000}}, {annot = true, xticklabels = {"p", "q"}}):svg()
    local texts = texts_of(svg)
    assert.same({1, 1, 1, 1, 1, 1}, {texts["1"] and 1, texts["2.5"], texts.nan, texts["1000"] and 1, texts.p, texts.q})
    assert.is_string(plain(plot.heatmap(nl.zeros(3, 3))))
    assert.is_string(plain(plot.heatmap(nl.randn(2000, 3))))
    assert.is_false((pcall(plot.heatmap, nl.ones(2, 2), {xticklabels = {"one"}})))
  end)

  it("write all numbers with as many digits as the narrowest terminal leaves room for", function()
    local fig = plot.heatmap({{-1.312, 0.245, 0.5}, {2.25, -0.125, 0.75}}, {annot = true, cbar = false})
    assert.matches("-1.31 +0.245", fig:text({width = 40, height = 8, colors = 0}))
    assert.matches("-1.3 +0.2 +0.5", fig:text({width = 18, height = 8, colors = 0}))
    local digits = nl.eye(10) * 245 + nl.ones(10, 10) * 12
    local rows = plot.confusion(digits):text({width = 40, colors = 0})
    assert.equal(10, select(2, rows:gsub("257", "")))
    assert.not_matches("%d%d%d%d", rows)
    assert.not_matches("257", plot.confusion(digits):text({width = 40, height = 10, colors = 0})) -- two rows in a line
  end)

  it("round two-digit numbers to whole ones, and to the fewest digits where not all have room", function()
    local x = nl.full({3, 15}, 76.4)
    local text = plot.heatmap(x, {annot = true, cbar = false}):text({width = 70, height = 12, colors = 0})
    assert.equal(45, select(2, text:gsub("%f[%w]76%f[^%w]", "")))
    x[{2, 2}] = -1.5e-10
    text = plot.heatmap(x, {annot = true, cbar = false}):text({width = 70, height = 12, colors = 0})
    assert.equal(44, select(2, text:gsub("%f[%w]76%f[^%w]", "")))
  end)

  it("write shares with a decimal, however narrow the fields are", function()
    local x = nl.eye(20) * 6 + nl.roll(nl.eye(20), 1, 2) * 4
    x[{20, {}}] = 0
    x[{20, 20}] = 3
    local text = plot.confusion(x, {normalize = true}):text({width = 80, height = 30, colors = 0})
    local function count(share) return select(2, text:gsub("%f[%d.]" .. share .. "%f[^%d.]", "")) end
    assert.same({19, 19, 2}, {count "%.6", count "%.4", count "1%.0"}) -- 1.0 beside the colours, too
    local texts = texts_of(plot.confusion({{0 / 0, 2}, {2, 3}}, {normalize = true}):svg())
    assert.same({2, 1, 1}, {texts.nan, texts["0.40"], texts["0.60"]})
    assert.is_nil(texts["-nan"])
  end)

  it("divide confusions by what there is of a class, of a guess, or by all", function()
    local function has(normalize, share)
      return texts_of(plot.confusion(nl.tensor {{6, 2}, {4, 4}}, {normalize = normalize}):svg())[share]
    end
    assert.equal(1, has("true", "0.75"))
    assert.equal(1, has("pred", "0.60"))
    assert.equal(1, has("all", "0.38"))
    assert.matches('normalize must be true, false, "true", "pred" or "all", not \'rows\'',
      select(2, pcall(has, "rows", "")))
  end)

  it("count confusions", function()
    local svg = plot.confusion({1, 1, 2, 3, 3}, {1, 2, 2, 3, 3}, {labels = {"cat", "dog", "bird"}}):svg()
    local texts = texts_of(svg)
    assert.same({2, 2, 2, 1, 1}, {texts.cat, texts.dog, texts.bird, texts.predicted, texts["true"]})
    local scores = nl.tensor {{0.9, 0.1}, {0.2, 0.8}}
    local matrix = plot.confusion(nl.tensor {1, 2}, nl.tensor {1, 2}):svg()
    assert.equal(matrix, plot.confusion(nl.tensor {1, 2}, scores):svg())
    assert.equal(matrix, plot.confusion(nl.eye(2)):svg())
    assert.is_truthy(texts_of(plot.confusion(nl.tensor {{3, 1}, {0, 0}}, {normalize = true}):svg())["0.75"])
    assert.matches("classes are whole numbers from 1 on", select(2, pcall(plot.confusion, {0, 1}, {1, 1})))
  end)
end)

describe("a figure", function()
  it("is the same in the terminal, as SVG and as PNG", function()
    local path = os.tmpname()
    local fig = plot.bar({1, 4, 2}, {title = "three", figsize = {3, 2}})
    for _, ending in ipairs {".svg", ".png", ".txt", ".PNG"} do
      fig:save(path .. ending)
      local file = assert(io.open(path .. ending, "rb"))
      local bytes = file:read "a"
      file:close()
      os.remove(path .. ending)
      if ending == ".svg" then assert.equal(fig:svg(), bytes) end
      if ending == ".txt" then assert.matches("three", bytes) end
      if ending:lower() == ".png" then assert.same({3, 200, 300}, nl.io.decode_image(bytes).shape:totable()) end
    end
    os.remove(path)
    assert.same({3, 400, 600}, nl.io.decode_image(fig:png({dpi = 200})).shape:totable())
    local dark, light = nl.io.decode_image(fig:png({theme = "dark"})), nl.io.decode_image(fig:png())
    assert.same({24, 26, 31}, dark[{{}, 1, 1}]:tolist())
    assert.same({255, 255, 255}, light[{{}, 1, 1}]:tolist())
    local blue = light[1]:eq(0x1f) & light[2]:eq(0x77) & light[3]:eq(0xb4)
    assert.is_true(blue:sum():item() > 100)
  end)

  it("fits the columns that it gets, also few of them", function()
    for _, width in ipairs {16, 40, 80, 160} do
      for _, fig in ipairs {plot.line({a = nl.randn(9), b = nl.randn(9)}, {title = "a title", ylabel = "y"}),
        plot.heatmap(nl.randn(9, 5)), plot.bar({"some name", "another"}, {1, 2}), plot.confusion(nl.eye(4)),
        plot.hist(nl.randn(99)), plot.scatter(nl.randn(9, 2), {c = nl.randn(9)}), plot.image(nl.rand(9, 28, 28))} do
        for line in fig:text({width = width, colors = 0}):gmatch "[^\n]+" do
          assert.is_true(utf8.len(line) <= width, line)
        end
      end
    end
  end)

  it("has as many colours as it is told, and tells series apart without any", function()
    local fig = plot.line {a = {1, 2}, b = {2, 1}}
    assert.not_matches("\27", fig:text({colors = 0}))
    assert.matches("%+%+ b", fig:text({colors = 0}))
    assert.matches("\27%[34m", fig:text({colors = 16}))
    assert.matches("\27%[38;5;31m", fig:text({colors = 256}))
    assert.matches("\27%[38;2;31;119;180m", fig:text({colors = 1 << 24}))
  end)

  it("names series in the order of the numbers in their names, and as many as leave room for the figure", function()
    local series = {}
    for i = 1, 12 do series["layer number " .. i] = {i, i + 1} end
    local texts = plot.line(series):text({width = 40, height = 16, colors = 0})
    assert.matches("layer number 1 .*layer number 2%s.*layer number 3 ", texts)
    assert.matches("and %d more", texts)
    assert.equal(4, select(2, texts:match "^(.-)│":gsub("\n", "")))
    assert.matches("layer number 12", plot.line(series):text({width = 160, height = 16, colors = 0}))
  end)

  it("fills narrow bars without colours as the legend shows them", function()
    local texts = plot.hist({a = nl.linspace(0, 1, 99), b = nl.linspace(1, 2, 99)}, {bins = 40})
      :text({width = 40, height = 12, colors = 0})
    assert.matches("▒▒ b.*▒▒▒▒▒▒", texts)
  end)

  it("says so where a histogram counts nothing", function()
    assert.matches("no values to show", plain(plot.hist(nl.empty(0))))
    assert.matches("no values to show", plain(plot.hist {0 / 0}))
  end)

  it("shows points that stand alone between gaps", function()
    assert.equal(3, select(2, plain(plot.line {1, 0 / 0, 3, 1 / 0, 5}):gsub("•", "")))
  end)

  it("leaves no hole where a bar ends before another one", function()
    local fig = plot.bar({"a"}, {8}, {ylim = {0, 8}}):bar({"a"}, {3.3})
    assert.matches("\27%[38;2;255;127;14;48;2;31;119;180m[▁-▇]", fig:text({width = 20, height = 8, colors = 1 << 24}))
  end)

  it("lets nothing of a text act on the terminal", function()
    local fig = plot.line({["a\27[31m\n"] = {1, 2}}, {title = "\27]0;x\7 日本 \xff", xlabel = "\0"})
    assert.not_matches("[\0-\9\11-\31]", fig:text({colors = 0}))
    assert.is_true(is_well_formed(fig:svg()))
    assert.is_string(fig:png())
  end)

  it("is plain on what is no terminal, and needs no library but for PNG", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder .. " && touch " .. folder .. "/libcairo.so.2 " .. folder .. "/libcairo.so"))
    local program = [[
      local nl = require "nnlua"
      local fig = nl.plot.line {1, 3, 2}
      print(fig)
      nl.show(nl.eye(2))
      print(#fig:svg() > 100, select(2, pcall(fig.png, fig)))
    ]]
    local result = process.run_nnlua({"-e", program}, {env = {LD_LIBRARY_PATH = folder, COLORTERM = "truecolor"}})
    os.execute("rm -r " .. folder)
    assert.equal("", result.stderr)
    assert.matches("⠤", result.stdout)
    assert.not_matches("\27", result.stdout)
    assert.matches("true\t.*png: cairo, which draws PNG pictures of figures, can't be loaded: .* "
      .. "%(Debian has it in the package libcairo2%)", result.stdout)
  end)
end)

describe("docs/plots.md", function()
  it("has examples that run", function()
    local file <close> = assert(io.open "docs/plots.md")
    local n, page = 0, file:read "a"
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    for block in page:gmatch "```lua\n(.-)```" do
      n = n + 1
      local code = "local nl = require 'nnlua' local nn = nl.nn nl.manual_seed(0)\n" .. block
      local result = process.run({"sh", "-c", 'cd "$1" && exec "$0" -e "$2"', process.nnlua, folder, code})
      assert.equal("", result.stderr, block)
    end
    os.execute("rm -r " .. folder)
    assert.is_true(n >= 7)
  end)
end)
