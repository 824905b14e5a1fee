-- What the arguments and options mean that many functions share, and which functions have one.

local catalogue = require "nnlua.help.catalogue"
local text = require "nnlua.help.text"

local options = {}

--- In the order of the alphabet: what stands behind a name there. The functions' own texts say what is special to them.
local meanings = {
  A = "A matrix, or a batch of matrices in its last two dimensions.",
  M = "How many numbers a window has.",
  affine = "Whether a layer that normalises learns a scale and a shift for each channel.",
  alpha = "A factor: of the second operand in a sum, of a slope in an activation.",
  amsgrad = "Whether the greatest average of squared gradients so far is used, instead of the latest.",
  batch_first = "Whether sequences come as (batch, time, features) instead of (time, batch, features).",
  betas = "How much of the averages of gradients and of their squares is kept in a step: two numbers below 1.",
  bias = "Whether the layer adds a learned bias; for a function the bias itself, or nothing.",
  bidirectional = "Whether a second layer goes through the sequence backwards; both results are put side by side.",
  capturable = "Accepted for PyTorch's sake; it changes nothing on a CPU.",
  cache_size = "How many results a transform keeps for its inverse: 0 or 1.",
  ceil_mode = "Whether a last window that is not whole gives a result, too.",
  concentration = "How a distribution's numbers gather: a number or a tensor, greater than 0.",
  correction = "What is taken from the number of elements before a sum of squares is divided by it: 1 by default.",
  device = "Where the result lives: \"cpu\", or \"meta\" for a shape without elements.",
  differentiable = "Only false: steps are not recorded for gradients.",
  dilation = "The distance between the elements that a kernel looks at; 1: neighbours. A number, or one a dimension.",
  dim = "The dimension that is worked along: 1 is the first, -1 the last. Some functions take a list of them.",
  dropout = "The probability with which an element is set to 0 in training.",
  dtype = "The type of the result's elements: nl.float32, nl.int64 and so on.",
  eps = "A small number that keeps a division from being one by 0.",
  f = "A function; what it is called with, and what becomes of its results, the functions tell.",
  figsize = "The width and height of a figure in inches of 100 pixels.",
  foreach = "Accepted for PyTorch's sake: all parameters of a group are stepped in one call anyway.",
  fused = "Accepted for PyTorch's sake: all parameters of a group are stepped in one call anyway.",
  generator = "Where random numbers come from: of nl.Generator; without it the default one.",
  grid = "Where a picture is sampled, from -1 to 1; of a figure whether lines go out from the marks of its axes.",
  global_step = "At which step of a training something was so: a number.",
  groups = "Into how many parts the channels are split, each with kernels of its own.",
  hook = "A function that is called with what passes by; what it returns, if anything, takes its place.",
  ignore_index = "A target of this value adds nothing to the loss.",
  img = "A picture: a tensor (…, channels, height, width), uint8 from 0 to 255 or floats from 0 to 1.",
  indices = "Which positions are meant, counted from 1: a tensor or a list of integers.",
  inplace = "Whether the result is written over the input, which saves memory.",
  as_table = "Several results come as one table instead of several values, for ipairs and #.",
  interpolation = "How pixels between pixels are made: \"nearest\", \"bilinear\" and, in resizing, \"box\", "
    .. "\"hamming\", \"bicubic\" or \"lanczos\".",
  keepdim = "Whether a dimension that is worked along stays, with size 1, instead of being left out.",
  kernel_size = "How many elements a window has along each dimension: a number, or one a dimension.",
  label_smoothing = "How much of each target is spread over all classes, from 0 to 1.",
  last_epoch = "How many epochs have passed already; -1 for none.",
  legend = "Whether a figure tells what its series are called.",
  loc = "Where a distribution's middle or beginning lies: a number or a tensor.",
  logits = "Logarithms of odds, or of probabilities that need not add up to 1; instead of probs.",
  lr = "The learning rate: how far a step moves the parameters. A number, or a tensor of one element.",
  margin = "By how much two scores must be apart for the loss to be 0.",
  mask = "Which elements take part: those where it is true. It broadcasts to the shape of the others.",
  maximize = "Whether a step goes up the gradient instead of down.",
  mode = "Which of several ways of working is taken; the function's own text lists them.",
  module = "The module that is worked on or registered.",
  momentum = "How much of the last step goes into the next; for a norm, how much of a batch into the moments.",
  n = "How many there are, or a number by which something is made, such as the degree of a polynomial.",
  name = "What something is called: a string.",
  nesterov = "Whether the gradient is taken as if the momentum had been applied already.",
  norm = "What a transform is divided by: \"backward\" the inverse one by its length, \"forward\" the other, \"ortho\" "
    .. "both by its root.",
  norm_type = "The exponent of a norm: 2 is the Euclidean one, math.huge the largest magnitude.",
  num_layers = "How many layers are stacked, each taking the results of the one before.",
  optimizer = "The optimizer whose learning rate the schedule sets.",
  options = "A table of what may be given by name; the function's own text lists it.",
  p = "The exponent of a norm or distance; for dropout, the probability with which an element is set to 0.",
  output_size = "The sizes that the result has in its spatial dimensions: one for all, or a list.",
  padding = "How many elements are added at both ends of each dimension: a number, or one a dimension.",
  out_channels = "How many channels the result has.",
  output_padding = "Elements more at the end of a transposed convolution's result. A number, or one a dimension.",
  padding_mode = "What is added around the input: \"zeros\", \"reflect\", \"replicate\" or \"circular\".",
  path = "Where a file lies; of a module's parts, their names with dots between them.",
  params = "What an optimizer steps: net:parameters(), a list of tensors, or one of groups with options of their own.",
  probs = "The probabilities: a number, or a tensor; instead of logits.",
  rate = "How often something happens on average: a number or a tensor, greater than 0.",
  reduce = "Deprecated in favour of reduction. false: a loss for each element.",
  reduction = "What becomes of the losses of all elements: \"mean\", \"sum\" or \"none\".",
  scale = "How wide a distribution is, or what something is multiplied by: a number or a tensor.",
  requires_grad = "Whether gradients for the tensor are wanted: backward puts them into x.grad.",
  retain_graph = "Whether the graph is kept, so that backward can go through it again.",
  return_indices = "Whether the positions of what was chosen are given, too.",
  s = "The sizes along the dimensions that are transformed: the input is cut off there, or zeros follow it.",
  size = "The sizes of the result's dimensions: numbers, or a list.",
  size_average = "Deprecated in favour of reduction. false: a sum instead of a mean.",
  stride = "How far a window moves: a number, or one a dimension.",
  sym = "Whether a window is symmetric; else it is periodic: one of a number more, without the last.",
  threshold = "A border: what is greater is taken for one thing, the rest for another.",
  title = "What stands above a figure.",
  transform = "What an item's first value goes through before it is given: a function, or one of nl.transforms.",
  tag = "What a value is called in TensorBoard; a slash parts a group from a name.",
  target = "What the result should be: class labels, which count from 1, or values.",
  track_running_stats = "Whether the moments of all batches are averaged, for use in evaluation.",
  train = "Whether it is for training; of a data set, whether the part for training is read, or the one for tests.",
  validate_args = "Whether parameters and values of a distribution are checked; true by default.",
  walltime = "When something was so, in seconds since 1970; now, if nothing is said.",
  weight_decay = "A factor by which parameters are drawn towards 0 in each step (an L2 penalty).",
  xlabel = "What stands below the x axis of a figure.",
  xlim = "The ends of the x axis, {low, high}; nl.none for one that isn't set.",
  xscale = "The scale of the x axis: \"linear\" or \"log\".",
  ylabel = "What stands beside the y axis of a figure.",
  ylim = "The ends of the y axis, {low, high}; nl.none for one that isn't set.",
  yscale = "The scale of the y axis: \"linear\" or \"log\".",
}

--- The arguments of a signature, a list of `{name, default}`; the default is a text, or nil.
function options.arguments_of(signature)
  local list, depth, from = {}, 0, 1
  local inner = (signature:match "%((.*)%)$" or "") .. ","
  for at = 1, #inner do
    local c = inner:sub(at, at)
    depth = depth + (c == "{" and 1 or c == "}" and -1 or 0)
    if c == "," and depth == 0 then
      local name, default = inner:sub(from, at - 1):match "^%s*([%a_][%w_]*)%??%s*=?%s*(.-)%s*$"
      if name then list[#list + 1] = {name, default ~= "" and default or nil} end
      from = at + 1
    end
  end
  return list
end

--- What the arguments of an entry mean that many functions share: a list of `{name, text}`.
function options.of_entry(entry)
  local list, seen = {}, {}
  for _, overload in ipairs(entry.overloads) do
    for _, argument in ipairs(options.arguments_of(overload.signatures[1])) do
      local name = argument[1]
      if meanings[name] and not seen[name] then
        seen[name] = true
        list[#list + 1] = {name, meanings[name]}
      end
    end
  end
  return list
end

--- The arguments that many functions share in the form of the catalogue's entries, to look for words in.
function options.entries()
  local list = {}
  for name, meaning in pairs(meanings) do
    list[#list + 1] = {
      name = name .. ", an argument", short = name, kind = "argument", overloads = {{signatures = {}, text = meaning}},
    }
  end
  return list
end

local functions -- by an argument's name: a list of `{name of a function, default}`

local function index_all()
  functions = {}
  for _, entry in ipairs(catalogue.all()) do
    local seen = {}
    for _, overload in ipairs(entry.overloads) do
      for _, argument in ipairs(options.arguments_of(overload.signatures[1])) do
        local name, default = argument[1], argument[2]
        if not seen[name] then
          seen[name] = true
          functions[name] = functions[name] or {}
          table.insert(functions[name], {entry.name, default})
        end
      end
    end
  end
end

local MOST = 30 -- functions that are listed

--- What is known of an argument, as help prints it; nil if no function has one of that name.
function options.text(name)
  if not functions then index_all() end
  local list = functions[name]
  if not list then return nil end
  local names = {}
  for i = 1, math.min(#list, MOST) do
    local one = list[i]
    names[i] = one[2] and ("%s (%s)"):format(one[1], one[2]) or one[1]
  end
  local more = #list > MOST and (", and %d more"):format(#list - MOST) or ""
  local meaning = meanings[name] and text.wrapped(meanings[name], "  ") .. "\n" or ""
  return name .. ", an argument\n" .. meaning
    .. text.wrapped("Taken, with this default, by " .. table.concat(names, ", ") .. more .. ".", "  ")
end

--- The names of all arguments, as a set.
function options.names()
  if not functions then index_all() end
  local names = {}
  for name in pairs(functions) do names[name] = true end
  return names
end

return options
