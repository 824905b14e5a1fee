-- nnlua.utils.data: datasets, samplers, loaders, files of numbers.

local data = {
  default_collate = require "nnlua.utils.collate".default_collate,
  DataLoader = require "nnlua.utils.loader",
  read_csv = require "nnlua.system".read_csv,
}

for _, name in ipairs {"dataset", "sampler"} do
  for key, value in pairs(require("nnlua.utils." .. name)) do
    data[key] = value
  end
end

return data
