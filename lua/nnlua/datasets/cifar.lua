-- The CIFAR data sets, in their files for C programs ("binary version"): bytes, where those for Python are pickles.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local dataset = require "nnlua.utils.dataset"
local nl = require "nnlua"
local system = require "nnlua.system"

local cifar = {}

local raise = core.raise

local SIDE, CHANNELS = 32, 3

--- Pictures (n, 3, 32, 32) and labels in a file whose records begin with so many bytes of labels, the last of which
--- count.
local function read_file(name, path, labels)
  local record = labels + CHANNELS * SIDE * SIDE
  local text = system.gunzip(name, path .. ": ", system.read_bytes(name, path))
  if #text == 0 or #text % record ~= 0 then
    raise(("%s: %s: %d bytes are no whole number of records of %d"):format(name, path, #text, record))
  end
  local records = nl.frombuffer(text, nl.uint8):view(#text // record, record)
  local pixels = records:narrow(2, labels + 1, record - labels):reshape(-1, CHANNELS, SIDE, SIDE)
  return pixels, records:select(2, labels):to(nl.int64)
end

local function read_all(self, files, labels)
  local pixels, targets = {}, {}
  for i, file in ipairs(files) do
    pixels[i], targets[i] = read_file(self.__name, self.root .. "/" .. file, labels)
  end
  self.data, self.targets = nl.cat(pixels), nl.cat(targets) + 1
  if self.targets:max():item() > self._count then
    raise(("%s: there is a label beyond %d"):format(self.__name, self._count - 1))
  end
end

local parse = args.parser("datasets.CIFAR10", {
  {"root", "string"}, {"train", "boolean", true}, {"transform", "function?"}, {"target_transform", "function?"},
})

--- Pictures of ten classes in the files of CIFAR-10's binary version (data_batch_1.bin and its kin) in a folder: an
--- item is a picture, uint8 (3, 32, 32), and its class from 1 on. `data` (items, 3, 32, 32) and `targets` are whole
--- tensors.
---     > root = os.tmpname() os.remove(root) os.execute("mkdir -p " .. root)
---     > done = io.open(root .. "/test_batch.bin", "wb"):write("\3" .. ("\0"):rep(3072)):close()
---     > data = nl.datasets.CIFAR10(root, {train = false})
---     > x, y = data:get(1)
---     > x.shape, data.classes[y]
---     [3, 32, 32]	cat
---@class CIFAR10: Dataset
---@field data Tensor
---@field targets Tensor
---@field classes string[]
local CIFAR10 = dataset.class "datasets.CIFAR10"

CIFAR10.classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
CIFAR10._count = 10

function CIFAR10:init(...)
  self.root, self.train, self.transform, self.target_transform = parse(...)
  read_all(self, self.train and {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
    "data_batch_5.bin"} or {"test_batch.bin"}, 1)
end

function CIFAR10:len()
  return #self.data
end

function CIFAR10:get(i)
  local img, target = self.data[i], self.targets[i]:item()
  if self.transform then img = self.transform(img) end
  if self.target_transform then target = self.target_transform(target) end
  return img, target
end

cifar.CIFAR10 = CIFAR10

--- Pictures of a hundred classes in the files train.bin and test.bin of CIFAR-100's binary version: see
--- datasets.CIFAR10.
---     > root = os.tmpname() os.remove(root) os.execute("mkdir -p " .. root)
---     > done = io.open(root .. "/test.bin", "wb"):write("\11\49" .. ("\0"):rep(3072)):close()
---     > select(2, nl.datasets.CIFAR100(root, {train = false}):get(1))
---     50
---@class CIFAR100: CIFAR10
local CIFAR100 = dataset.class("datasets.CIFAR100", CIFAR10)

CIFAR100.classes = nil
CIFAR100._count = 100

function CIFAR100:init(...)
  self.root, self.train, self.transform, self.target_transform = parse(...)
  read_all(self, {self.train and "train.bin" or "test.bin"}, 2)
end

cifar.CIFAR100 = CIFAR100

return cifar
