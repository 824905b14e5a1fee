-- nnlua.utils.data: datasets, samplers, loaders, files of numbers.

local guard = require "nnlua.guard"

local data = {
  default_collate = require "nnlua.utils.collate".default_collate,
  default_convert = require "nnlua.utils.collate".default_convert,
  DataLoader = require "nnlua.utils.loader",
  get_worker_info = require "nnlua.utils.fetch".get_worker_info,
  read_csv = require "nnlua.system".read_csv,
}

for _, name in ipairs {"dataset", "sampler"} do
  for key, value in pairs(require("nnlua.utils." .. name)) do
    if key:sub(1, 1) ~= "_" then data[key] = value end -- the rest is for these files
  end
end

--- What is for several processes that train one model.
data.distributed = {DistributedSampler = data.DistributedSampler}

guard.classes {data.DataLoader, data.BatchSampler, data.IterableDataset, data.ChainDataset} -- they loop over the user's
guard.classes({data.TensorDataset}, {levelled = {"len", "get", "gather"}})
guard.classes(data, {levelled = {"len", "iter", "gather", "_part"}})

return data
