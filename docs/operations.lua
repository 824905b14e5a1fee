-- Parts the operations of the reference by kind: by the files in src/ops that their rows stand in. From the project's
-- root; the site (docs/site.lua) has a page for each.
require "nnlua"
local catalogue = require "nnlua.help.catalogue"

local kinds = {
  {"Arithmetic and comparison", "math/arithmetic math/composed_arithmetic math/rounding math/comparison math/bitwise "
    .. "math/complex"},
  {"Functions of numbers", "math/exponential math/trigonometric math/composed_functions math/special "
    .. "math/incomplete_gamma math/gamma"},
  {"Sums, extremes and statistics", "reduce/sum reduce/max_min reduce/variance reduce/vector_norm reduce/quantile "
    .. "reduce/cumulative reduce/masked math/calculus"},
  {"Shapes and parts", "shape/view shape/permute_repeat shape/cat_split shape/stack_grid shape/diagonal"},
  {"New tensors and copies", "shape/factory shape/series shape/memory_format shape/copy"},
  {"Random numbers", "random/random random/draws random/dropout"},
  {"Picking, sorting and counting", "index/gather index/mask index/scatter_reduce index/search index/segment "
    .. "index/sort index/histogram"},
  {"Linear algebra", "linalg/matmul linalg/product linalg/solve linalg/factor linalg/qr linalg/svd linalg/eigen "
    .. "linalg/least_squares linalg/functions linalg/distance linalg/quantized"},
  {"Fourier transforms", "fft/fft fft/stft"},
  {"Activations", "math/activation nn/composed_activation nn/softmax"},
  {"Layers as functions", "nn/linear nn/conv nn/pool nn/placed_pool nn/pad nn/patches nn/grid nn/resample "
    .. "nn/batch_layer_norm nn/embedding nn/embedding_bag nn/attention nn/rnn math/fake_quantize"},
  {"Losses", "nn/losses nn/cross_entropy nn/ctc"},
}

--- By a row's name, the file that it stands in: "math/arithmetic".
local function files_of_rows()
  local files = {}
  for path in io.popen("ls src/ops/*/*.def"):lines() do
    local file <close> = assert(io.open(path))
    for row in ("\n" .. file:read "a"):gmatch "\n%u[%u_]*%(([%w_]+)" do
      files[row] = files[row] or path:match "ops/(.*)%.def$"
    end
  end
  return files
end

--- A list of `{title, entries}` for the entries of the section of operations, texts of Markdown ("### nl.add…").
--- An operation of no kind is an error.
return function(section)
  local files, kind_of_file, list = files_of_rows(), {}, {}
  for i, kind in ipairs(kinds) do
    list[i] = {title = kind[1], entries = {}}
    for file in kind[2]:gmatch "%S+" do kind_of_file[file] = i end
  end
  for entry in (section:gsub("\n### ", "\0### ") .. "\0"):gmatch "([^\0]*)\0" do
    local name = entry:match "^### ([^\n]*)"
    if name then
      local file = files[catalogue.all().by_name[name].rows[1].row]
      local kind = assert(kind_of_file[file], name .. ": docs/operations.lua has no kind for the rows of " ..
        tostring(file))
      table.insert(list[kind].entries, entry)
    end
  end
  return list
end
