-- The MNIST data sets, in their files.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local dataset = require "nnlua.utils.dataset"
local nl = require "nnlua"

local mnist = {}

local raise, format = core.raise, core.format

--- The tensor in a file of a name, gzipped or not, in a folder or where torchvision puts it there.
local function read_one(self, name)
  local class = self.__name:match "[^.]+$"
  local tried = {self.root .. "/" .. name, self.root .. "/" .. class .. "/raw/" .. name}
  for _, base in ipairs(tried) do
    for _, ending in ipairs {"", ".gz"} do
      local file = io.open(base .. ending, "rb")
      if file then
        file:close()
        return nl.io.read_idx(base .. ending)
      end
    end
  end
  return raise(("%s: %s isn't there, nor %s.gz, nor either in %s/raw"):format(self.__name, tried[1], name, class))
end

local parse = args.parser("datasets.MNIST", {
  {"root", "string"}, {"train", "boolean", true}, {"transform", "function?"}, {"target_transform", "function?"},
})

--- Digits in the files of MNIST (train-images-idx3-ubyte and its kin, gzipped or not) in a folder: an item is a
--- picture, uint8 (1, 28, 28), and its class, the digit + 1. `train = false` reads the t10k files. `data` (items, 28,
--- 28) and `targets` are whole tensors.
---     > root = os.tmpname() os.remove(root) os.execute("mkdir -p " .. root)
---     > function put(name, text) io.open(root .. "/" .. name, "wb"):write(text):close() end
---     > put("train-images-idx3-ubyte", "\0\0\8\3" .. (">I4I4I4"):pack(1, 2, 2) .. "abcd")
---     > put("train-labels-idx1-ubyte", "\0\0\8\1" .. (">I4"):pack(1) .. "\7")
---     > x, y = nl.datasets.MNIST(root):get(1)
---     > x.shape, y
---     [1, 2, 2]	8
---@class MNIST: Dataset
---@field data Tensor
---@field targets Tensor
---@field classes string[]
local MNIST = dataset.class "datasets.MNIST"

MNIST.classes = {"0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven",
  "8 - eight", "9 - nine"}

function MNIST:init(...)
  self.root, self.train, self.transform, self.target_transform = parse(...)
  local part = self.train and "train" or "t10k"
  self.data = read_one(self, part .. "-images-idx3-ubyte")
  local labels = read_one(self, part .. "-labels-idx1-ubyte")
  if self.data.ndim ~= 3 or labels.ndim ~= 1 or #labels ~= #self.data or labels.dtype ~= nl.uint8 then
    raise(format("%s: pictures have shape %s, labels %s: these are no files of MNIST", self.__name, self.data.shape,
      labels.shape))
  end
  self.targets = labels:to(nl.int64) + 1
end

function MNIST:len()
  return #self.data
end

function MNIST:get(i)
  local img, target = self.data[i]:unsqueeze(1), self.targets[i]:item()
  if self.transform then img = self.transform(img) end
  if self.target_transform then target = self.target_transform(target) end
  return img, target
end

mnist.MNIST = MNIST

--- Pieces of clothing, in files of the same names as MNIST's: see datasets.MNIST.
---     > nl.datasets.FashionMNIST.classes[10]
---     Ankle boot
---@class FashionMNIST: MNIST
local FashionMNIST = dataset.class("datasets.FashionMNIST", MNIST)

FashionMNIST.classes = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
  "Ankle boot"}

mnist.FashionMNIST = FashionMNIST

return mnist
