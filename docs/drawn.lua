-- Draws the pictures of the reference, where one tells more than words: curves of activations, schedules of learning
-- rates, densities, windows, transforms of a picture, maps of colours. `dofile "docs/drawn.lua"(folder)` writes them
-- there and gives a table: by the name of an entry the list of its files. docs/site.lua puts them into its pages.
local nl = require "nnlua"
local catalogue = require "nnlua.help.catalogue"
local nn, optim, distributions = nl.nn, nl.optim, nl.distributions

local FIGSIZE = {4.2, 2.4}

--- Where pictures go: the folder, and what is drawn for each name.
local function new_album(folder)
  assert(os.execute("mkdir -p -- '" .. folder .. "'"))
  local album = {files = {}}

  --- Saves a figure, on light and on dark ground, for those entries that there are among these names.
  function album.add(fig, file, ...)
    local entries = {}
    for _, name in ipairs {...} do
      if catalogue.all().by_name[name] then table.insert(entries, name) end
    end
    assert(#entries > 0, file)
    for _, theme in ipairs {"light", "dark"} do
      local path = ("%s_%s.svg"):format(file, theme)
      fig:save(folder .. "/" .. path, {theme = theme})
      for _, name in ipairs(entries) do
        album.files[name] = album.files[name] or {}
        table.insert(album.files[name], path .. "#only-" .. theme)
      end
    end
  end

  --- Saves a picture for an entry.
  function album.add_picture(picture, file, name)
    nl.io.write_png(picture, ("%s/%s.png"):format(folder, file))
    album.files[name] = {file .. ".png"}
  end

  return album
end

--- A curve over numbers.
local function curve(x, y, options)
  options.figsize = FIGSIZE
  return nl.plot.line(x, y, options)
end

-- Classes of layers that are a function alone, by the function's name.
local activations = {
  relu = "ReLU", relu6 = "ReLU6", elu = "ELU", celu = "CELU", selu = "SELU", gelu = "GELU", silu = "SiLU",
  mish = "Mish", leaky_relu = "LeakyReLU", softplus = "Softplus", softsign = "Softsign", hardtanh = "Hardtanh",
  sigmoid = "Sigmoid", hardswish = "Hardswish", hardsigmoid = "Hardsigmoid", tanh = "Tanh", tanhshrink = "Tanhshrink",
  softshrink = "Softshrink", hardshrink = "Hardshrink", logsigmoid = "LogSigmoid",
}

local function draw_activations(album)
  local x = nl.linspace(-4, 4, 161)
  for name, class in pairs(activations) do
    local fig = curve(x, nn[class]()(x), {title = name})
    album.add(fig, name, "nn." .. class, "nl." .. name, "nl.nn.functional." .. name)
  end
  for name, ends in pairs {erf = 3, erfc = 3, sinc = 5, sin = 6, cos = 6, exp = 2, lgamma = 5, i0 = 3, atan = 6,
    sinh = 3, cosh = 3, asinh = 6} do
    local points = nl.linspace(name == "lgamma" and 0.02 or -ends, ends, 161)
    album.add(curve(points, nl[name](points), {title = name}), name, "nl." .. name)
  end
end

-- Schedules: what is made of an optimizer whose rate is 1, and how many steps are drawn.
local schedules = {
  ConstantLR = {{factor = 0.3, total_iters = 40}}, LinearLR = {{start_factor = 0.2, total_iters = 60}},
  ExponentialLR = {0.95}, StepLR = {25, {gamma = 0.5}}, MultiStepLR = {{30, 80}, {gamma = 0.3}},
  PolynomialLR = {{total_iters = 80, power = 2.0}}, CosineAnnealingLR = {50},
  CosineAnnealingWarmRestarts = {15, {T_mult = 2}}, LambdaLR = {function(epoch) return 1 / (1 + epoch / 20) end},
  MultiplicativeLR = {function(epoch) return epoch < 50 and 0.99 or 0.93 end},
  OneCycleLR = {{max_lr = 1.0, total_steps = 100}}, CyclicLR = {0.1, 1.0, {step_size_up = 20, mode = "triangular2"}},
}

local function draw_schedules(album)
  for name, arguments in pairs(schedules) do
    local optimizer = optim.SGD({nl.ones(1)}, {lr = 1.0, momentum = 0.9})
    local schedule = optim.lr_scheduler[name](optimizer, table.unpack(arguments))
    local rates = {}
    for step = 1, 100 do
      rates[step] = optimizer.param_groups[1].lr
      optimizer:step()
      if step < 100 then schedule:step() end
    end
    local fig = curve(nl.arange(0, 100), nl.tensor(rates), {title = name, xlabel = "step", ylabel = "lr"})
    album.add(fig, name, "optim.lr_scheduler." .. name)
  end
end

-- Distributions: some parameters of each, and where their densities are drawn.
local densities = {
  Normal = {{0.0, 1.0}, {1.0, 0.5}, from = -4, to = 4}, Uniform = {{0.0, 1.0}, {0.5, 2.5}, from = -0.5, to = 3},
  Beta = {{0.5, 0.5}, {2.0, 2.0}, {2.0, 5.0}, from = 0.01, to = 0.99},
  Gamma = {{1.0, 1.0}, {2.0, 1.0}, {5.0, 2.0}, from = 0.01, to = 8}, Exponential = {{1.0}, {0.5}, from = 0, to = 6},
  Laplace = {{0.0, 1.0}, {1.0, 0.5}, from = -4, to = 4}, Cauchy = {{0.0, 1.0}, {0.0, 0.5}, from = -5, to = 5},
  StudentT = {{1.0}, {5.0}, {30.0}, from = -5, to = 5}, Chi2 = {{2.0}, {3.0}, {6.0}, from = 0.05, to = 12},
  Gumbel = {{0.0, 1.0}, {1.0, 2.0}, from = -4, to = 8}, HalfNormal = {{1.0}, {2.0}, from = 0, to = 5},
  HalfCauchy = {{1.0}, {2.0}, from = 0, to = 6}, LogNormal = {{0.0, 0.5}, {0.0, 1.0}, from = 0.01, to = 4},
  Weibull = {{1.0, 1.0}, {1.0, 2.0}, {1.0, 5.0}, from = 0.01, to = 2.5},
  Pareto = {{1.0, 1.0}, {1.0, 3.0}, from = 1, to = 5}, Kumaraswamy = {{0.5, 0.5}, {2.0, 5.0}, from = 0.01, to = 0.99},
  VonMises = {{0.0, 1.0}, {0.0, 4.0}, from = -3.14, to = 3.14},
  InverseGamma = {{1.0, 1.0}, {3.0, 1.0}, from = 0.02, to = 3},
  FisherSnedecor = {{2.0, 3.0}, {5.0, 10.0}, from = 0.02, to = 4},
  ContinuousBernoulli = {{0.2}, {0.5}, {0.9}, from = 0.01, to = 0.99},
}
local chances = {
  Poisson = {{1.0}, {4.0}}, Binomial = {{10, 0.3}, {10, 0.7}}, Geometric = {{0.3}, {0.6}},
  NegativeBinomial = {{3, 0.4}, {6, 0.4}},
}

local function called(parameters)
  local texts = {}
  for i, one in ipairs(parameters) do texts[i] = ("%g"):format(one) end
  return table.concat(texts, ", ")
end

local function draw_distributions(album)
  local function draw(name, what, x)
    local series, labels = {}, {}
    for i, parameters in ipairs(what) do
      local arguments = {table.unpack(parameters)}
      arguments[#arguments + 1] = {validate_args = false} -- beside what can be drawn the density is 0
      series[i] = distributions[name](table.unpack(arguments)):log_prob(x):exp()
      labels[i] = called(parameters)
    end
    local marker = not what.from and "o" or nil
    local fig = curve(x, series[1], {title = name, label = labels[1], ylim = {0, nl.none}, marker = marker})
    for i = 2, #series do fig:line(x, series[i], {label = labels[i], marker = marker}) end
    album.add(fig, name, "distributions." .. name)
  end
  for name, what in pairs(densities) do draw(name, what, nl.linspace(what.from, what.to, 161)) end
  for name, what in pairs(chances) do draw(name, what, nl.arange(0, 11):float()) end
end

local windows = {
  bartlett = {}, blackman = {}, cosine = {}, exponential = {{tau = 12.0}}, gaussian = {{std = 10.0}},
  general_hamming = {},
  hamming = {}, hann = {}, kaiser = {}, nuttall = {}, general_cosine = {{a = {0.46, 0.23, 0.31}}},
}

local function draw_windows(album)
  for name, options in pairs(windows) do
    local window = nl.signal.windows[name](64, table.unpack(options))
    local fig = curve(nl.arange(1, 65), window, {title = name, ylim = {0, 1.05}})
    album.add(fig, "window_" .. name, "nl.signal.windows." .. name, ("nl.%s_window"):format(name))
  end
end

local function draw_transforms(album)
  local T = nl.transforms
  local picture = T.functional.resize(nl.io.read_image "examples/data/signs.jpg", {96, 128})
  local all = {
    Pad = {12, {fill = 128}}, GaussianBlur = {7, {sigma = 2.0}}, CenterCrop = {64}, RandomInvert = {{p = 1.0}},
    RandomCrop = {64}, RandomRotation = {30}, RandomAffine = {20, {translate = {0.1, 0.1}, shear = 20}},
    RandomVerticalFlip = {{p = 1.0}}, RandomHorizontalFlip = {{p = 1.0}}, Grayscale = {3}, RandomErasing = {{p = 1.0}},
    ColorJitter = {{brightness = 0.6, saturation = 0.9, hue = 0.3}}, RandomPerspective = {{p = 1.0}},
    RandomResizedCrop = {64}, Resize = {{48, 96}},
  }
  for name, arguments in pairs(all) do
    nl.manual_seed(3)
    local transform, shown = T[name](table.unpack(arguments)), {picture}
    for i = 2, name:find "^Random" and 4 or 2 do shown[i] = transform(picture) end
    local pieces = {}
    for i, one in ipairs(shown) do -- all in frames of one size, side by side
      local frame = nl.full({3, 124, 156}, 255, {dtype = nl.uint8})
      local h, w = one:size(2), one:size(3)
      local top, left = (124 - h) // 2, (156 - w) // 2
      frame[{{}, {top + 1, top + h}, {left + 1, left + w}}] = one
      pieces[i] = frame
    end
    album.add_picture(nl.cat(pieces, 3), name, "transforms." .. name)
  end
end

local function draw_colours(album)
  for _, name in ipairs {"viridis", "plasma", "inferno", "magma", "cividis", "gray", "Greys", "Blues", "hot",
    "coolwarm", "RdBu"} do
    local row, options = nl.linspace(0, 1, 128):unsqueeze(1), {cmap = name, title = name, figsize = {4.2, 0.9}}
    options.cbar = false
    local fig = nl.plot.heatmap(row, options)
    album.add(fig, "colours_" .. name, "nl.plot.heatmap")
  end
end

-- The pictures of docs/plots.md.
local plots = {bar = "bar", box = "box", confusion = "confusion", curves = "curves", heatmap = "heatmap", hist = "hist",
  image = "filters", line = "fit", net = "net", scatter = "scatter"}

return function(folder)
  local album = new_album(folder)
  for name, file in pairs(plots) do album.files["nl.plot." .. name] = {"../" .. file .. ".svg"} end
  draw_activations(album)
  draw_schedules(album)
  draw_distributions(album)
  draw_windows(album)
  draw_transforms(album)
  draw_colours(album)
  return album.files
end
