-- Data sets of files in one folder a class.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local dataset = require "nnlua.utils.dataset"
local nl = require "nnlua"
local system = require "nnlua.system"

local folder = {}

local raise, format = core.raise, core.format

--- The names in a folder in order: of folders, and of all else.
local function sorted_names(name, path)
  local all, are_folders = system.list_folder(name, path)
  local folders, files = {}, {}
  for i, one in ipairs(all) do table.insert(are_folders[i] and folders or files, one) end
  table.sort(folders)
  table.sort(files)
  return folders, files
end

--- Whether a name ends in one of some endings, in large or small letters.
local function ends_in(name, endings)
  name = name:lower()
  for _, ending in ipairs(endings) do
    if name:sub(-#ending) == ending:lower() then return true end
  end
  return false
end

--- The files that are wanted below a folder, those in a folder before those in its folders; no deeper than 64.
local function add_files(self, path, class, depth)
  local folders, files = sorted_names(self.__name, path)
  for _, file in ipairs(files) do
    local full = path .. "/" .. file
    local is_wanted
    if self.extensions then is_wanted = ends_in(file, self.extensions) else is_wanted = self._is_valid_file(full) end
    if is_wanted then
      self.samples[#self.samples + 1], self.targets[#self.targets + 1] = full, class
    end
  end
  if depth == 64 then raise(("%s: %s has folders in folders 64 deep"):format(self.__name, path)) end
  for _, inner in ipairs(folders) do add_files(self, path .. "/" .. inner, class, depth + 1) end
end

local function find_samples(self, allow_empty)
  self.classes = sorted_names(self.__name, self.root)
  if #self.classes == 0 then
    raise(("%s: %s has no folder in it: one for each class is wanted"):format(self.__name, self.root))
  end
  self.class_to_idx, self.samples, self.targets = {}, {}, {}
  for i, class in ipairs(self.classes) do
    self.class_to_idx[class] = i
    local before = #self.samples
    add_files(self, self.root .. "/" .. class, i, 1)
    if #self.samples == before and not allow_empty then
      raise(("%s: there is no file for class '%s' in %s"):format(self.__name, class, self.root))
    end
  end
end

local parse_folder = args.parser("datasets.DatasetFolder", {
  {"root", "string"}, {"loader", "function"}, {"extensions", "list?"}, {"transform", "function?"},
  {"target_transform", "function?"}, {"is_valid_file", "function?"}, {"allow_empty", "boolean", false},
})

--- Files in one folder a class, below `root`: an item is what `loader` makes of a path, and the number of its class, in
--- the order of their names, from 1 on. A file is taken if its name has one of the extensions, or is_valid_file says
--- so.
---     > root = os.tmpname() os.remove(root) os.execute("mkdir -p " .. root .. "/a " .. root .. "/b")
---     > for _, c in ipairs {"a", "b"} do io.open(root .. "/" .. c .. "/x.txt", "w"):write(c):close() end
---     > function read(path) return io.open(path):read "a" end
---     > data = nl.datasets.DatasetFolder(root, read, {extensions = {".txt"}})
---     > #data, data:get(2)
---     2	b	2
---@class DatasetFolder: Dataset
---@field classes string[]
---@field class_to_idx table<string, integer>
---@field samples string[]
---@field targets integer[]
local DatasetFolder = dataset.class "datasets.DatasetFolder"

function DatasetFolder:init(...)
  local extensions, is_valid, allow_empty
  self.root, self.loader, extensions, self.transform, self.target_transform, is_valid, allow_empty = parse_folder(...)
  if (extensions == nil) == (is_valid == nil) then
    raise(self.__name .. ": either extensions or is_valid_file is wanted")
  end
  self.extensions, self._is_valid_file = extensions, is_valid
  find_samples(self, allow_empty)
end

function DatasetFolder:len()
  return #self.samples
end

function DatasetFolder:get(i)
  local sample, target = self.loader(self.samples[i]), self.targets[i]
  if self.transform then sample = self.transform(sample) end
  if self.target_transform then target = self.target_transform(target) end
  return sample, target
end

function DatasetFolder:__tostring()
  return format("%s(%d files of %d classes in %s)", self.__name, #self.samples, #self.classes, self.root)
end

folder.DatasetFolder = DatasetFolder

local function read_rgb(path)
  return nl.io.read_image(path, "RGB")
end

local parse_images = args.parser("datasets.ImageFolder", {
  {"root", "string"}, {"transform", "function?"}, {"target_transform", "function?"}, {"loader", "function?"},
  {"is_valid_file", "function?"}, {"allow_empty", "boolean", false},
})

--- Pictures in one folder a class, below `root`: an item is a picture, uint8 (3, height, width), and the number of its
--- class, in the order of their names, from 1 on.
---     > root = os.tmpname() os.remove(root) os.execute("mkdir -p " .. root .. "/cat " .. root .. "/dog")
---     > for _, c in ipairs {"cat", "dog"} do
---     >>   nl.io.write_png(nl.zeros(3, 4, 6, {dtype = nl.uint8}), root .. "/" .. c .. "/1.png") end
---     > data = nl.datasets.ImageFolder(root, {transform = nl.transforms.ToTensor()})
---     > x, y = data:get(2)
---     > x.shape, x.dtype, y, data.classes[y]
---     [3, 4, 6]	nnlua.float32	2	dog
---@class ImageFolder: DatasetFolder
local ImageFolder = dataset.class("datasets.ImageFolder", DatasetFolder)

function ImageFolder:init(...)
  local root, transform, target_transform, loader, is_valid, allow_empty = parse_images(...)
  DatasetFolder.init(self, root, loader or read_rgb, {
    extensions = not is_valid and {".png", ".jpg", ".jpeg"} or nil, is_valid_file = is_valid, transform = transform,
    target_transform = target_transform, allow_empty = allow_empty,
  })
end

folder.ImageFolder = ImageFolder

return folder
