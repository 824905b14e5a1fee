-- nl.datasets: data sets in files that are there already, as torchvision.datasets has them; nothing is fetched. Read
-- when a name is first asked for.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

local function guard_classes(classes)
  guard.classes(classes, {levelled = {"len"}})
end

return on_demand.fields({}, guard_classes, {
  ["nnlua.datasets.folder"] = "DatasetFolder ImageFolder",
  ["nnlua.datasets.mnist"] = "MNIST FashionMNIST",
  ["nnlua.datasets.cifar"] = "CIFAR10 CIFAR100",
})
